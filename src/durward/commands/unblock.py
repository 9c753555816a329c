"""durward unblock: let an address or network in again."""

import click

from durward.commands.listing import take_off, tell_of_rules
from durward.commands.terminal import bold, emit
from durward.commands.verb import verb


@verb("unblock")
@click.argument("subject")
@click.option("--reason", default="", metavar="TEXT", help="Why; `durward why` shows it.")
def command(*, subject: str, reason: str, as_json: bool) -> None:
    """Let SUBJECT in again: an address, a CIDR network, or the receipt that a blocked visitor was given.

    The counters that led to the block begin again at nothing, so that the next mistake does not block at once.
    """
    reply = take_off("unblock", "deny.list", subject, reason)
    if as_json:
        emit(reply)
        return
    for lifted in reply["lifted"]:
        click.echo(f"{bold(lifted)} may come in again.")
    if not reply["enforced"]:
        click.echo("  The enforcer does not answer; the kernel follows as soon as it does.")
    tell_of_rules(reply, "deny.list")
