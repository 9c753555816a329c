"""Sharing: services that write the same kind of lines share the patterns of one card, each under its own name.

All web servers keep the same access log, so its patterns stand in one card that theirs name. Each pattern is there
once, however many services read by it.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from durward.catalog.service_card import ServiceCard

NAMES_MAX = 1024  # sources of which is remembered who writes them; all are forgotten beyond that


class Sharing:
    """Which cards read by the patterns of which others."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        self._readers: dict[str, list[ServiceCard]] = {}
        for card in cards:
            for owner in card.also:
                self._readers.setdefault(owner, []).append(card)
        self._known: dict[tuple[str, frozenset[str] | None], Mapping[str, str]] = {}

    def wanted(self, services: frozenset[str] | None) -> frozenset[str] | None:
        """The cards whose patterns some services read by: their own, and those that they share. None is all."""
        if services is None:
            return None
        shared = (owner for owner, readers in self._readers.items() if any(card.id in services for card in readers))
        return services.union(shared)

    def names(self, source: str, services: frozenset[str] | None) -> Mapping[str, str]:
        """For each shared card, which service's the lines of a source are that its patterns fit.

        That service whose file the source is, or whose name is in the file's. If none is, it is the shared card itself
        where that is among the services, and else the first of those that share it.
        """
        key = (source, services)
        if key not in self._known:
            if len(self._known) >= NAMES_MAX:
                self._known.clear()
            self._known[key] = {
                owner: _name(owner, [card for card in readers if services is None or card.id in services], *key)
                for owner, readers in self._readers.items()
            }
        return self._known[key]


def _name(owner: str, readers: Sequence[ServiceCard], source: str, services: frozenset[str] | None) -> str:
    for card in readers:
        if any(fnmatchcase(source, f"file:{glob}") for glob in card.reads.files):
            return card.id
    for card in readers:
        if card.id in source:
            return card.id
    return owner if services is None or owner in services or not readers else readers[0].id
