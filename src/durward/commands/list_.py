"""durward list: who is blocked, throttled, allowed or ignored now."""

import click

from durward.commands.terminal import emit, inert, lasting, quantity, table
from durward.commands.verb import ask_engine_all, verb

LISTINGS = {"blocked": "block", "throttled": "throttle", "allowed": "allow", "ignored": "ignore"}


@verb("list")
@click.argument("which", type=click.Choice(list(LISTINGS)), default="blocked")
def command(*, which: str, as_json: bool) -> None:
    """Show who is blocked now (or throttled, or allowed, or ignored): whom, until when, since when, and why."""
    rows: list[tuple[str, ...]] = []
    for entry in ask_engine_all("list", listing=LISTINGS[which]):
        if as_json:
            emit(entry)
        else:
            reason = inert(f"{entry['reason']}  [{entry['origin']}]")
            rows.append((entry["subject"], entry["ports"] or "all ports", lasting(entry["until"]), reason))
    if as_json:
        return
    if rows:
        click.echo(table(rows))
    count = quantity(len(rows), "entry").replace("entrys", "entries")
    click.echo(f"{count} {which}.  To see why:  durward why SUBJECT")
