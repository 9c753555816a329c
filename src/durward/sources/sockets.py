"""The connections that others have to this host, counted by their addresses in one pass over the kernel's sockets.

Only what came in counts: connections to a port that something listens on. A database that this host asks is no flood.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from operator import itemgetter
from typing import Literal, NamedTuple

from durward.catalog.traffic import PortRange
from durward.model import Address, Network
from durward.sources.dumps import Dump, each, uniform

SOCKETS = 20  # SOCK_DIAG_BY_FAMILY
ASK = struct.Struct("=BBBxI48s")  # family, protocol, extensions, states, connection
ATTRIBUTE = struct.Struct("=HH")
PROTOCOLS: dict[str, int] = {"tcp": 6, "udp": 17}
FAMILIES = {2: 4, 10: 16}  # AF_INET, AF_INET6: the bytes of an address
PEER_AT = 40  # where the other end's address is in a message; before it are both ports and our address
ROW = struct.Struct("=17xBxx2s2s16x16s")  # of one message: state, our port, their port, their address
BYTECODE, JUMP, PORT_FROM, PORT_TO, PEER = 1, 1, 2, 3, 8  # an attribute, and operations of the kernel's filter
OPERATION, PORT, PLACE = struct.Struct("=BBH"), struct.Struct("=xxH"), struct.Struct("=BBxxi")
RANGES_MAX = 250  # of ports that are asked for; connections to further ones are not counted, and told
NETWORKS_MAX = 256  # of peers that are asked for at once
MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address in an IPv6 socket
STATES = {
    "ESTABLISHED": 1, "SYN_SENT": 2, "SYN_RECV": 3, "FIN_WAIT1": 4, "FIN_WAIT2": 5, "TIME_WAIT": 6, "CLOSE": 7,
    "CLOSE_WAIT": 8, "LAST_ACK": 9, "CLOSING": 11,
}  # fmt: skip
LISTEN, NEW_SYN_RECV = 10, 12
# Anybody can begin a connection in somebody else's name; only he whose address it is gets further than this.
PROVEN = frozenset(STATES) - {"SYN_SENT", "SYN_RECV", "CLOSE"}
FIRST = itemgetter(0)
WORDS = {number: name.lower().replace("_", " ") for name, number in STATES.items()} | {NEW_SYN_RECV: "syn recv"}


class Connection(NamedTuple):
    """One connection, as evidence says it. `through` is the machine behind this host that it is forwarded to."""

    peer: Address
    peer_port: int
    port: int
    state: str
    protocol: str = "tcp"
    through: Address | None = None

    def __str__(self) -> str:
        peer = f"[{self.peer}]" if self.peer.version == 6 else str(self.peer)
        target = f"{self.through} port {self.port}" if self.through else f"port {self.port}"
        udp = "/udp" if self.protocol == "udp" else ""
        return f"{peer}:{self.peer_port} → {target}{udp}, {self.state}" + (", forwarded" if self.through else "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which connections count: in these states, to these ports of ours (none: to any that something listens on)."""

    states: frozenset[str] = PROVEN
    ports: tuple[PortRange, ...] = ()

    def has_port(self, port: int) -> bool:
        """Whether connections to `port` count."""
        return not self.ports or any(one.first <= port <= one.last for one in self.ports)

    @property
    def mask(self) -> int:
        """The states as the kernel is asked for them."""
        mask = sum(1 << STATES[name] for name in self.states)
        return mask | (1 << NEW_SYN_RECV if "SYN_RECV" in self.states else 0)


@dataclass(slots=True)
class Counts:
    """How many connections each address has; 4 or 16 bytes, in order of the network."""

    hosts: Counter[bytes] = field(default_factory=Counter)
    left_out: str = ""  # what was not counted, in plain words


