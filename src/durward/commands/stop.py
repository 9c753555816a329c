"""durward stop: take the firewall away."""

import click

from durward.commands.gate import ask_enforcer
from durward.commands.terminal import emit
from durward.commands.verb import verb


@verb("stop")
def command(*, as_json: bool) -> None:
    """Take the firewall away, now and for the next boot. Who is blocked stays blocked; no other table is touched.

    `durward start` puts it back.
    """
    reply = ask_enforcer("firewall off")
    emit(reply) if as_json else click.echo("The firewall is off; blocks hold.  To put it back:  durward start")
