"""durward confirm: keep the firewall that is on trial."""

from collections.abc import Iterable
from pathlib import Path

import click

from durward.catalog.document import ProblemsError
from durward.commands.gate import ask_enforcer, connection_name
from durward.commands.terminal import bold, emit, inert
from durward.commands.verb import here, verb

SYSCTL = Path("/proc/sys")


@verb("confirm")
def command(*, as_json: bool) -> None:
    """Keep the firewall that `durward apply` put on trial, also for the next boot.

    Type it from a new connection: that you can is the proof that you still get in.
    """
    reply = ask_enforcer("firewall confirm", connection=connection_name())
    wanted, problem = _wanted()
    refused = _set(wanted)
    if as_json:
        emit(reply | {"kernel_settings_refused": refused} | ({"problem": problem} if problem else {}))
        return
    click.echo(f"{bold('Confirmed')}. It is loaded at every boot, before the network is up.")
    if problem:
        click.echo(f"  The kernel settings were left as they are: {inert(problem)}")
    for name in refused:
        click.echo(f"  The kernel setting {name} could not be changed; protection against SYN floods needs it.")


def _wanted() -> tuple[tuple[tuple[str, str], ...], str]:
    """The kernel settings that the firewall needs, or why they are not known: by then it is confirmed in any case."""
    from durward.config.loading import load, load_lists
    from durward.facts.failure import FactsError
    from durward.facts.firewall import policy_of
    from durward.ruleset.floods import sysctls

    home = here()
    try:
        return sysctls(policy_of(load(home).settings, load_lists(home), etc=home.etc)), ""
    except (ProblemsError, FactsError) as error:
        return (), str(error)


def _set(settings: Iterable[tuple[str, str]]) -> list[str]:
    """Change kernel settings; give the names of those that the kernel did not let us change."""
    refused = []
    for name, value in settings:
        path = SYSCTL / name.replace(".", "/")
        try:
            if path.read_text().strip() != value:
                path.write_text(value)
        except OSError:
            refused.append(name)
    return refused