class Sockets:
    """The sockets of the network namespace in which the descriptor was opened. Every method raises SourceError."""

    def __init__(self, descriptor: int) -> None:
        self._dump = Dump(descriptor)

    def close(self) -> None:
        """Give the descriptor back."""
        self._dump.close()

    def count(self, wanted: Wanted, counts: Counts) -> Iterator[None]:
        """Add up what is there now; each step takes a datagram of it, some hundred connections."""
        for family, protocol, mask in _asked(wanted):
            ranges = ranges_of(port for port in self._open_ports(family, protocol) if wanted.has_port(port))
            if not ranges:
                continue  # to look through all sockets for none takes the kernel a while
            if len(ranges) > RANGES_MAX:
                counts.left_out = f"connections to ports above {ranges[RANGES_MAX - 1].last}/{protocol}"
            found = Counter[bytes]() if family == 10 else counts.hosts
            for length in self._ask(family, protocol, mask, port_filter(ranges[:RANGES_MAX])):
                _add(self._dump, length, FAMILIES[family], found)
                yield
            if family == 10:
                _fold(found, counts.hosts)

    def of(self, networks: Sequence[Network], wanted: Wanted) -> Iterator[Connection | None]:
        """The connections of these networks, which the kernel picks, and None after each datagram.

        Of more than NETWORKS_MAX networks the rest is left out.
        """
        program = peer_filter(networks[:NETWORKS_MAX])
        for family, protocol, mask in _asked(wanted) if networks else ():
            ports = self._open_ports(family, protocol)
            for length in self._ask(family, protocol, mask, program):
                for one in _connections(self._dump, length, family, protocol):
                    if one.port in ports and wanted.has_port(one.port):
                        yield one
                yield None

    def _open_ports(self, family: int, protocol: str) -> dict[int, None]:
        """The ports that something listens on, in order; of UDP those whose sockets have no other end.

        A connection is of the family of the socket that it came to.
        """
        state = LISTEN if protocol == "tcp" else STATES["CLOSE"]
        ports: set[int] = set()
        for length in self._ask(family, protocol, 1 << state, b""):
            ports.update(one.port for one in _connections(self._dump, length, family, protocol))
        return dict.fromkeys(sorted(ports))

    def _ask(self, family: int, protocol: str, mask: int, program: bytes) -> Iterator[int]:
        body = ASK.pack(family, PROTOCOLS[protocol], 0, mask, bytes(48))
        if program:
            body += ATTRIBUTE.pack(4 + len(program), BYTECODE) + program + bytes(-len(program) % 4)
        return self._dump.ask(SOCKETS, body)


def _asked(wanted: Wanted) -> Iterator[tuple[int, str, int]]:
    """What to ask the kernel for: families, protocols, and states. UDP knows one state that matters here."""
    for protocol, mask in (("tcp", wanted.mask), ("udp", wanted.mask & 1 << STATES["ESTABLISHED"])):
        for family in FAMILIES if mask else ():
            yield family, protocol, mask


def ranges_of(ports: Iterable[int]) -> list[PortRange]:
    """Sorted ports as few ranges."""
    ranges: list[PortRange] = []
    for port in ports:
        if ranges and ranges[-1].last == port - 1:
            ranges[-1] = PortRange(ranges[-1].first, port)
        elif port:
            ranges.append(PortRange(port, port))
    return ranges


def port_filter(ranges: Sequence[PortRange]) -> bytes:
    """The kernel's small program that picks connections to one of these ports of ours."""
    return _any_of([[(PORT_FROM, PORT.pack(one.first)), (PORT_TO, PORT.pack(one.last))] for one in ranges])


def peer_filter(networks: Sequence[Network]) -> bytes:
    """The kernel's small program that picks connections whose other end is in one of these networks."""
    return _any_of(
        [
            [(PEER, PLACE.pack(family, one.prefixlen, -1) + one.network_address.packed)]
            for one in networks
            for family in (2 if one.version == 4 else 10,)
        ]
    )


def _any_of(alternatives: Sequence[Sequence[tuple[int, bytes]]]) -> bytes:
    """One of the alternatives, all of whose operations say yes.

    From the last to the first: a yes at the end of one jumps to the program's end, a no leads to the next alternative,
    the last one's no beyond the end.
    """
    program = b""
    for number, operations in enumerate(reversed(alternatives)):
        block = b"" if number == 0 else OPERATION.pack(JUMP, 4, 4 + len(program))
        beyond = 4 if number == 0 else 0
        for code, operand in reversed(operations):
            length = 4 + len(operand)
            block = OPERATION.pack(code, length, length + len(block) + beyond) + operand + block
        program = block + program
    return program


def _add(dump: Dump, length: int, address_bytes: int, found: Counter[bytes]) -> None:
    """Add up one datagram: all at once where its messages have one size, as they have but for connections that end."""
    size = uniform(dump.buffer, length)
    if size >= PEER_AT + address_bytes:
        layout = struct.Struct(f"={PEER_AT}x{address_bytes}s{size - PEER_AT - address_bytes}x")
        found.update(map(FIRST, layout.iter_unpack(dump.view[:length])))
        return
    for kind, start, end in each(dump.view, length):
        if kind == SOCKETS and start + PEER_AT + address_bytes <= end:
            found[bytes(dump.view[start + PEER_AT : start + PEER_AT + address_bytes])] += 1


def _fold(found: Counter[bytes], hosts: Counter[bytes]) -> None:
    """Add the counts of IPv6 sockets to all, an IPv4 address in an IPv6 socket as what it is."""
    for address, number in found.items():
        hosts[address[12:] if address.startswith(MAPPED) else address] += number


def _connections(dump: Dump, length: int, family: int, protocol: str) -> Iterator[Connection]:
    name: Literal["tcp", "udp"] = "udp" if protocol == "udp" else "tcp"
    for kind, start, end in each(dump.view, length):
        if kind != SOCKETS or end - start < PEER_AT + 16:
            continue
        state, port, peer_port, peer = ROW.unpack_from(dump.view, start)
        packed = peer[: FAMILIES[family]]
        address = ip_address(packed[12:] if packed.startswith(MAPPED) else packed)
        word = WORDS.get(state, f"state {state}")
        yield Connection(address, int.from_bytes(peer_port), int.from_bytes(port), word, name)
