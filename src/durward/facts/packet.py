"""One packet that is asked about, and by which ways of this host it would come and go."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Literal

from durward.facts.asking import answer_of
from durward.facts.failure import FactsError
from durward.facts.interfaces import NetworkInterface
from durward.model import Address, Direction

Protocol = Literal["tcp", "udp", "icmp"]

LOOPBACK = "lo"
ICMP_NUMBERS = {4: 1, 6: 58}
ROUTES_MAX = 4096  # that are remembered; beyond, the oldest is asked for again
STAND_INS = {4: ip_address("192.0.2.1"), 6: ip_address("2001:db8::1")}  # where the host has no address of a family
STAND_IN_INTERFACE = "public"


@dataclass(frozen=True, slots=True)
class Packet:
    """`interface` is where it comes in or goes out; `onward` where it leaves again if it is not for this host.

    A ping has no port: `port` is 0 then.
    """

    source: Address
    destination: Address
    protocol: Protocol
    port: int
    direction: Direction
    interface: str
    onward: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """How this host would talk to an address: by an interface, and with which address of its own."""

    interface: str
    own: Address | None


def route_to(address: Address) -> Route | None:
    """The kernel's route to an address; None where there is none."""
    try:
        (found,) = json.loads(answer_of("ip", "-j", f"-{address.version}", "route", "get", str(address)))
        own = found.get("prefsrc")
        return Route(str(found["dev"]), ip_address(own) if own else None)
    except (FactsError, ValueError, LookupError, TypeError, AttributeError):
        return None


class Ways:
    """By which interface packets come to this host and leave it, and with which addresses of its own."""

    def __init__(
        self, interfaces: Sequence[NetworkInterface], route: Callable[[Address], Route | None] = route_to
    ) -> None:
        self._interfaces = interfaces
        self._route = lru_cache(ROUTES_MAX)(route)
        self._own = {own.address for interface in interfaces for own in interface.addresses}

    def has(self, version: int) -> bool:
        """Whether this host has an address of the family that others can reach."""
        return any(self._addresses(version))

    def arriving(self, source: Address, destination: Address | None, protocol: Protocol, port: int) -> Packet:
        """A packet from outside; without a destination it is for the address that this host would answer with."""
        route = self._route_or_first(source)
        destination = destination or route.own or STAND_INS[source.version]
        if source in self._own:
            return Packet(source, destination, protocol, port, "out", route.interface)
        onward = "" if self.is_own(destination) else self._route_or_first(destination).interface
        return Packet(source, destination, protocol, port, "in", route.interface, onward)

    def leaving(self, source: Address | None, destination: Address, protocol: Protocol, port: int) -> Packet:
        """A packet of a process of this host."""
        route = self._route_or_first(destination)
        source = source or route.own or STAND_INS[destination.version]
        return Packet(source, destination, protocol, port, "out", route.interface)

    def is_own(self, address: Address) -> bool:
        """Whether this host has the address."""
        return address in self._own or address == STAND_INS[address.version]

    def _route_or_first(self, address: Address) -> Route:
        route = self._route(address)
        if route is not None and route.own is not None:
            return route
        own, names = self._addresses(address.version), [one.name for one in self._interfaces if one.name != LOOPBACK]
        first = Route(*own[0]) if own else Route((names or [STAND_IN_INTERFACE])[0], None)
        return first if route is None else Route(route.interface, first.own)

    def _addresses(self, version: int) -> list[tuple[str, Address]]:
        return [
            (interface.name, own.address)
            for interface in self._interfaces
            for own in interface.addresses
            if own.address.version == version and not own.address.is_link_local and interface.name != LOOPBACK
        ]
