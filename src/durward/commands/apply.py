"""durward apply: let the firewall decide as the settings say, on trial until it is confirmed."""

import click

from durward.commands.asserting import refuse_broken
from durward.commands.gate import ask_enforcer, connection_name
from durward.commands.sparing import refuse_lock_out
from durward.commands.terminal import bold, emit, inert, quantity, span
from durward.commands.verb import Exit, fail, here, verb
from durward.model import parse_duration


@verb("apply")
@click.option("--confirm-within", "within", metavar="60s", help="Roll back unless confirmed within this time.")
@click.option(
    "--force", is_flag=True, help="Apply even what would close an administrator's port or breaks policy.assert."
)
@click.option("--dry-run", is_flag=True, help="Only print the rules.")
def command(*, within: str | None, force: bool, dry_run: bool, as_json: bool) -> None:
    """Put the firewall of the settings into the kernel, in one step, without a moment in between.

    It is on trial until `durward confirm` is typed from a new connection. If it is not, the kernel itself goes back to
    what decided before, even if durward is dead by then. What would close the port of a live administrator session,
    or breaks a line of policy.assert, is refused (exit status 3), and so is a second apply while somebody else's is on
    trial. With enabled = false in [firewall], the firewall is taken away; addresses are still blocked.
    """
    from durward.config.loading import load, load_lists
    from durward.facts.failure import FactsError
    from durward.facts.firewall import policy_of
    from durward.ruleset.firewall import firewall, open_ports

    home = here()
    settings, lists = load(home).settings, load_lists(home)
    if not settings.firewall.enabled:
        _take_away(dry_run=dry_run, as_json=as_json)
        return
    try:
        policy = policy_of(settings, lists, etc=home.etc, library=home.lists)
    except FactsError as error:
        fail(Exit.WRONG, str(error))
    if dry_run:
        click.echo(firewall(policy, "a"))
        return
    if not force:
        refuse_broken(home, settings, lists, policy)
        refuse_lock_out(home, settings, lists, policy)
    generation = ask_enforcer("firewall state")["generation"]
    reply = ask_enforcer(
        "firewall apply",
        firewall(policy, generation),
        open_ports=[[ports.first, ports.last] for ports in open_ports(policy)],
        seconds=round(parse_duration(within) if within else settings.firewall.confirm_within),
        force=force,
        connection=connection_name(),
    )
    if as_json:
        emit(reply)
        return
    click.echo(
        f"{bold('On trial')} for {span(reply['trial_seconds'])}. From a {bold('new')} connection:  durward confirm"
    )
    click.echo("  If nobody does, the kernel goes back by itself to what decided before.")
    for one in (one for one in reply.get("lists", ()) if one["refused"]):
        told = "; ".join(map(inert, one["samples"]))
        click.echo(f"  {quantity(one['refused'], 'line')} of {inert(', '.join(one['files']))} left out: {told}")


def _take_away(*, dry_run: bool, as_json: bool) -> None:
    """What enabled = false means. Nobody is shut out by it, so it needs no trial."""
    if dry_run:
        click.echo("# The firewall is switched off: no rules. Addresses are still blocked.")
        return
    reply = ask_enforcer("firewall none")
    if as_json:
        emit(reply)
        return
    click.echo(f"The firewall is {bold('taken away')}, for the next boot too; no port is closed by default any more.")
    click.echo("  Addresses are still blocked. To have it back: set enabled = true in [firewall], then durward apply")
