"""Replay: what the engine would have decided, had it been there. The code is the one that runs live."""

from collections.abc import Iterable, Iterator

from durward.engine.engine import Engine, counted_at
from durward.model import Decision, Event


def replay(engine: Engine, events: Iterable[Event]) -> Iterator[Decision]:
    """Give the decisions that `events` lead to, by their own times; ties by source and position, so it never varies."""
    for event in sorted(events, key=_order):
        yield from engine.feed(event)
        engine.tick(counted_at(event))


def _order(event: Event) -> tuple[float, str, int, str, str, str]:
    number = event.position if isinstance(event.position, int) else 0
    return counted_at(event), event.source, number, str(event.position), event.service, event.kind
