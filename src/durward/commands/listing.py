"""What allow and ignore share, and disallow and unignore: putting a subject on a list, and taking it off again."""

import click

from durward.commands.terminal import bold, emit, moment
from durward.commands.verb import ask_engine, scope_of, seconds_of, subject_of, verb

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
        click.echo(f"{bold(reply['subject'])} {promise}, until {moment(reply['until'])}.")
        click.echo(f"  To undo:  durward {undo} {reply['subject']}")

    command.help = help_text
    return command


def taking_off(name: str, *, undone: str) -> click.Command:
    """The verb `name`, which takes back what the verb `undone` did."""

    @verb(name)
    @click.argument("subject")
    @reason_option
    def command(*, subject: str, reason: str, as_json: bool) -> None:
        reply = ask_engine(name, subject=subject_of(subject), reason=reason)
        if as_json:
            emit(reply)
            return
        click.echo(f"{bold(reply['subject'])} is treated like everybody else again.")

    command.help = f"Take SUBJECT off the list that `durward {undone}` put it on."
    return command
