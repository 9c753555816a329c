"""durward stop: stop protecting, until `durward start`."""

import click

from durward.commands.gate import ask_enforcer
from durward.commands.terminal import emit
from durward.commands.verb import verb


@verb("stop")
def command(*, as_json: bool) -> None:
    """Take the table `inet durward` out of the kernel: the firewall and all blocks. No other table is touched.

    The logs are read on, and nothing is forgotten: `durward start`, or the next boot, puts everything back.
    """
    reply = ask_enforcer("firewall off")
    emit(reply) if as_json else click.echo("Nothing is refused any more.  To protect this host again:  durward start")
