"""Whom a new firewall must not shut out: who is logged in, and whoever applies it; and which connections are old."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from typing import NamedTuple

from durward.facts.listeners import listeners
from durward.model import Address, InvalidAddressError, parse_address
from durward.privileged.connections import ESTABLISHED, Connection, connections
from durward.privileged.failure import KernelError
from durward.privileged.firewall import FirewallError
from durward.privileged.netlink import SOCK_DIAG, Netlink
from durward.privileged.surroundings import Surroundings

OLDER_MAX = 4096  # connections that are remembered; beyond, those to the busiest ports are not, as nobody logs in there
EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))
Ranges = Sequence[tuple[int, int]]


class WayIn(NamedTuple):
    """Where from somebody is logged in, through which port of ours, and who it is in plain words."""

    address: Address
    port: int
    who: str


def name_of(ssh_connection: str) -> str:
    """What tells one connection of this host from all others; `ssh_connection` is as sshd writes SSH_CONNECTION."""
    words = ssh_connection.split()
    peer = _peer_of(ssh_connection)
    return f"{peer} {words[1]} {words[3]}" if peer is not None and len(words) == 4 else ssh_connection


def connections_now() -> frozenset[str]:
    """The names of the connections that others have to this host now. Raises KernelError."""
    ports = _listening()
    with Netlink(SOCK_DIAG) as netlink:
        found = [one for one in connections(netlink, EVERYBODY, ESTABLISHED) if one.local_port in ports]
    counts = Counter(one.local_port for one in found)
    quiet_first = sorted(found, key=lambda one: (counts[one.local_port], one.local_port))
    return frozenset(map(_name, quiet_first[:OLDER_MAX]))


def refuse_old(name: str) -> None:
    """Raises FirewallError where a connection is none that this host has; at a console the name is empty."""
    peer = _peer_of(name)
    if peer is None:
        return
    try:
        with Netlink(SOCK_DIAG) as netlink:
            there = {_name(one) for one in connections(netlink, [ip_network(peer)], ESTABLISHED)}
    except KernelError:
        return  # then being another one than those before has to do
    if name not in there:
        raise FirewallError(
            "this shell is from a connection that is over: in screen or tmux, say; type it in a new connection itself"
        )


def ways_in(applying: str) -> list[WayIn]:
    """Through which ports of ours whoever is logged in came; and who applies, as `applying` names his connection.

    Of him the system may have no record, as without a terminal. Raises KernelError.
    """
    who = {login.address: str(login) for login in Surroundings().live_logins()}
    peer = _peer_of(applying)
    if peer is not None:
        who.setdefault(peer, "whoever asks for this")
    if not who:
        return []
    ports = _listening()
    with Netlink(SOCK_DIAG) as netlink:
        met = list(connections(netlink, [ip_network(address) for address in who]))
    found = {(one.peer, one.local_port): who[one.peer] for one in met if one.local_port in ports}
    return [WayIn(address, port, found[address, port]) for address, port in sorted(found, key=str)]


def spare(ways: Iterable[WayIn], open_ports: Ranges, allows: Callable[[Address], bool]) -> None:
    """Raises FirewallError where somebody came in through a port that would be closed to him.

    `allows` says who is let in whatever the port.
    """
    for way in ways:
        is_open = any(first <= way.port <= last for first, last in open_ports)
        if not is_open and not allows(way.address):
            raise FirewallError(
                f"this would close port {way.port}, through which {way.who} is logged in from {way.address}; "
                "open it in tcp_in, or apply with --force"
            )


def _listening() -> set[int]:
    """The ports of ours that others connect to. What we opened to somebody needs no open port."""
    return {listener.port for listener in listeners() if listener.protocol == "tcp"}


def _peer_of(name: str) -> Address | None:
    try:
        return parse_address(name.partition(" ")[0])
    except InvalidAddressError:
        return None


def _name(connection: Connection) -> str:
    return f"{connection.peer} {connection.peer_port} {connection.local_port}"
