"""What allow and ignore share, and disallow and unignore: putting a subject on a list, and taking it off again."""

from typing import Any

import click

from durward.commands.terminal import bold, emit, lasting, quantity
from durward.commands.verb import Exit, ask_engine, fail, here, scope_of, seconds_of, subject_of, verb
from durward.control.requests import ask_one
from durward.model import InvalidAddressError, Subject

duration_option = click.option(
    "--for", "duration", metavar="1h", help="How long: 90s, 10m, 1h, 7d or forever.  [default: forever]"
)
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; `durward why` shows it.")


def putting_on(name: str, *, undo: str, promise: str, help_text: str) -> click.Command:
    """The verb `name`, which puts a subject on a list; `promise` says what that means for it."""

    @verb(name)
    @click.argument("subject")
    @duration_option
    @click.option("--port", "ports", default="", metavar="22,80/udp", help="Only these ports.  [default: all traffic]")
    @reason_option
    def command(*, subject: str, duration: str | None, ports: str, reason: str, as_json: bool) -> None:
        fields = {"subject": subject_of(subject), "scope": scope_of(ports, out=False), "seconds": seconds_of(duration)}
        reply = ask_engine(name, **fields, reason=reason)
        if as_json:
            emit(reply)
            return
        click.echo(f"{bold(reply['subject'])} {promise}, {lasting(reply['until'])}.")
        click.echo(f"  To undo:  durward {undo} {reply['subject']}")

    command.help = help_text
    return command


def take_off(name: str, file: str, subject: str, reason: str) -> dict[str, Any]:
    """Have the engine take `subject` off a list, after its lines in the list's `file` were removed.

    Lines that say `do not delete` stay, and are named. An error ends the verb, unless a line was removed.
    """
    from durward.config.list_edits import Removal, remove_entries

    path = here().etc / file
    try:
        removal = remove_entries(path, Subject.parse(subject)) if path.exists() else Removal(0, 0)
    except InvalidAddressError:
        removal = Removal(0, 0)  # a receipt, perhaps: the engine knows
    if removal.kept:
        lines = quantity(removal.kept, "line")
        fail(Exit.REFUSED, f"{lines} of {file} with {subject} say `do not delete`; remove them by hand")
    reply = ask_one(here().engine_socket, name, subject=subject, reason=reason)
    if "error" in reply and not removal.removed:
        fail(Exit(reply.get("status", Exit.NO)), str(reply["error"]))
    if removal.removed:
        ask_one(here().engine_socket, "reload")
    return {"subject": subject, "lifted": [subject], "enforced": True} if "error" in reply else reply


def taking_off(name: str, *, undone: str, file: str) -> click.Command:
    """The verb `name`, which takes back what the verb `undone` did or what a line of `file` says."""

    @verb(name)
    @click.argument("subject")
    @reason_option
    def command(*, subject: str, reason: str, as_json: bool) -> None:
        reply = take_off(name, file, subject_of(subject), reason)
        if as_json:
            emit(reply)
            return
        click.echo(f"{bold(reply['subject'])} is treated like everybody else again.")

    command.help = f"Take SUBJECT off the list that `durward {undone}` or a line of {file} put it on."
    return command
