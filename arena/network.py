"""The door and the street: two network namespaces joined by a cable, and on request a yard behind the door."""

import itertools
import os
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from arena.errors import require_programs
from arena.namespace import (
    add_namespace,
    configure,
    entering,
    remove_namespace,
    remove_stale_namespaces,
    write_sysctl,
)
from arena.processes import Processes, run

DOOR_IPV4, DOOR_IPV6 = "192.0.2.1", "2001:db8:1::1"
ROUTER_IPV4, ROUTER_IPV6 = "192.0.2.2", "2001:db8:1::2"  # the street's own: the door's gateway
FRIEND_IPV4, FRIEND_IPV6 = "192.0.2.10", "2001:db8:1::10"  # for an administrator who must never be cut off
STRANGERS = ("203.0.113.9", "198.51.100.7", "2001:db8:2::9", "2001:db8:2::a", "2001:db8:3::7")
YARD_DOOR_IPV4, YARD_DOOR_IPV6 = "198.51.100.129", "2001:db8:9::1"  # the door's side of the yard
YARD_IPV4, YARD_IPV6 = "198.51.100.130", "2001:db8:9::2"  # a machine behind the door: traffic to it is forwarded

CABLE_NETWORKS = (ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/64"))
PREFIXES = ("durward-door", "durward-street", "durward-yard")

_numbers = itertools.count(1)


class End(NamedTuple):
    """One end of a cable: a link in a namespace, and its addresses."""

    namespace: str
    link: str
    ipv4: str
    ipv6: str


class Network:
    """Two or three network namespaces that are there while the context is. The host's own network stays untouched.

    `door`, `street` and `yard` (None unless asked for) are names that `ip netns` knows. The street is the whole
    internet: the door's default route leads there, and `add_address` gives it any further address.
    """

    def __init__(self, *, yard: bool = False) -> None:
        number = f"{os.getpid()}-{next(_numbers)}"
        self.door, self.street = f"durward-door-{number}", f"durward-street-{number}"
        self.yard = f"durward-yard-{number}" if yard else None
        self._addresses = {ROUTER_IPV4, ROUTER_IPV6}  # those that the cable brings along
        self._processes = Processes()

    def __enter__(self) -> Self:
        require_programs(["ip", "nsenter"])
        remove_stale_namespaces(PREFIXES)
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs in the namespaces and remove them."""
        self._processes.stop()
        for name in self._names():
            remove_namespace(name)

    def run_in(self, namespace: str, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program inside a namespace to its end; options as for `processes.run` (timeout_seconds, check …)."""
        return run(entering(namespace, argv), **options)

    def popen_in(self, namespace: str, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program inside a namespace; options as for Popen. It is ended with the network at the latest."""
        return self._processes.start(entering(namespace, argv), **options)

    def add_address(self, address: str) -> None:
        """Give the street one more address; one that it has already is no error."""
        if address in self._addresses:
            return
        canonical = ip_address(address)
        on_cable = any(canonical in network for network in CABLE_NETWORKS)
        # Addresses from elsewhere sit on the loopback: the street then asks for the door's link address in its own
        # name, as a router does, and blocking a stranger does not spoil the neighbour table for everybody else.
        place, prefix = ("eth0", 24 if canonical.version == 4 else 64) if on_cable else ("lo", canonical.max_prefixlen)
        configure(self.street, [_address_line(f"{canonical}/{prefix}", place)])
        self._addresses.add(address)

    def _names(self) -> list[str]:
        return [name for name in (self.door, self.street, self.yard) if name is not None]

    def _build(self) -> None:
        for name in self._names():
            add_namespace(name)
            write_sysctl(name, {"ipv6/conf/all/accept_dad": 0, "ipv6/conf/default/accept_dad": 0})
        _join(End(self.door, "eth0", DOOR_IPV4, DOOR_IPV6), End(self.street, "eth0", ROUTER_IPV4, ROUTER_IPV6))
        configure(self.door, _default_routes(ROUTER_IPV4, ROUTER_IPV6))
        write_sysctl(self.street, {"ipv4/conf/all/arp_announce": 2})  # ask in the name of an address on the cable
        if self.yard is not None:
            self._build_yard(self.yard)
        for address in (FRIEND_IPV4, FRIEND_IPV6, *STRANGERS):
            self.add_address(address)

    def _build_yard(self, yard: str) -> None:
        write_sysctl(self.door, {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
        near, far = End(self.door, "yard0", YARD_DOOR_IPV4, YARD_DOOR_IPV6), End(yard, "eth0", YARD_IPV4, YARD_IPV6)
        _join(near, far, prefix=25)
        configure(yard, _default_routes(YARD_DOOR_IPV4, YARD_DOOR_IPV6))
        configure(
            self.street,
            [f"route add 198.51.100.128/25 via {DOOR_IPV4}", f"route add 2001:db8:9::/64 via {DOOR_IPV6}"],
        )


def _join(one: End, other: End, *, prefix: int = 24) -> None:
    """Lay a cable between two namespaces. Both ends are born inside, so nothing ever shows up on the host."""
    configure(one.namespace, [f"link add {one.link} type veth peer name {other.link} netns {other.namespace}"])
    for end in (one, other):
        addresses = [_address_line(f"{end.ipv4}/{prefix}", end.link), _address_line(f"{end.ipv6}/64", end.link)]
        configure(end.namespace, [*addresses, f"link set {end.link} up"])


def _address_line(address: str, link: str) -> str:
    # Without `nodad` an IPv6 address could not be used for its first second or two.
    return f"address add {address} dev {link}" + (" nodad" if ":" in address else "")


def _default_routes(ipv4: str, ipv6: str) -> list[str]:
    return [f"route add default via {ipv4}", f"route add default via {ipv6}"]
