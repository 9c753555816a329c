"""What a block would cut this host off from: its own addresses, gateways, name servers and administrators."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from pathlib import Path

from durward.model import Address, InvalidAddressError, Network, parse_address
from durward.privileged.connections import peers_of
from durward.privileged.failure import KernelError
from durward.privileged.logins import SESSIONS_PATH, UTMP_PATH, Login, logins
from durward.privileged.netlink import ROUTE, Netlink, attributes, each_attribute

RESOLVER_PATHS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
RESOLVER_BYTES_MAX = 64 * 1024  # of one file; the rest is not read
NEW_ADDRESS, GET_ADDRESS, NEW_ROUTE, GET_ROUTE = 20, 22, 24, 26
ADDRESS_HEAD, ROUTE_HEAD, NEXT_HOP = struct.Struct("=BBBBI"), struct.Struct("=BBBBBBBBI"), struct.Struct("=HBBi")
INTERFACE_ADDRESS, INTERFACE_LOCAL = 1, 2
ROUTE_GATEWAY, ROUTE_MULTIPATH, ROUTE_VIA = 5, 9, 18
UNICAST = 1

Protected = tuple[Network, str]  # a network, and what it is in plain words


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the facts are; the paths are for tests."""

    resolver_paths: tuple[Path, ...] = RESOLVER_PATHS
    utmp_path: Path = UTMP_PATH
    sessions_path: Path = SESSIONS_PATH
    peers: Callable[[list[Network]], set[Address]] = field(default=peers_of)

    def protected(self) -> list[Protected]:
        """Everything that must never be blocked, as it is now. Raises KernelError where the kernel does not tell."""
        with Netlink(ROUTE) as netlink:
            facts = [(address, "this host's own address") for address in own_addresses(netlink)]
            facts += [(address, "the gateway") for address in gateways(netlink)]
        for path in self.resolver_paths:
            facts += [(address, f"a name server of {path}") for address in resolvers(path)]
        facts += [
            (login.address, f"where an administrator is logged in from ({login})") for login in self.live_logins()
        ]
        return [(ip_network(address), what) for address, what in facts]

    def signs(self) -> tuple[int, ...]:
        """What changes when somebody logs in or out; cheap to ask."""
        return tuple(map(_changed_at, (self.utmp_path, self.sessions_path)))

    def live_logins(self) -> list[Login]:
        """The logins whose address has a connection with this host now. Where the kernel does not tell, all of them."""
        found = logins(self.utmp_path, self.sessions_path)
        if not found:
            return []
        try:
            peers = self.peers([ip_network(address) for address in {login.address for login in found}])
        except (KernelError, OSError):
            return found
        return [login for login in found if login.address in peers]


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def own_addresses(netlink: Netlink) -> list[Address]:
    """The addresses of this host's interfaces, in this network namespace. Raises KernelError."""
    return [interface.ip for interface in own_interfaces(netlink)]


def own_interfaces(netlink: Netlink) -> list[IPv4Interface | IPv6Interface]:
    """The same, each with the network that it is attached to. Raises KernelError."""
    found = []
    for kind, body in netlink.dump(GET_ADDRESS, ADDRESS_HEAD.pack(0, 0, 0, 0, 0)):
        if kind == NEW_ADDRESS:
            fields = attributes(body[ADDRESS_HEAD.size :])
            # Of a link with two ends, the first is ours and the other one the peer's.
            packed = fields.get(INTERFACE_LOCAL, fields.get(INTERFACE_ADDRESS))
            if packed is not None:
                found.append(ip_interface((bytes(packed), body[1])))
    return found


def gateways(netlink: Netlink) -> list[Address]:
    """The routers that default routes lead to. Raises KernelError."""
    found: dict[Address, None] = {}
    for kind, body in netlink.dump(GET_ROUTE, ROUTE_HEAD.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
        destination_bits, route_type = body[1], body[7]
        if kind == NEW_ROUTE and destination_bits == 0 and route_type == UNICAST:
            found.update(dict.fromkeys(_hops(attributes(body[ROUTE_HEAD.size :]))))
    return list(found)


def resolvers(path: Path) -> list[Address]:
    """The name servers that a resolv.conf names; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(RESOLVER_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(parse_address(words[1].partition("%")[0]))
            except InvalidAddressError:
                continue
    return found


def _hops(fields: dict[int, memoryview]) -> Iterator[Address]:
    if ROUTE_GATEWAY in fields:
        yield ip_address(bytes(fields[ROUTE_GATEWAY]))
    if ROUTE_VIA in fields and len(fields[ROUTE_VIA]) in (6, 18):
        yield ip_address(bytes(fields[ROUTE_VIA][2:]))
    rest = fields.get(ROUTE_MULTIPATH, memoryview(b""))
    while len(rest) >= NEXT_HOP.size:
        length = NEXT_HOP.unpack_from(rest)[0]
        if not NEXT_HOP.size <= length <= len(rest):
            return
        yield from _hops(dict(each_attribute(rest[NEXT_HOP.size : length])))
        rest = rest[(length + 3) & ~3 :]
