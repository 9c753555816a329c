"""durward replay: which decisions would these logs give?"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from durward.commands.terminal import bold, emit, inert, lasting, moment, quantity
from durward.commands.verb import Exit, here, verb

if TYPE_CHECKING:
    from durward.model import Event, Evidence

ROTATED = re.compile(r"(?:[.-]\d+)?(?:\.(?:gz|xz|bz2|zst))?$")  # behind the name of a log that is no longer written to


@verb("replay")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--config", metavar="DIR", help="Decide by the settings in DIR.  [default: those in force]")
@click.option("--against", metavar="DIR", help="Show only what would differ under the settings in DIR.")
def command(*, files: tuple[str, ...], config: str | None, against: str | None, as_json: bool) -> None:
    """Run log FILEs through the same code that decides live, and show what would be decided. Changes nothing.

    With --against, lines that begin with - are decided only under --config, those with + only under --against.
    """
    etc = Path(config) if config else here().etc
    if against is None:
        decisions = list(_decisions(files, etc))
        for decision in decisions:
            emit(decision) if as_json else click.echo(_page(decision))
        if not as_json:
            click.echo(f"{quantity(len(decisions), 'decision')} in {quantity(len(files), 'file')}.")
        return
    if "-" in files:
        raise click.BadParameter("standard input cannot be read twice, as --against would; give a file")
    differences = _differences(list(_decisions(files, etc)), list(_decisions(files, Path(against))))
    for difference in differences:
        emit(difference) if as_json else click.echo(f"{difference['change']} {_page(difference)}")
    if not as_json:
        click.echo(f"{quantity(len(differences), 'difference')}.")
    if differences:
        click.get_current_context().exit(Exit.NO)


def _differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is only in one of them: `change` is - for what is only before, + for what is only after."""
    texts = {change: {json.dumps(one): one for one in side} for change, side in (("-", before), ("+", after))}
    found = [
        {"change": change, **one}
        for change, other in (("-", "+"), ("+", "-"))
        for text, one in texts[change].items()
        if text not in texts[other]
    ]
    return sorted(found, key=lambda one: (one["at"], one["subject"], one["change"]))


def _decisions(files: tuple[str, ...], etc: Path) -> Iterator[dict[str, Any]]:
    from durward.commands.reading import read_events
    from durward.config.home import Home
    from durward.config.loading import load, load_lists
    from durward.config.membership import Networks
    from durward.engine.assembly import assemble, policy_of
    from durward.engine.replay import replay
    from durward.scan.scanner import Scanner
    from durward.scan.topology import Topology

    if not etc.is_dir() and etc != here().etc:
        raise click.BadParameter(f"{etc} is no directory")
    home = Home(etc, etc, etc)
    loaded, lists = load(home), load_lists(home)
    exempt = Networks(
        (entry.network, f"{entry.file}:{entry.line}")
        for file in (lists.allow, lists.ignore)
        for entry in file.entries
        if entry.network and entry.filter is None
    )
    policy = policy_of(loaded.settings, loaded.services, loaded.detectors, exempt.covers)
    found = list(read_events(files, Scanner(loaded.services, Topology(loaded.topology)), None))
    lines = {(one.event.source, one.event.position): one.line for one in found}
    events = _once([one.event for one in found], frozenset(card.id for card in loaded.services if card.also))
    for decision in replay(assemble(policy, loaded.detectors), events):
        yield _entry(decision, lines)


def _once(events: "list[Event]", web: frozenset[str]) -> "list[Event]":
    """Without what a second log tells of the same attempts, as when they are read live."""
    from durward.scan.twins import Twins

    twins = Twins(web, lambda source: ROTATED.sub("", source))
    return twins.only_first(sorted(events, key=lambda event: (event.at, event.source)), journal=False)


def _entry(decision: Any, lines: dict[tuple[str, int | str], int]) -> dict[str, Any]:
    from durward.engine.explain import moment as iso

    entry = {
        "at": iso(decision.made_at),
        "verdict": decision.verdict,
        "subject": decision.subject.value,
        "until": iso(decision.until),
        "reason": decision.reason,
        "simulated": decision.simulated,
    }
    incident = decision.incident
    evidence = [_evidence(line, lines.get((line.source, line.position))) for line in incident.evidence]
    times = {"first_at": iso(incident.first_at), "last_at": iso(incident.last_at)}
    return (
        entry
        | {"detector": incident.detector, "service": incident.service, "count": incident.count, **times}
        | {"evidence": evidence}
    )


def _evidence(line: "Evidence", number: int | None) -> dict[str, Any]:
    """A line of a file with its number; what the engine itself did stands in no file."""
    if number is None:
        return {"text": line.text}
    return {"file": line.source.removeprefix("file:"), "line": number, "text": line.text}


def _page(decision: dict[str, Any]) -> str:
    what = f"{decision['verdict']} {bold(decision['subject'])} {lasting(decision['until'])}"
    lines = [f"{moment(decision['at'])}  {what}: {inert(decision['reason'])}"]
    return "\n".join([*lines, *(f"    {one.get('line', ''):>6}  {inert(one['text'])}" for one in decision["evidence"])])
