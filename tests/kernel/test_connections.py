"""Connections that stood before a block: they end at once, in every form that the kernel may have them in."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FREE, SERVER, SERVER6, Pair

from durward.model import EVERYTHING, Scope
from durward.privileged.connections import kill_connections, peers_of

pytestmark = pytest.mark.kernel
PORT = 6000
Ends = Iterator[tuple[socket.socket, ...]]


@contextmanager
def connected(pair: Pair, source: str, *, mapped: bool = False, port: int = PORT) -> Ends:
    """A connection from the client to the server: its two ends."""
    six = ":" in source
    with pair.server.inside():
        listening = socket.socket(socket.AF_INET6 if six or mapped else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("::" if six or mapped else "0.0.0.0", port))
    listening.listen()
    with pair.client.inside():
        theirs = socket.create_connection((SERVER6 if six else SERVER, port), timeout=10, source_address=(source, 0))
    ours, _ = listening.accept()
    ours.settimeout(10)
    with listening, theirs, ours:
        yield ours, theirs


def is_open(ours: socket.socket, theirs: socket.socket) -> bool:
    try:
        ours.send(b"?")
        return theirs.recv(1) == b"?"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("source", "mapped", "network"),
    [
        (CLIENT, False, f"{CLIENT}/32"),
        (CLIENT, False, "192.0.2.0/25"),
        (CLIENT, True, f"{CLIENT}/32"),
        (CLIENT, True, "192.0.0.0/16"),
        (CLIENT6, False, f"{CLIENT6}/128"),
        (CLIENT6, False, "2001:db8:1::/64"),
    ],
)
def test_a_connection_of_the_blocked_ends(pair: Pair, source: str, mapped: bool, network: str) -> None:
    with connected(pair, source, mapped=mapped) as ends, pair.server.inside():
        assert peers_of([ip_network(network)]) == {ip_network(source).network_address}
        assert is_open(*ends)
        assert kill_connections([ip_network("198.51.100.0/24"), ip_network("2001:db8:7::/64")]) == (0, None)
        assert is_open(*ends)
        assert kill_connections([ip_network(network)]) == (1, None)
        assert not is_open(*ends)
        assert peers_of([ip_network(network)]) == set()


def test_only_those_of_the_blocked_ports_end(pair: Pair) -> None:
    with connected(pair, CLIENT) as first, connected(pair, CLIENT, port=PORT + 1) as second, pair.server.inside():
        networks = [ip_network(CLIENT)]
        assert kill_connections(networks, Scope.parse(f"in:{PORT + 2},{PORT}/udp")) == (0, None)
        assert kill_connections(networks, Scope.parse(f"out:{PORT}")) == (0, None)
        assert kill_connections(networks, Scope.parse(f"in:{PORT + 1},53/udp")) == (1, None)
        assert is_open(*first)
        assert not is_open(*second)
        assert kill_connections(networks, Scope.parse(f"out:{first[0].getpeername()[1]}")) == (1, None)
        assert not is_open(*first)


def test_the_allowed_within_a_blocked_network_keep_theirs(pair: Pair) -> None:
    with connected(pair, CLIENT) as first, connected(pair, FREE, port=PORT + 1) as second, pair.server.inside():
        assert kill_connections([ip_network("192.0.2.0/24")], EVERYTHING, [ip_network(FREE)]) == (1, None)
        assert not is_open(*first)
        assert is_open(*second)


def test_many_networks_are_looked_for_at_once(pair: Pair) -> None:
    many = [ip_network(f"10.7.{number // 256}.{number % 256}") for number in range(1, 600)]
    with connected(pair, CLIENT) as first, connected(pair, FAR[0], port=PORT + 1) as second, pair.server.inside():
        assert kill_connections(many) == (0, None)
        assert kill_connections([*many, ip_network(CLIENT), ip_network(FAR[0])]) == (2, None)
        assert not is_open(*first)
        assert not is_open(*second)
