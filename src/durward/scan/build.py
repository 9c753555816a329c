"""Builds events from batches of lines, a column at a time: most of the cost of an attack is here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from types import MappingProxyType
from typing import NamedTuple

from durward.catalog.service_card import HITS_MAX
from durward.model import Event, InvalidAddressError, parse_address
from durward.model.event import TEXT_BYTES_MAX
from durward.scan.batch import Batch, Column, Found
from durward.scan.meaning import Meaning
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology

KNOWN_MAX = 65536  # values remembered of each kind; all are forgotten beyond that
PORT_MAX = 65535
ABOUT_BYTES_MAX = 255  # of a path are what an event is about, as many as a hole of that name takes
QUANTITY_MAX = 100_000  # what a line tells of more than that counts as so many
HOST = re.compile(rb"[0-9A-Za-z._-]{1,255}")
make_event = partial(tuple.__new__, Event)


class Place(NamedTuple):
    """Where a block comes from, and when it was read. `names` are the services whose lines others' patterns read."""

    source: str
    position: int
    observed_at: float
    calendar: Calendar
    names: Mapping[str, str] = MappingProxyType({})


class Addresses(dict[bytes, str | None]):
    """Canonical texts of the addresses seen; None for what is no address, or a proxy's: it asked for somebody else."""

    def __init__(self, topology: Topology) -> None:
        super().__init__()
        self._topology = topology

    def __missing__(self, written: bytes) -> str | None:
        if len(self) >= KNOWN_MAX:
            self.clear()
        try:
            found = str(parse_address(written.decode("ascii")))
        except (InvalidAddressError, UnicodeDecodeError):
            found = None
        if found is not None and self._topology.is_proxy(found):
            found = None
        self[written] = found
        return found


class Names(dict[bytes, str]):
    """Texts of the user names seen."""

    def __missing__(self, written: bytes) -> str:
        if len(self) >= KNOWN_MAX:
            self.clear()
        self[written] = found = written.decode("utf-8", "backslashreplace")
        return found


class Builder:
    """Turns batches into events."""

    def __init__(self, topology: Topology) -> None:
        self.addresses = Addresses(topology)
        self.names = Names()

    def events(self, batch: Batch[Found], place: Place) -> list[Event]:
        """The events of a batch of lines; a line whose address is none gives no event."""
        rule, texts = batch.rule, batch.lines.texts
        columns = dict(zip(rule.columns, batch.columns, strict=True))
        ips, hosts = self._sources(columns)
        ports = _ports(columns["source_port"]) if "source_port" in columns else None
        made = list(
            map(
                make_event,
                zip(
                    repeat(rule.kind),
                    self._times(columns, place),
                    repeat(place.observed_at),
                    repeat(place.names.get(rule.service, rule.service)),
                    repeat(place.source),
                    [place.position + start for start in batch.lines.starts],
                    texts if max(map(len, texts)) <= TEXT_BYTES_MAX else [text[:TEXT_BYTES_MAX] for text in texts],
                    ips or repeat(None),
                    ports or repeat(None),
                    hosts or repeat(None),
                    self._users(rule, columns),
                    self._sessions(columns, ips, ports),
                    self._hits(rule, columns, batch.repeated),
                    self._abouts(rule, columns),
                    _quantities(columns),
                    strict=False,
                ),
            )
        )
        if ips and not all(ips):
            wanted = "source_ip" in columns
            return [event for event in made if event.source_ip or (event.source_host and not wanted)]
        return made

    def _sources(self, columns: dict[str, Column]) -> tuple[list[str | None] | None, list[str | None] | None]:
        if "source_ip" in columns:
            return list(map(self.addresses.__getitem__, columns["source_ip"])), self._hosts(columns.get("source_host"))
        if "source" in columns:
            ips = list(map(self.addresses.__getitem__, columns["source"]))
            if all(ips):
                return ips, None
            return ips, [None if ip else _host(name) for ip, name in zip(ips, columns["source"], strict=True)]
        return None, self._hosts(columns.get("source_host"))

    def _hosts(self, column: Column | None) -> list[str | None] | None:
        return None if column is None else [_host(name) for name in column]

    def _times(self, columns: dict[str, Column], place: Place) -> Iterable[float]:
        if "stamp" not in columns:
            return repeat(place.observed_at)
        return place.calendar.times(columns["stamp"], place.observed_at)

    def _users(self, rule: Meaning, columns: dict[str, Column]) -> Iterable[str | None]:
        if "user_name" not in columns:
            return repeat(rule.account)
        names = map(self.names.__getitem__, columns["user_name"])
        return [name or None for name in names] if "user_name" in rule.optional else names

    def _abouts(self, rule: Meaning, columns: dict[str, Column]) -> Iterable[str | None]:
        if "about" not in columns:
            return repeat(rule.about)
        if not rule.about_ends:
            return [self.names[value] or rule.about for value in columns["about"]]
        parts = [value.partition(rule.about_ends)[0][:ABOUT_BYTES_MAX] for value in columns["about"]]
        return [self.names[part] or None for part in parts]

    def _sessions(
        self, columns: dict[str, Column], ips: list[str | None] | None, ports: Sequence[int | None] | None
    ) -> Iterable[str | None]:
        """The process id, or whatever else the line says that its connection is called, or else address and port."""
        column = columns.get("session") or columns.get("pid")
        if column is not None and all(column):
            return map(bytes.decode, column)
        pairs = zip(ips, ports, strict=True) if ips and ports else repeat((None, None))
        fallback = (f"{ip}:{port}" if ip and port else None for ip, port in pairs)
        if column is None:
            return fallback
        return [name.decode() or other for name, other in zip(column, fallback, strict=False)]

    def _hits(self, rule: Meaning, columns: dict[str, Column], repeated: list[int] | None) -> Iterable[int]:
        if "count" in columns:
            return [rule.hits * min(int(count or b"1"), HITS_MAX) for count in columns["count"]]
        return [rule.hits * times for times in repeated] if repeated else repeat(rule.hits)


def _quantities(columns: dict[str, Column]) -> Iterable[int]:
    """What a line says that it is about so many of: it has a number, or it lists them."""
    if "quantity" not in columns:
        return repeat(1)
    return [min(int(one) if one.isdigit() else len(one.split()) or 1, QUANTITY_MAX) for one in columns["quantity"]]


def _ports(column: Column) -> Sequence[int | None]:
    if all(column):
        numbers = list(map(int, column))
        if all(numbers) and max(numbers) <= PORT_MAX:
            return numbers
    return [int(port) if port and 1 <= int(port) <= PORT_MAX else None for port in column]


def _host(name: bytes) -> str | None:
    """A host name in small letters; None for what can be none, such as something that merely looks like an address."""
    last = name.rpartition(b".")[2]
    return name.decode("ascii").lower() if last and not last.isdigit() and HOST.fullmatch(name) else None
