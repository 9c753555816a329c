"""The connections that go through this host to machines behind it, counted by who began them: from conntrack's table.

The kernel lists it only for a process with CAP_NET_ADMIN; so another process asks, over the socket that we read.
"""

import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from durward.model import Address, Network
from durward.sources.dumps import Dump, each
from durward.sources.sockets import Connection, Counts, Wanted

TCP = 6
FAMILY_AT, ATTRIBUTES_AT = 16, 20  # in a message
ATTRIBUTE = struct.Struct("=HH")
ORIGINAL, STATUS, PROTOCOL_STATE, TIMEOUT = 1, 3, 4, 7  # attributes of a flow
TYPE_MASK = 0x3FFF
# From the begin of a flow's direction: addresses, protocol, ports, as the kernel writes them one after the other.
DIRECTIONS = {2: struct.Struct("=12x4s4x4s8xB3x4x2s6x2s2x"), 10: struct.Struct("=12x16s4x16s8xB3x4x2s6x2s2x")}
ASSURED = 1 << 2  # in the status: there was an answer, and an answer to that; who is not there cannot do it
SILENT_SECONDS_MAX = 180  # the kernel remembers a connection that fell silent for days; it counts for so long
FLOWS_MAX = 500_000  # of one pass; the rest is not counted, and told
# The kernel's numbers of TCP's states in conntrack, by the names that sockets have for them.
STATES = {
    1: "SYN_SENT",
    2: "SYN_RECV",
    3: "ESTABLISHED",
    4: "FIN_WAIT1",
    5: "CLOSE_WAIT",
    6: "LAST_ACK",
    7: "TIME_WAIT",
}


@dataclass(slots=True)
class Attached:
    """What belongs to this host: its addresses, and the networks that it is attached to."""

    own: frozenset[bytes] = frozenset()
    networks: tuple[Network, ...] = ()
    remembered_seconds: int = 0  # how long the kernel remembers a connection that falls silent
    _known: dict[bytes, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, addresses: Iterable[str], remembered_seconds: int = 0) -> "Attached":
        """Read what the enforcer tells: addresses as `203.0.113.1/24`. Raises ValueError."""
        found: list[IPv4Interface | IPv6Interface] = [ip_interface(one) for one in addresses]
        networks = tuple(dict.fromkeys(one.network for one in found))
        return cls(frozenset(one.ip.packed for one in found), networks, remembered_seconds)

    def is_near(self, address: bytes) -> bool:
        """Whether an address is in a network that this host is attached to."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = any(ip_address(address) in network for network in self.networks)
        return known


class Flows:
    """Conntrack's table, read from a socket over which the enforcer asks for it."""

    def __init__(self, descriptor: int) -> None:
        """Raises SourceError."""
        self._dump = Dump(descriptor)

    def close(self) -> None:
        """Give the descriptor back."""
        self._dump.close()

    def forget(self) -> None:
        """Pass over what an earlier pass did not read, before the next one is asked for."""
        self._dump.pass_over()

    def count(self, sequence: int, attached: Attached, wanted: Wanted, counts: Counts) -> Iterator[None]:
        """Add up what was asked for under `sequence`; each step takes a datagram of it. Raises SourceError.

        Who is in a network of our own goes out, and is not counted.
        """
        for flow in self._flows(sequence, attached, wanted, counts):
            if flow is None:
                yield
            else:
                counts.hosts[flow[0]] += 1

    def of(
        self, sequence: int, attached: Attached, wanted: Wanted, peers: Collection[bytes]
    ) -> Iterator[Connection | None]:
        """The connections of these addresses, and None after each datagram. Raises SourceError."""
        for flow in self._flows(sequence, attached, wanted, Counts()):
            if flow is None:
                yield None
            elif flow[0] in peers:
                yield connection_of(flow)

    def _flows(self, sequence: int, attached: Attached, wanted: Wanted, counts: Counts) -> "Iterator[Flow | None]":
        seen = 0
        for length in self._dump.read(sequence):
            for _, start, end in each(self._dump.view, length):
                seen += 1
                if seen > FLOWS_MAX:
                    counts.left_out = f"forwarded connections beyond {FLOWS_MAX}"
                    continue
                flow = read_flow(self._dump.view, start, end, attached, wanted)
                if flow is not None:
                    yield flow
            yield None


Flow = tuple[bytes, bytes, bytes, bytes, str]  # who began it, from which port, where to, to which port, its state


def read_flow(data: memoryview, start: int, end: int, attached: Attached, wanted: Wanted) -> Flow | None:
    """The flow in one message if it counts: TCP through this host, begun by somebody who proved to be there."""
    layout = DIRECTIONS.get(data[start + FAMILY_AT]) if end - start > ATTRIBUTES_AT else None
    original = start + ATTRIBUTES_AT
    if layout is None or original + layout.size + 4 > end:
        return None
    size, kind = ATTRIBUTE.unpack_from(data, original)
    reply = original + ((size + 3) & ~3)
    if kind & TYPE_MASK != ORIGINAL or size < layout.size or reply + layout.size > end:
        return None
    peer, asked, protocol, peer_port, port = layout.unpack_from(data, original)
    if protocol != TCP or not wanted.has_port(int.from_bytes(port)):
        return None
    target, _, _, target_port, _ = layout.unpack_from(data, reply)
    if target in attached.own or peer in attached.own or attached.is_near(peer):
        return None  # its socket is counted, or it goes out
    state = _state(data, reply, end, attached.remembered_seconds - SILENT_SECONDS_MAX)
    if state not in wanted.states:
        return None
    return peer, peer_port, target, target_port if asked in attached.own else port, state


def connection_of(flow: Flow) -> Connection:
    """A flow as evidence says it."""
    peer, peer_port, target, port, state = flow
    words = state.lower().replace("_", " ")
    through: Address = ip_address(target)
    return Connection(ip_address(peer), int.from_bytes(peer_port), int.from_bytes(port), words, through=through)


def _state(data: memoryview, position: int, end: int, left_seconds_min: int) -> str:
    """The name of a flow's state; empty while anybody may have made it up, or if nobody has said anything of late."""
    left_seconds = left_seconds_min
    while position + ATTRIBUTE.size <= end:
        size, kind = ATTRIBUTE.unpack_from(data, position)
        if size < ATTRIBUTE.size or position + size > end:
            return ""
        kind &= TYPE_MASK
        if kind == STATUS and not int.from_bytes(data[position + 4 : position + 8]) & ASSURED:
            return ""
        if kind == TIMEOUT:
            left_seconds = int.from_bytes(data[position + 4 : position + 8])
        elif kind == PROTOCOL_STATE and size >= 13:  # its first part is TCP's, and the first of that is the state
            state = STATES.get(data[position + 12], "")
            return "" if state == "ESTABLISHED" and left_seconds < left_seconds_min else state
        position += (size + 3) & ~3
    return ""
