"""What allow and ignore share, and disallow and unignore: putting a subject on a list, and taking it off again."""

from pathlib import Path
from typing import Any

import click

from durward.commands.terminal import bold, emit, lasting, quantity
from durward.commands.verb import Exit, ask_engine, fail, here, scope_of, seconds_of, subject_of, verb
from durward.config.lists import ListEntry
from durward.control.requests import ask_one
from durward.model import InvalidAddressError, Subject

LINES_TOLD_MAX = 10  # of those that refuse a removal
duration_option = click.option(
    "--for", "duration", metavar="1h", help="How long: 90s, 10m, 1h, 7d or forever.  [default: forever]"
)
port_option = click.option(
    "--port", "ports", default="", metavar="22,80/udp", help="Only these ports.  [default: all traffic]"
)
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; `durward why` shows it.")


def putting_on(name: str, *, undo: str, promise: str, help_text: str, ports: bool = True) -> click.Command:
    """The verb `name`, which puts a subject on a list, with `ports` at some ports only where they are given.

    `promise` says what that means for it.
    """

    def run(*, subject: str, duration: str | None, reason: str, as_json: bool, ports: str = "") -> None:
        fields = {"subject": subject_of(subject), "scope": scope_of(ports, out=False), "seconds": seconds_of(duration)}
        reply = ask_engine(name, **fields, reason=reason)
        if as_json:
            emit(reply)
            return
        click.echo(f"{bold(reply['subject'])} {promise}, {lasting(reply['until'])}.")
        click.echo(f"  To undo:  durward {undo} {reply['subject']}")

    options = [duration_option, *([port_option] if ports else []), reason_option]
    for option in reversed(options):
        run = option(run)
    command = verb(name)(click.argument("subject")(run))
    command.help = help_text
    return command


def take_off(name: str, file: str, subject: str, reason: str) -> dict[str, Any]:
    """Have the engine take `subject` off a list, after its lines in the list's `file` were removed.

    Lines that this cannot or must not remove are named, and nothing is changed then. An error ends the verb, unless a
    line was removed.
    """
    from durward.config.list_edits import Removal, remove_entries

    path = here().etc / file
    try:
        wanted = Subject.parse(subject)
        _refuse_what_stays(path, wanted, name)
        removal = remove_entries(path, wanted, filters=True) if path.exists() else Removal(0, 0, 0)
    except InvalidAddressError:
        removal = Removal(0, 0, 0)  # a receipt, perhaps: the engine knows
    reply = ask_one(here().engine_socket, name, subject=subject, reason=reason)
    if "error" in reply and not removal.removed:
        fail(Exit(reply.get("status", Exit.NO)), str(reply["error"]))
    if removal.removed:
        ask_one(here().engine_socket, "reload")
    found = {"subject": subject, "lifted": [subject], "enforced": True} if "error" in reply else reply
    return found | {"rules": removal.rules}


def tell_of_rules(reply: dict[str, Any], file: str) -> None:
    """Say what of a removal the kernel follows only with the next apply."""
    if reply["rules"]:
        gone = f"{quantity(reply['rules'], 'filter')} with it went from {file}"
        click.echo(f"  {gone}; the firewall follows with the next:  durward apply")


def _refuse_what_stays(path: Path, subject: Subject, name: str) -> None:
    """End the verb where a line names `subject` that would put it on the list again: nothing else is done then."""
    from durward.config.lists import read_list

    named = [entry for entry in read_list(path).entries if entry.network == subject.value]
    reasons = {
        f"{entry.file}:{entry.line}": _reason_to_stay(entry, path, subject)
        for entry in named
        if _reason_to_stay(entry, path, subject)
    }
    if reasons:
        told = "\n".join(f"{place}: {reason}" for place, reason in list(reasons.items())[:LINES_TOLD_MAX])
        fail(Exit.REFUSED, f"{name} {subject.value} is refused, and nothing was changed:\n{told}")


def _reason_to_stay(entry: ListEntry, path: Path, subject: Subject) -> str:
    if entry.keep:
        return f"this line with {subject.value} says `do not delete`; remove it by hand"
    if entry.file != str(path):
        return f"{subject.value} stands in a file that {path.name} includes; remove the line by hand"
    if not entry.whole_line:
        return f"{subject.value} is a part of the interval in this line; change it by hand"
    return ""


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
        tell_of_rules(reply, file)

    command.help = f"Take SUBJECT off the list that `durward {undone}` or a line of {file} put it on."
    return command
