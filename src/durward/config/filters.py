"""CSF's advanced filters: `tcp|in|d=22|s=192.0.2.4`, one direction of the traffic of one network on some ports."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal, cast

from durward.catalog.icmp_types import UnknownIcmpTypeError, icmp_type, versions_with
from durward.catalog.traffic import PortRange, parse_ports
from durward.config.intervals import networks_of
from durward.model import Direction, InvalidAddressError, Port, Scope, parse_network
from durward.model.decision import PORTS_MAX

Side = Literal["source", "destination"]
Protocol = Literal["tcp", "udp", "icmp", "icmpv6"]

IDENTITY = re.compile(r"\d{1,10}|[a-z_][a-z0-9_.-]{0,31}\$?", re.ASCII)
PORTS = re.compile(r"\*|\d+(?:[_:-]\d*)?(?:,\d*(?:[_:-]\d*)?)*", re.ASCII)
PROTOCOLS: Mapping[str, Protocol] = {
    **cast("dict[str, Protocol]", {name: name for name in ("tcp", "udp", "icmp", "icmpv6")}),
    "icmp6": "icmpv6",
    "ipv6-icmp": "icmpv6",
}
DIRECTIONS: Mapping[str, Direction] = {"in": "in", "out": "out"}
KEYS = ("s", "d", "u", "g")
EXPECTED = "a filter like tcp|in|d=22|s=192.0.2.4 was expected"
# The prefix lengths that the kernel's sets have. A filter that would need many elements there is a rule instead.
LEVELS: Mapping[int, tuple[int, ...]] = {4: (16, 24, 32), 6: (32, 48, 64, 128)}
ELEMENTS_MAX = 256  # of one entry in the kernel's sets


class InvalidFilterError(ValueError):
    """A line that is no filter; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the traffic is meant. `user` and `group` are numbers or names of who sends it, for `out` only.

    `network` is canonical text, empty where only `user` or `group` decides. `icmp` with an IPv6 network is ICMPv6.
    """

    protocol: Protocol = "tcp"
    direction: Direction = "in"
    ports: tuple[PortRange, ...] = ()
    ports_of: Side = "destination"
    icmp_type: str = ""
    network: str = ""
    network_is: Side = "source"
    user: str = ""
    group: str = ""

    @property
    def versions(self) -> tuple[Literal[4, 6], ...]:
        """The families of addresses that it is about."""
        if self.network:
            return (4,) if parse_network(self.network).version == 4 else (6,)
        if self.protocol == "icmpv6":
            return (6,)
        return versions_with(self.icmp_type) if self.icmp_type else (4, 6)

    @property
    def scope(self) -> Scope | None:
        """The same as a Scope, which the kernel's sets carry; None where it takes a rule.

        That is: source ports, ICMP, users, own addresses, very many ports, very wide networks.
        """
        known = self.protocol in ("tcp", "udp") and self.ports_of == "destination" and not (self.user or self.group)
        remote = "source" if self.direction == "in" else "destination"
        count = sum(ports.last - ports.first + 1 for ports in self.ports)
        if not known or self.network_is != remote or not 0 < count <= PORTS_MAX:
            return None
        if count * elements_of(self.network) > ELEMENTS_MAX:
            return None
        protocol: Literal["tcp", "udp"] = "udp" if self.protocol == "udp" else "tcp"
        numbers = (number for ports in self.ports for number in range(ports.first, ports.last + 1))
        return Scope(tuple(Port(number, protocol) for number in numbers), self.direction)


def elements_of(network: str) -> int:
    """How many elements a network takes in the kernel's sets."""
    if "/" not in network:
        return 1
    parsed = parse_network(network)
    level = min(level for level in LEVELS[parsed.version] if level >= parsed.prefixlen)
    return int(2 ** (level - parsed.prefixlen))


def parse_filter(text: str) -> Filter:
    """Read a filter of one network. Raises InvalidFilterError."""
    found, *more = parse_filters(text)
    if more:
        raise InvalidFilterError(f"{text!r} names an interval of addresses; one network was expected")
    return found


def parse_filters(text: str) -> tuple[Filter, ...]:
    """Read one filter; an interval of addresses gives one for each network in it. Raises InvalidFilterError.

    Protocol (tcp) and direction (in) stand first, or are left out. Where CSF silently makes no rule, for lack of a port
    or an address, this refuses the line.
    """
    parts = [part.strip() for part in text.lower().split("|" if "|" in text else ":")]
    protocol = PROTOCOLS.get(parts[0])
    parts = parts[1:] if protocol else parts
    direction = DIRECTIONS.get(parts[0]) if parts else None
    reading = _Reading(Filter(protocol or "tcp", direction or "in"))
    for part in parts[1:] if direction else parts:
        reading.take(part)
    return reading.complete(text)


