"""CSF's advanced filters: `tcp|in|d=22|s=192.0.2.4`, one direction of the traffic of one network on some ports."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_network
from typing import Literal

from durward.catalog.traffic import PortRange, parse_ports
from durward.model import Direction, InvalidAddressError, Port, Scope, parse_address
from durward.model.address import MAPPED_BITS, text_of
from durward.model.decision import PORTS_MAX

Side = Literal["source", "destination"]
Protocol = Literal["tcp", "udp", "icmp"]

IDENTITY = re.compile(r"\d{1,10}|[a-z_][a-z0-9_-]{0,31}", re.ASCII)
ICMP_TYPE = re.compile(r"\d{1,3}(?:/\d{1,3})?|[a-z][a-z-]{0,40}", re.ASCII)
PROTOCOLS: Mapping[str, Protocol] = {"tcp": "tcp", "udp": "udp", "icmp": "icmp"}
DIRECTIONS: Mapping[str, Direction] = {"in": "in", "out": "out"}
EXPECTED = "a filter like tcp|in|d=22|s=192.0.2.4 was expected"


class InvalidFilterError(ValueError):
    """A line that is no filter; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the traffic is meant. `user` and `group` are numbers or names of who sends it, for `out` only.

    `network` is canonical text, empty where only `user` or `group` decides.
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
    def scope(self) -> Scope | None:
        """The same as a Scope; None where that cannot say it: source ports, ICMP, users, very many ports."""
        known = self.protocol != "icmp" and self.ports_of == "destination" and not (self.user or self.group)
        remote = "source" if self.direction == "in" else "destination"
        count = sum(ports.last - ports.first + 1 for ports in self.ports)
        if not known or self.network_is != remote or count > PORTS_MAX:
            return None
        protocol: Literal["tcp", "udp"] = "udp" if self.protocol == "udp" else "tcp"
        numbers = (number for ports in self.ports for number in range(ports.first, ports.last + 1))
        return Scope(tuple(Port(number, protocol) for number in numbers), self.direction)


def parse_filter(text: str) -> Filter:
    """Read one filter. Raises InvalidFilterError.

    Protocol (tcp) and direction (in) stand first, or are left out. Where CSF silently makes no rule, for lack of a port
    or an address, this refuses the line.
    """
    parts = [part.strip() for part in text.lower().split("|" if "|" in text else ":")]
    protocol = PROTOCOLS.get(parts[0])
    parts = parts[1:] if protocol else parts
    direction = DIRECTIONS.get(parts[0]) if parts else None
    found = Filter(protocol or "tcp", direction or "in")
    for part in parts[1:] if direction else parts:
        found = _with_part(found, part)
    return _complete(found, text)


def network_of(text: str) -> str:
    """The canonical text of an address or network. Bits behind the prefix are masked. Raises InvalidAddressError."""
    base, slash, length = text.partition("/")
    address = parse_address(base)
    if not slash:
        return str(address)
    bits = int(length) if length.isascii() and length.isdigit() and len(length) <= 3 else -1
    if ":" in base and isinstance(address, IPv4Address):
        bits -= MAPPED_BITS
    if not 0 <= bits <= address.max_prefixlen:
        raise InvalidAddressError(f"{text!r} has no prefix length; /0 to /{address.max_prefixlen} was expected")
    return text_of(ip_network((address, bits), strict=False))


def _with_part(found: Filter, part: str) -> Filter:
    name, equals, value = part.partition("=")
    value = value.strip()
    if not part:
        return found
    if not equals or not value or name not in ("s", "d", "u", "g"):
        raise InvalidFilterError(f"{part!r} is no part of a filter; {EXPECTED}")
    if name in ("u", "g"):
        return _with_identity(found, name, value)
    side: Side = "source" if name == "s" else "destination"
    if found.ports or found.icmp_type or _is_address(value):
        return _with_network(found, side, value)
    if found.protocol == "icmp":
        return _with_icmp_type(found, value)
    return replace(found, ports=_ports(value), ports_of=side)


def _with_identity(found: Filter, name: str, value: str) -> Filter:
    if not IDENTITY.fullmatch(value):
        raise InvalidFilterError(f"{value!r} is no user or group; its number or name was expected")
    return replace(found, user=value) if name == "u" else replace(found, group=value)


def _with_network(found: Filter, side: Side, value: str) -> Filter:
    if found.network:
        raise InvalidFilterError(f"{value!r} is a second address; {EXPECTED}")
    try:
        return replace(found, network=network_of(value), network_is=side)
    except InvalidAddressError as error:
        raise InvalidFilterError(str(error)) from None


def _with_icmp_type(found: Filter, value: str) -> Filter:
    if not ICMP_TYPE.fullmatch(value):
        raise InvalidFilterError(f"{value!r} is no ICMP type; its number or name, like ping, was expected")
    return replace(found, icmp_type=value)


def _is_address(value: str) -> bool:
    return "." in value or "/" in value or value.count(":") > 1


def _ports(value: str) -> tuple[PortRange, ...]:
    try:
        return parse_ports(value.replace("_", ":"))
    except ValueError:
        raise InvalidFilterError(f"{value!r} are no ports; ports like 22,80,30000_35000 were expected") from None


def _complete(found: Filter, text: str) -> Filter:
    if found.user or found.group:
        return replace(found, direction="out")
    missing: Sequence[str] = [
        name for name, there in (("a port", found.ports or found.icmp_type), ("an address", found.network)) if not there
    ]
    if missing:
        hint = "" if "|" in text else "; an IPv6 address needs | between the parts" if "::" in text else ""
        raise InvalidFilterError(f"the filter has not {' and '.join(missing)}; {EXPECTED}{hint}")
    return found
