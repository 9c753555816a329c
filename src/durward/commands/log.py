"""durward log: the decisions as they were made, or as they come."""

import sys

import click

from durward.commands.terminal import emit, inert, moment, table
from durward.commands.verb import ask_engine_all, verb


@verb("log")
@click.option("--follow", "-f", is_flag=True, help="Go on as decisions come, until Ctrl-C.")
@click.option("--lines", "-n", default=20, show_default=True, help="How many earlier decisions to begin with.")
@click.option("--unexplained", is_flag=True, help="Show the lines of logs that nothing explains instead.")
def command(*, follow: bool, lines: int, unexplained: bool, as_json: bool) -> None:
    """Show the last decisions: when, what, whom, by whom, and why.

    With --unexplained: the kinds of lines that no pattern knows, where sources.unexplained has them collected.
    """
    if unexplained:
        show_unexplained(lines, as_json=as_json)
        return
    try:
        for decision in ask_engine_all("log", lines=lines, follow=follow):
            if as_json:
                emit(decision)
                sys.stdout.flush()  # who follows through a pipe wants to see it now
            else:
                click.echo(row(decision))
    except KeyboardInterrupt:
        return


def show_unexplained(lines: int, *, as_json: bool) -> None:
    """The kinds of lines that nothing explains, the most frequent first."""
    found = list(ask_engine_all("log", lines=lines, unexplained=True))
    for group in found:
        if as_json:
            emit(group)
        else:
            click.echo(f"{group['lines']:>8,}  {inert(str(group['source']))}: {inert(str(group['sample']))}")
    if not found and not as_json:
        click.echo("There are none, or none are collected: durward config set sources.unexplained=manual")


def row(decision: dict[str, object]) -> str:
    """One decision on one line."""
    verdict = f"({decision['verdict']})" if decision.get("simulated") else str(decision["verdict"])
    if decision.get("refused"):
        verdict = f"no {verdict}"
    made_at = moment(str(decision["made_at"]))
    whom = f"{decision['subject']}" + (f" at {decision['ports']}" if decision.get("ports") else "")
    cells = (f"{decision['decision']:>6}", made_at, f"{verdict:<8}", f"{whom:<39}")
    return table([(*cells, inert(f"{decision['reason']}  [{decision['origin']}]"))])
