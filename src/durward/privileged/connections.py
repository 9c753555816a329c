"""TCP connections of this host by the address of their peer: found in the kernel, and ended."""

import errno
import struct
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from durward.model import EVERYTHING, Address, Network, Scope
from durward.privileged.failure import KernelError
from durward.privileged.netlink import ACKNOWLEDGE, ERROR, SOCK_DIAG, Netlink, attribute, refusal_of, request

DIAG_BY_FAMILY, DESTROY = 20, 21
FAMILIES = {4: (2, 10), 6: (10,)}  # AF_INET, AF_INET6: an IPv4 peer may be mapped into an IPv6 socket
TCP = 6
ESTABLISHED = 1 << 1
ALIVE = ESTABLISHED | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11  # and all that still wait for the end of it
BYTECODE, JUMP, PEER = 1, 1, 8  # attribute, operations
ASK = struct.Struct("=BBBxI48s")  # family, protocol, extensions, states, connection
ANSWER = struct.Struct(
    "=BBBB2s2s16s16sI8s"
)  # family, state, timer, retransmissions, ports, addresses, interface, cookie
NETWORKS_PER_DUMP_MAX = 256
CONNECTIONS_MAX = 20_000  # ended in one call; the rest stays and times out, as its packets are dropped
NOT_SUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOENT, errno.EINVAL})


class Connection(NamedTuple):
    """One TCP connection of this host. `identity` is what the kernel knows it by."""

    family: int
    peer: Address
    local_port: int
    peer_port: int
    identity: bytes


class Killed(NamedTuple):
    """How many connections `ended`, and why not all that were there."""

    ended: int
    reason: str | None


def connections(netlink: Netlink, networks: Sequence[Network], states: int = ALIVE) -> Iterator[Connection]:
    """The connections with peers in `networks`. The kernel filters them, so few cost little. Raises KernelError."""
    for start in range(0, len(networks), NETWORKS_PER_DUMP_MAX):
        chunk = networks[start : start + NETWORKS_PER_DUMP_MAX]
        for family in sorted({family for network in chunk for family in FAMILIES[network.version]}):
            wanted = [network for network in chunk if family in FAMILIES[network.version]]
            body = ASK.pack(family, TCP, 0, states, bytes(48)) + attribute(BYTECODE, peer_filter(wanted))
            for kind, answer in netlink.dump(DIAG_BY_FAMILY, body):
                if kind == DIAG_BY_FAMILY and len(answer) >= ANSWER.size:
                    yield _connection(answer)


def peer_filter(networks: Sequence[Network]) -> bytes:
    """The kernel's small program that picks connections whose peer is in one of `networks`."""
    conditions = [_condition(network) for network in networks]
    # From the last to the first: a hit jumps to the end, a miss to the next condition, the last miss beyond the end.
    program = b""
    for number, condition in enumerate(reversed(conditions)):
        behind = b"" if number == 0 else struct.pack("=BBH", JUMP, 4, 4 + len(program))
        length = 4 + len(condition)
        miss = length + 4  # over the jump, or for the last one beyond the end
        program = struct.pack("=BBH", PEER, length, miss) + condition + behind + program
    return program


def peers_of(networks: Sequence[Network]) -> set[Address]:
    """Which addresses in `networks` have an established connection with this host now. Raises KernelError."""
    with Netlink(SOCK_DIAG) as netlink:
        return {connection.peer for connection in connections(netlink, networks, ESTABLISHED)}


def kill_connections(networks: Sequence[Network], scope: Scope = EVERYTHING, spared: Iterable[Network] = ()) -> Killed:
    """End the TCP connections that this host has with peers in `networks`, but for those in `spared`.

    With ports in `scope`, only those to these ports of ours (in), or of theirs (out). Never raises: that packets are
    dropped already is what counts.
    """
    ports = {port.number for port in scope.ports if port.protocol == "tcp"}
    if not networks or (scope.ports and not ports):
        return Killed(0, None)
    try:
        with Netlink(SOCK_DIAG) as netlink:
            found = [
                connection
                for connection in connections(netlink, networks)
                if not ports or (connection.local_port if scope.direction == "in" else connection.peer_port) in ports
            ]
            return _kill(netlink, _without(found, tuple(spared)))
    except (KernelError, OSError) as error:
        return Killed(0, f"connections cannot be listed: {error}")


def _without(found: list[Connection], spared: tuple[Network, ...]) -> list[Connection]:
    return [connection for connection in found if not any(connection.peer in network for network in spared)]


def _kill(netlink: Netlink, found: list[Connection]) -> Killed:
    count = 0
    for connection in found[:CONNECTIONS_MAX]:
        number = _destroy(netlink, connection)
        if number == 0:
            count += 1
        elif number in (errno.EOPNOTSUPP, errno.EPERM, errno.EACCES):
            why = "CAP_NET_ADMIN is missing" if number != errno.EOPNOTSUPP else "this kernel has no INET_DIAG_DESTROY"
            return Killed(count, f"connections cannot be ended: {why}")
    left = len(found) - CONNECTIONS_MAX
    return Killed(count, f"{left} more connections than {CONNECTIONS_MAX} were left" if left > 0 else None)


def _destroy(netlink: Netlink, connection: Connection) -> int:
    """End one connection; give the errno, 0 for done. One that has ended meanwhile is ENOENT."""
    sequence = netlink.numbers()
    body = ASK.pack(connection.family, TCP, 0, ALIVE, connection.identity)
    netlink.send(request(DESTROY, ACKNOWLEDGE, sequence, body))
    while True:
        for message in netlink.receive():
            if message.sequence == sequence and message.type == ERROR:
                return refusal_of(message).number


def _condition(network: Network) -> bytes:
    family = FAMILIES[network.version][0]
    return struct.pack("=BBxxi", family, network.prefixlen, -1) + network.network_address.packed


def _connection(answer: bytes) -> Connection:
    family, _, _, _, local_port, peer_port, _, peer, _, _ = ANSWER.unpack_from(answer)
    address: Address = IPv4Address(peer[:4])
    if family != FAMILIES[4][0]:
        six = IPv6Address(peer)
        address = six.ipv4_mapped or six
    return Connection(family, address, int.from_bytes(local_port), int.from_bytes(peer_port), answer[4:52])
