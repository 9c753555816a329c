"""durward apply: let the firewall decide as the settings say, on trial until it is confirmed."""

import click

from durward.commands.gate import ask_enforcer, connection_name
from durward.commands.terminal import bold, emit, span
from durward.commands.verb import here, verb
from durward.model import parse_duration


@verb("apply")
@click.option("--confirm-within", "within", metavar="60s", help="Roll back unless confirmed within this time.")
@click.option("--force", is_flag=True, help="Apply even what would close the port that an administrator is using.")
def command(*, within: str | None, force: bool, as_json: bool) -> None:
    """Put the firewall of the settings into the kernel, in one step, without a moment in between.

    It is on trial until `durward confirm` is typed from a new connection. If it is not, the kernel itself goes back to
    what decided before, even if durward is dead by then. What would close the port of a live administrator session is
    refused (exit status 3).
    """
    from durward.config.loading import load
    from durward.facts.sshd import ssh_ports

    settings = load(here()).settings
    seconds = round(parse_duration(within) if within else settings.firewall.confirm_within)
    reply = ask_enforcer(
        "firewall apply", ssh_ports=list(ssh_ports()), seconds=seconds, force=force, connection=connection_name()
    )
    if as_json:
        emit(reply)
        return
    click.echo(f"{bold('On trial')} for {span(seconds)}. From a {bold('new')} connection, type:  durward confirm")
    click.echo("  If nobody does, the kernel goes back by itself to what decided before.")