@dataclass(slots=True)
class _Reading:
    """A filter while its parts are read."""

    found: Filter
    networks: tuple[str, ...] = field(default=())

    def take(self, part: str) -> None:
        name, equals, value = part.partition("=")
        name, value = name.strip(), value.strip()
        if not part:
            return
        if not equals or not value or name not in KEYS:
            raise InvalidFilterError(_unknown(part))
        if name in ("u", "g"):
            self.take_identity(name, value)
            return
        side: Side = "source" if name == "s" else "destination"
        if value.startswith("!"):
            raise InvalidFilterError(f"{value!r} says what is not meant; only what is meant can be said")
        if _is_address(value):
            self.take_networks(side, value)
        elif self.found.protocol in ("icmp", "icmpv6"):
            self.take_icmp_type(value)
        else:
            self.take_ports(side, value)

    def take_identity(self, name: str, value: str) -> None:
        if not IDENTITY.fullmatch(value):
            raise InvalidFilterError(f"{value!r} is no user or group; its number or name was expected")
        if self.found.user if name == "u" else self.found.group:
            raise InvalidFilterError(f"{value!r} is a second {'user' if name == 'u' else 'group'}; one was expected")
        self.found = replace(self.found, user=value) if name == "u" else replace(self.found, group=value)

    def take_networks(self, side: Side, value: str) -> None:
        if self.networks:
            raise InvalidFilterError(f"{value!r} is a second address; {EXPECTED}")
        try:
            self.networks = networks_of(value)
        except InvalidAddressError as error:
            raise InvalidFilterError(str(error)) from None
        self.found = replace(self.found, network_is=side)

    def take_icmp_type(self, value: str) -> None:
        if self.found.icmp_type:
            raise InvalidFilterError(f"{value!r} is a second type of ICMP; one was expected")
        self.found = replace(self.found, icmp_type=value)

    def take_ports(self, side: Side, value: str) -> None:
        if self.found.ports:
            raise InvalidFilterError(f"{value!r} is a second list of ports; an address was expected")
        self.found = replace(self.found, ports=_ports(value), ports_of=side)

    def complete(self, text: str) -> tuple[Filter, ...]:
        """What was read, for each network; who sends is known only of what goes out, as CSF takes it too."""
        named = bool(self.found.user or self.found.group)
        if not named:
            _check_whole(self.found, self.networks, text)
        found = replace(self.found, direction="out") if named else self.found
        filters = tuple(replace(found, network=network) for network in self.networks or ("",))
        for one in filters:
            _check_icmp(one)
        return filters


def _unknown(part: str) -> str:
    name, equals, _ = part.partition("=")
    if part in PROTOCOLS:
        return f"{part!r} is a second protocol, or not the first part; {EXPECTED}"
    if part in DIRECTIONS:
        return f"{part!r} is a second direction, or not behind the protocol; {EXPECTED}"
    near = get_close_matches(part, (*PROTOCOLS, *DIRECTIONS), n=1)
    if equals and name not in KEYS:
        return f"{part!r} is no part of a filter; s=, d=, u= or g= was expected"
    return f"{part!r} is no part of a filter; {f'did you mean {near[0]}?' if near and not equals else EXPECTED}"


def _is_address(value: str) -> bool:
    """Whether it is meant as an address, a network or an interval, be it a wrong one; otherwise ports or a type."""
    if PORTS.fullmatch(value):
        return False
    return "." in value or value.count(":") > 1


def _ports(value: str) -> tuple[PortRange, ...]:
    try:
        return parse_ports(re.sub(r"[_-]", ":", value))
    except ValueError:
        raise InvalidFilterError(f"{value!r} are no ports; ports like 22,80,30000_35000 were expected") from None


def _check_whole(found: Filter, networks: Sequence[str], text: str) -> None:
    what = "a port" if found.protocol in ("tcp", "udp") else "a type (d=ping, d=any)"
    given = ((what, found.ports or found.icmp_type), ("an address", networks))
    missing = [name for name, there in given if not there]
    if missing:
        hint = "" if "|" in text else "; an IPv6 address needs | between the parts" if "::" in text else ""
        raise InvalidFilterError(f"the filter has not {' and '.join(missing)}; {EXPECTED}{hint}")


def _check_icmp(found: Filter) -> None:
    if found.protocol not in ("icmp", "icmpv6"):
        return
    if found.protocol == "icmpv6" and found.versions != (6,):
        raise InvalidFilterError(f"icmpv6 is of IPv6, and {found.network} is of IPv4")
    try:
        if found.icmp_type and not (found.network or found.versions):
            icmp_type(found.icmp_type, 4)
        for version in found.versions if found.icmp_type else ():
            icmp_type(found.icmp_type, version)
    except UnknownIcmpTypeError as error:
        raise InvalidFilterError(str(error)) from None
