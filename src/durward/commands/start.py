"""durward start: protect again after `durward stop`."""

import click

from durward.commands.gate import ask_enforcer
from durward.commands.terminal import emit
from durward.commands.verb import verb


@verb("start")
def command(*, as_json: bool) -> None:
    """Put back what `durward stop` took away: the blocks, and the firewall that was confirmed last."""
    reply = ask_enforcer("firewall on")
    emit(reply) if as_json else click.echo(f"Protecting again; firewall: {reply['firewall']}.")
