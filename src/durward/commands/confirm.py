"""durward confirm: keep the firewall that is on trial."""

import click

from durward.commands.gate import ask_enforcer, connection_name
from durward.commands.terminal import bold, emit
from durward.commands.verb import verb


@verb("confirm")
def command(*, as_json: bool) -> None:
    """Keep the firewall that `durward apply` put on trial, also for the next boot.

    Type it from a new connection: that you can is the proof that you still get in.
    """
    reply = ask_enforcer("firewall confirm", connection=connection_name())
    emit(reply) if as_json else click.echo(
        f"{bold('Confirmed')}. It is loaded at every boot, before the network is up."
    )
