"""How settings write traffic: port lists, rates, port floods and connection limits, in our spelling and in CSF's."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from durward.model import FOREVER, InvalidDurationError, Port, parse_duration

Per = Literal["source", "port", "total"]

ITEMS_MAX = 1000  # a longer list is refused
NUMBER_MAX = 1_000_000_000  # hits, bursts and connections above it are refused; nftables counts with 32 bits
PORT_MAX = 65535
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
RATE = re.compile(
    r"(?P<count>\d{1,10})/(?P<unit>[smh])(?:ec|econd|in|inute|our)?"
    r"(?:\s+burst\s+(?P<burst>\d{1,10}))?(?:\s+(?:per\s+(?P<per>source|port)|(?P<total>total)))?",
    re.ASCII,
)
PORT_FLOOD = re.compile(
    r"(?P<port>\d{1,5})/(?P<protocol>tcp|udp)\s+(?P<hits>\d{1,10})/(?P<within>\d{1,10}[smhd])", re.ASCII
)
CSF_PORT_FLOOD = re.compile(
    r"(?P<port>\d{1,5});(?P<protocol>tcp|udp);(?P<hits>\d{1,10});(?P<within>\d{1,10})", re.ASCII
)
CONNECTION_LIMIT = re.compile(r"(?P<port>\d{1,5})(?:\s+|;)(?P<connections>\d{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last <= PORT_MAX:
            raise ValueError(f"{self} is no port or range; 1 to {PORT_MAX}, the smaller first, was expected")

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` packets each `seconds`, `burst` of them at once, counted per source address, per port or in total."""

    count: int
    seconds: int
    burst: int
    per: Per = "source"

    def __str__(self) -> str:
        unit = next(unit for unit, seconds in UNIT_SECONDS.items() if seconds == self.seconds)
        return f"{self.count}/{unit} burst {self.burst} {'total' if self.per == 'total' else 'per ' + self.per}"


@dataclass(frozen=True, slots=True)
class PortFlood:
    """A source that opens more than `hits` connections to `port` within `within_seconds` has to wait."""

    port: Port
    hits: int
    within_seconds: float


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """A source may have `connections` open at once to one TCP port."""

    port: Port
    connections: int


def parse_ports(value: object) -> tuple[PortRange, ...]:
    """Read `22,80,30000:35000` or a list of those; sorted, and ranges that touch are one. Raises ValueError.

    `*` is every port, and so is `0:65535`, as many write it: no packet that matters has port 0.
    """
    ranges = sorted(_port_range(item) for item in _items(value, 'ports like "22,80,443,30000:35000"'))
    merged: list[PortRange] = []
    for ports in ranges:
        if merged and ports.first <= merged[-1].last + 1:
            merged[-1] = PortRange(merged[-1].first, max(merged[-1].last, ports.last))
        else:
            merged.append(ports)
    return tuple(merged)


def parse_rate(value: object) -> Rate | None:
    """Read `100/s burst 150 per source`; None for `off`. Without a burst it is the count. Raises ValueError."""
    wanted = '"off" or a rate like "100/s", "5/m burst 10", "1/s per source", "10/h total" was expected'
    if value == "off":
        return None
    found = RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError(wanted)
    count = _positive(found["count"], wanted)
    burst = _positive(found["burst"], wanted) if found["burst"] else count
    per: Per = "total" if found["total"] else "port" if found["per"] == "port" else "source"
    return Rate(count, UNIT_SECONDS[found["unit"]], burst, per)


def parse_port_floods(value: object) -> tuple[PortFlood, ...]:
    """Read a list of `22/tcp 5/300s`, or CSF's `22;tcp;5;300,80;tcp;20;5`. Raises ValueError."""
    wanted = 'floods like ["22/tcp 5/300s"] or "22;tcp;5;300"'
    floods = []
    for item in _items(value, wanted):
        found = PORT_FLOOD.fullmatch(item)
        old = CSF_PORT_FLOOD.fullmatch(item)
        if not (match := found or old):
            raise ValueError(f"{wanted} was expected, not {item!r}")
        port = Port(int(match["port"]), "udp" if match["protocol"] == "udp" else "tcp")
        within_seconds = _seconds(match["within"] + ("s" if old else ""), wanted)
        floods.append(PortFlood(port, _positive(match["hits"], f"{wanted} was expected"), within_seconds))
    return tuple(floods)


def parse_connection_limits(value: object) -> tuple[ConnectionLimit, ...]:
    """Read a list of `22 5`, or CSF's `22;5,80;20`. Raises ValueError."""
    wanted = 'limits like ["22 5", "80 20"] or "22;5,80;20"'
    limits = []
    for item in _items(value, wanted):
        if not (found := CONNECTION_LIMIT.fullmatch(item)):
            raise ValueError(f"{wanted} was expected, not {item!r}")
        connections = _positive(found["connections"], f"{wanted} was expected")
        limits.append(ConnectionLimit(Port(int(found["port"])), connections))
    return tuple(limits)


def _items(value: object, wanted: str) -> Iterable[str]:
    if isinstance(value, str):
        value = value.split(",")
    elif isinstance(value, int) and not isinstance(value, bool):
        value = [str(value)]
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise ValueError(f"{wanted} were expected, {ITEMS_MAX} at most")
    if any(isinstance(item, bool) or not isinstance(item, int | str) for item in value):
        raise ValueError(f"{wanted} were expected")
    texts = [str(item).strip() for item in value]
    return [text for text in texts if text]


def _port_range(text: str) -> PortRange:
    if text == "*":
        return PortRange(1, PORT_MAX)
    first, colon, last = text.partition(":")
    numbers = [first.strip(), last.strip()] if colon else [first]
    if not all(number.isascii() and number.isdigit() and len(number) <= 5 for number in numbers):
        raise ValueError(f'{text!r} is no port; ports like "22,80,443,30000:35000" were expected')
    return PortRange(max(int(numbers[0]), 1) if colon else int(first), int(numbers[-1]))


def _positive(digits: str, wanted: str) -> int:
    if not 1 <= int(digits) <= NUMBER_MAX:
        raise ValueError(f"{wanted}, with numbers from 1 to {NUMBER_MAX}")
    return int(digits)


def _seconds(text: str, wanted: str) -> float:
    try:
        seconds = parse_duration(text)
    except InvalidDurationError as error:
        raise ValueError(str(error)) from None
    if not 0 < seconds < FOREVER:
        raise ValueError(f"{wanted} was expected, with a time above 0")
    return seconds
