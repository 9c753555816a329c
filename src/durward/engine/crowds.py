"""Scans that several sources share: neighbours of one network, or strangers whose packets are of the same make.

Both keep only the latest probes, each a source and a record of engine/probes.py, and both are bounded.
"""

from collections import deque
from itertools import islice

from durward.engine.probes import IDENTITY, age_of

CROWDS_MAX = 8192  # networks, or makes of packets, that are watched; beyond it the first ones are forgotten, a tenth
MEMBERS_MAX = 128  # probes of each

Probe = tuple[int, int]  # a source and a record


class Crowd:
    """The probes of one network or make, and of how many different ports and sources they are."""

    __slots__ = ("_ports", "_sources", "probes")

    def __init__(self) -> None:
        self.probes: deque[Probe] = deque()
        self._ports: dict[int, int] = {}
        self._sources: dict[int, int] = {}

    def add(self, source: int, record: int, now: int, span: int) -> None:
        """Note a probe, and let go of those older than `span` seconds."""
        probes, ports, sources, port = self.probes, self._ports, self._sources, record & IDENTITY
        probes.append((source, record))
        ports[port] = ports.get(port, 0) + 1
        sources[source] = sources.get(source, 0) + 1
        while probes and (len(probes) > MEMBERS_MAX or age_of(probes[0][1], now) > span):
            old_source, old = probes.popleft()
            _less(self._ports, old & IDENTITY)
            _less(self._sources, old_source)

    def leave(self, source: int) -> None:
        """Forget what `source` did: it is dealt with by itself."""
        if source not in self._sources:
            return
        for one, record in self.probes:
            if one == source:
                _less(self._ports, record & IDENTITY)
        del self._sources[source]
        self.probes = deque(pair for pair in self.probes if pair[0] != source)

    @property
    def ports(self) -> int:
        """How many different ports were probed."""
        return len(self._ports)

    @property
    def sources(self) -> int:
        """By how many sources."""
        return len(self._sources)

    @property
    def shared(self) -> float:
        """How much of the work was done once only: 1 where no port was probed by two."""
        return len(self._ports) / len(self.probes) if self.probes else 0.0

    def members(self) -> dict[int, list[int]]:
        """The probes of each source."""
        found: dict[int, list[int]] = {}
        for source, record in self.probes:
            found.setdefault(source, []).append(record)
        return found


class Crowds:
    """Crowds by what their members have in common."""

    def __init__(self, span_seconds: float, crowds_max: int = CROWDS_MAX) -> None:
        self._span = int(span_seconds)
        self._crowds_max = crowds_max
        self._crowds: dict[int, Crowd | Probe] = {}  # of most there is only one

    def add(self, key: int, source: int, record: int, now: int) -> Crowd | None:
        """Note a probe; give the crowd that it belongs to, if it is not alone."""
        known = self._crowds.get(key)
        if known is None:
            if len(self._crowds) >= self._crowds_max:
                for first in list(islice(self._crowds, self._crowds_max // 10 + 1)):
                    del self._crowds[first]
            self._crowds[key] = (source, record)
            return None
        if isinstance(known, tuple):
            crowd = self._crowds[key] = Crowd()
            crowd.add(*known, now, self._span)
        else:
            crowd = known
        crowd.add(source, record, now, self._span)
        return crowd

    def leave(self, key: int, source: int) -> None:
        """Forget what `source` did in one crowd."""
        crowd = self._crowds.get(key)
        if isinstance(crowd, Crowd):
            crowd.leave(source)
        elif crowd is not None and crowd[0] == source:
            del self._crowds[key]

    def forget(self, key: int) -> None:
        """Begin again at nothing."""
        self._crowds.pop(key, None)

    def __len__(self) -> int:
        return len(self._crowds)


def _less(counts: dict[int, int], key: int) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
