"""durward rollback: end the trial of a firewall now."""

import click

from durward.commands.gate import ask_enforcer
from durward.commands.terminal import emit
from durward.commands.verb import verb


@verb("rollback")
def command(*, as_json: bool) -> None:
    """Go back to what decided before the last `durward apply`, if that was not confirmed yet."""
    reply = ask_enforcer("firewall rollback")
    emit(reply) if as_json else click.echo("What was confirmed before decides again.")
