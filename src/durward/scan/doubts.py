"""Doubts: lines that can be read in two ways which find different sources. Nobody is blamed for them; they are counted.

Somebody may be trying to have another blocked, or a card may have a pattern that cannot tell where the address stands.
Either is worth knowing.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

SOURCES_MAX = 1024  # of which doubts are remembered; those of the one that came first are forgotten beyond that
SAMPLE_BYTES_MAX = 512  # of a line are kept


class Doubt(NamedTuple):
    """How many lines of a source were doubtful, and the start of the last one."""

    lines: int
    sample: bytes


class Doubts:
    """What was doubtful in each source."""

    def __init__(self) -> None:
        self._by_source: dict[str, Doubt] = {}

    def add(self, source: str, lines: Iterable[bytes]) -> None:
        """Remember doubtful lines of a source."""
        for line in lines:
            known = self._by_source.get(source)
            if known is None and len(self._by_source) >= SOURCES_MAX:
                del self._by_source[next(iter(self._by_source))]
            self._by_source[source] = Doubt(known.lines + 1 if known else 1, line[:SAMPLE_BYTES_MAX])

    def __iter__(self) -> Iterator[tuple[str, Doubt]]:
        return iter(self._by_source.items())
