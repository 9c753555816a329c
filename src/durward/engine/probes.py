"""What each source has probed: different ports, each once, in one small integer for who has tried only one.

A record is 60 bits, so that it takes no more room than an address: 23 of time, 3 of how, 2 of protocol, 32 of ports.
Times are whole seconds and go round after 97 days; no window is that long.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

SOURCES_MAX = 1_000_000  # beyond it those that were first seen longest ago are forgotten, a tenth at a time
TIME_BITS = 23
TIMES = 1 << TIME_BITS
HALF = TIMES >> 1
IDENTITY = 0x3_0000_FFFF  # what makes two probes the same: protocol and port
TCP, UDP, OTHER, BARE = range(4)  # of BARE, without ports, the port is the number of the protocol
SYN, ACK, FIN, NULL, XMAS, ODD, UNKNOWN = range(7)
HOW = ("SYN", "ACK", "FIN", "NULL", "XMAS", "impossible flags", "")
WRONG = frozenset({FIN, NULL, XMAS})  # what no honest host sends
NUMBERS = {6: TCP, 17: UDP, 132: OTHER, 136: OTHER, 33: OTHER}
WITH_PORTS = {TCP: "TCP", UDP: "UDP", OTHER: "SCTP"}
NAMES = {1: "ICMP", 2: "IGMP", 4: "IP in IP", 41: "IPv6", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 89: "OSPF"}


def _how(flags: int) -> int:
    fin, syn, rst, psh, ack, urg = (bool(flags >> bit & 1) for bit in range(6))
    if flags & 0x3F == 0:
        return NULL
    if fin and not ack and not rst:
        return XMAS if psh or urg or syn else FIN
    if syn and not (fin or rst or ack):
        return SYN
    return ACK if ack and not (syn or rst) else ODD


HOW_OF_FLAGS = bytes(_how(flags) for flags in range(256))


def record_of(seconds: int, how: int, protocol: int, source_port: int, port: int) -> int:
    """One probe in one integer. `seconds` is epoch time."""
    return (seconds & TIMES - 1) << 37 | how << 34 | protocol << 32 | source_port << 16 | port


def how_of(record: int) -> int:
    """SYN, ACK and so on."""
    return record >> 34 & 7


def seconds_of(record: int, now: float) -> float:
    """When a probe was, in epoch seconds, as told at `now`."""
    return int(now) - age_of(record, int(now))


def age_of(record: int, now: int) -> int:
    """How many seconds before `now` a probe was. A clock that was set back makes nothing old."""
    age = now - (record >> 37) & TIMES - 1
    return 0 if age >= HALF else age


def text_of(record: int, source: str = "") -> str:
    """A probe in words: `TCP SYN to port 23, from port 40022`."""
    protocol, port, source_port = record >> 32 & 3, record & 0xFFFF, record >> 16 & 0xFFFF
    by = f" of {source}" if source else ""
    if protocol == BARE:
        return f"{NAMES.get(port, f'IP protocol {port}')}{by}"
    how = HOW[how_of(record)] if protocol == TCP else ""
    words = f"{WITH_PORTS[protocol]} {how}".rstrip()
    return f"{words}{by} to port {port}" + (f", from port {source_port}" if source_port else "")


class Probes:
    """The probes of each source, by a number that stands for it, of different ports within a span of seconds."""

    def __init__(self, within_seconds: float, keep: int, sources_max: int = SOURCES_MAX) -> None:
        self._span = int(within_seconds)
        self._keep = keep
        self._sources_max = sources_max
        self._records: dict[int, int | list[int]] = {}

    def add(self, source: int, record: int, now: int) -> int:
        """Note a probe of `source`; give how many different ones it has now, or 0 for one that was known."""
        mine = self._records.get(source)
        if mine is None:
            if len(self._records) >= self._sources_max:
                self._make_room(now)
            self._records[source] = record
            return 1
        if isinstance(mine, int):
            if not (mine ^ record) & IDENTITY:
                self._records[source] = record
                return 0
            if age_of(mine, now) > self._span:
                self._records[source] = record
                return 1
            self._records[source] = [mine, record]
            return 2
        return self._add_to(mine, record, now)

    def _add_to(self, mine: list[int], record: int, now: int) -> int:
        """The newest one is the last, so the first tells whether any is too old."""
        wanted = record & IDENTITY
        for one in mine:
            if one & IDENTITY == wanted:
                mine.remove(one)
                mine.append(record)
                return 0
        mine.append(record)
        age = now - (mine[0] >> 37) & TIMES - 1
        if self._span < age < HALF:
            mine[:] = [one for one in mine if age_of(one, now) <= self._span]
        if len(mine) > self._keep:
            del mine[0]
        return len(mine)

    def of(self, source: int, now: int) -> list[int]:
        """The probes of `source` within the span, oldest first."""
        mine = self._records.get(source, [])
        records = [mine] if isinstance(mine, int) else mine
        within = [one for one in records if age_of(one, now) <= self._span]
        return sorted(within, key=lambda one: -age_of(one, now))

    def known(self, source: int) -> int:
        """How many different probes of `source` are remembered, however old."""
        mine = self._records.get(source, ())
        return 1 if isinstance(mine, int) else len(mine)

    def forget(self, sources: Iterable[int]) -> None:
        """Begin again at nothing for these."""
        for source in sources:
            self._records.pop(source, None)

    def forget_where(self, first: int, last: int) -> None:
        """Begin again at nothing for every source numbered from `first` to `last`."""
        if last - first < len(self._records):
            self.forget(range(first, last + 1))
        else:
            self.forget([source for source in self._records if first <= source <= last])

    def expire(self, now: int) -> None:
        """Let go of every source whose probes are all too old to matter."""
        gone = [source for source, mine in self._records.items() if all(self._old(mine, now))]
        self.forget(gone)

    def __len__(self) -> int:
        return len(self._records)

    def _old(self, mine: int | list[int], now: int) -> Iterator[bool]:
        for one in [mine] if isinstance(mine, int) else mine:
            yield age_of(one, now) > self._span

    def _make_room(self, now: int) -> None:
        self.expire(now)
        if len(self._records) >= self._sources_max:
            self.forget(list(islice(self._records, self._sources_max // 10 + 1)))
