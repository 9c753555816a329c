"""durward scan: which events are in these logs?"""

from collections import Counter
from typing import Any

import click

from durward.commands.terminal import emit, inert, moment, quantity, table
from durward.commands.verb import Exit, fail, here, verb


@verb("scan")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--service", metavar="NAME", help="Only this service's events.  [default: whatever is recognised]")
def command(*, files: tuple[str, ...], service: str | None, as_json: bool) -> None:
    """Show which events the log FILEs hold. Decides nothing and needs no daemon; reads .gz .bz2 .xz, and - for stdin.

    Exit status: 0 there are events, 1 there are none.
    """
    from durward.commands.reading import read_events
    from durward.config.loading import load
    from durward.engine.explain import moment as iso
    from durward.scan.scanner import Scanner
    from durward.scan.topology import Topology

    loaded = load(here())
    known = [card.id for card in loaded.services]
    if service is not None and service not in known:
        fail(Exit.WRONG, f"there is no service {service!r}; known are: {', '.join(known)}")
    totals: Counter[tuple[str, str]] = Counter()
    scanner = Scanner(loaded.services, Topology(loaded.topology))
    for found in read_events(files, scanner, frozenset([service]) if service else None):
        event = found.event
        entry: dict[str, Any] = {"file": found.file, "line": found.line, "at": iso(event.at), "kind": event.kind}
        entry |= {"service": event.service}
        for name in ("source_ip", "source_port", "source_host", "user_name"):
            if (value := getattr(event, name)) is not None:
                entry[name] = value
        entry |= {"count": event.hits, "text": event.text}
        totals[event.service, event.kind] += 1
        if as_json:
            emit(entry)
        else:
            click.echo(_row(entry))
    if not as_json:
        _summary(totals)
        for source, doubt in scanner.doubts:
            lines = quantity(doubt.lines, "line")
            click.echo(f"{lines} of {inert(source)} can be blamed on two addresses: nobody is. The last one:")
            click.echo("    " + inert(doubt.sample.decode("utf-8", "backslashreplace")))
    if not totals:
        click.get_current_context().exit(Exit.NO)


def _row(entry: dict[str, Any]) -> str:
    who = entry.get("source_ip") or entry.get("source_host") or "-"
    user = inert(entry.get("user_name", "-")) or "''"
    return table([(f"{entry['line']:>6}", moment(entry["at"]), entry["kind"], f"{entry['count']}x", inert(who), user)])


def _summary(totals: Counter[tuple[str, str]]) -> None:
    rows: list[tuple[str, ...]] = [
        (service, kind, quantity(count, "event")) for (service, kind), count in sorted(totals.items())
    ]
    click.echo("\n" + table(rows) if rows else "No line is an event of a known service.")
