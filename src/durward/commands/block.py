"""durward block: refuse an address or network from now on."""

import click

from durward.commands.sparing import refuse_own_block
from durward.commands.terminal import bold, emit, lasting
from durward.commands.verb import ask_engine, scope_of, seconds_of, subject_of, verb
from durward.model import Subject


@verb("block")
@click.argument("subject")
@click.option("--for", "duration", metavar="1h", help="How long: 90s, 10m, 1h, 7d or forever.  [default: forever]")
@click.option("--port", "ports", default="", metavar="22,80/udp", help="Only these ports.  [default: all traffic]")
@click.option("--out", is_flag=True, help="Refuse what goes out to it, instead of what comes in from it.")
@click.option("--reason", default="", metavar="TEXT", help="Why; `durward why` shows it.")
def command(*, subject: str, duration: str | None, ports: str, out: bool, reason: str, as_json: bool) -> None:
    """Refuse SUBJECT (an address or CIDR network) until it is unblocked or its time is over."""
    fields = {"subject": subject_of(subject), "scope": scope_of(ports, out=out), "seconds": seconds_of(duration)}
    refuse_own_block(Subject.parse(subject))
    reply = ask_engine("block", **fields, reason=reason)
    if as_json:
        emit(reply)
        return
    state = "blocked" if reply["enforced"] else "noted, but not yet in the kernel"
    click.echo(f"{bold(reply['subject'])} is {state} {lasting(reply['until'])}.  Receipt {reply['receipt']}")
    click.echo(f"  To undo:  durward unblock {reply['subject']}")
