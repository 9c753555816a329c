"""What a host knows of itself, asked in namespaces of our own."""

import os
import socket
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.kernel.namespaces import Namespace

from durward.model import parse_address
from durward.privileged.connections import peers_of
from durward.privileged.failure import KernelError
from durward.privileged.logins import UTMP_32
from durward.privileged.netlink import ROUTE, Netlink
from durward.privileged.surroundings import Surroundings, gateways, own_addresses, resolvers


def an_interface(namespace: Namespace) -> None:
    namespace.ip("link add outer type veth peer name other")
    namespace.ip("link set outer up")
    namespace.ip("link set other up")


def texts(addresses: list) -> set[str]:
    return {str(address) for address in addresses}


@pytest.fixture
def plain(tmp_path: Path) -> Surroundings:
    """A host without name servers and without anybody logged in."""
    return Surroundings((tmp_path / "resolv.conf",), tmp_path / "utmp", tmp_path / "sessions")


@pytest.mark.kernel
def test_own_addresses_of_this_namespace(namespace: Namespace) -> None:
    an_interface(namespace)
    namespace.address("outer", "192.0.2.7/24", "192.0.2.8 peer 203.0.113.8", "2001:db8:1::7/64")
    with Netlink(ROUTE) as netlink:
        found = texts(own_addresses(netlink))
    assert {"127.0.0.1", "::1", "192.0.2.7", "192.0.2.8", "2001:db8:1::7"} <= found
    assert "203.0.113.8" not in found


@pytest.mark.kernel
def test_gateways_of_every_default_route(namespace: Namespace) -> None:
    an_interface(namespace)
    namespace.address("outer", "192.0.2.7/24", "2001:db8:1::7/64")
    with Netlink(ROUTE) as netlink:
        assert gateways(netlink) == []
        namespace.ip("route add default via 192.0.2.1")
        namespace.ip("route add default via 192.0.2.2 metric 100")
        namespace.ip("route add default via 192.0.2.3 table 77")
        namespace.ip("route add 198.51.100.0/24 via 192.0.2.4")
        namespace.ip("route add blackhole default metric 999")
        namespace.ip("-6 route add default via 2001:db8:1::1")
        assert texts(gateways(netlink)) == {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8:1::1"}


@pytest.mark.kernel
def test_gateways_of_shared_and_mixed_routes(namespace: Namespace) -> None:
    an_interface(namespace)
    namespace.address("outer", "192.0.2.7/24", "2001:db8:1::7/64")
    namespace.ip("route add default nexthop via 192.0.2.1 nexthop via 192.0.2.2")
    namespace.ip("route add default via inet6 2001:db8:1::9 metric 5")
    namespace.ip("-6 route add default nexthop via 2001:db8:1::1 nexthop via 2001:db8:1::2")
    with Netlink(ROUTE) as netlink:
        found = texts(gateways(netlink))
    assert found == {"192.0.2.1", "192.0.2.2", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::9"}


def test_name_servers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_bytes(
        b"# comment\nnameserver 192.0.2.53\nsearch example.org\n  nameserver\t2001:db8::53 # the second\n"
        b"nameserver fe80::1%eth0\nnameserver nonsense\nnameserver\n\xff\xfe\noptions edns0\n"
    )
    assert texts(resolvers(path)) == {"192.0.2.53", "2001:db8::53", "fe80::1"}
    assert resolvers(tmp_path / "nowhere") == []
    path.write_bytes(b"#" * (1 << 20) + b"\nnameserver 192.0.2.54\n")
    assert resolvers(path) == []


@pytest.mark.kernel
def test_everything_is_named(plain: Surroundings, namespace: Namespace) -> None:
    an_interface(namespace)
    namespace.address("outer", "192.0.2.7/24")
    namespace.ip("route add default via 192.0.2.1")
    plain.resolver_paths[0].write_text("nameserver 192.0.2.53\n")
    told = {str(network): what for network, what in plain.protected()}
    assert told["192.0.2.7/32"] == "this host's own address"
    assert told["192.0.2.1/32"] == "the gateway"
    assert told["192.0.2.53/32"] == f"a name server of {plain.resolver_paths[0]}"


def logged_in(surroundings: Surroundings, address: str) -> None:
    fields = (b"pts/0", b"ts/0", b"root", b"", b"", 0, 1_795_000_000, 0, parse_address(address).packed, b"")
    surroundings.utmp_path.write_bytes(UTMP_32.pack(7, os.getpid(), *fields))


@pytest.mark.kernel
def test_a_session_counts_while_its_address_is_connected(plain: Surroundings, namespace: Namespace) -> None:
    namespace.address("lo", "203.0.113.9/32")
    logged_in(plain, "203.0.113.9")
    assert plain.live_logins() == []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address, source_address=("203.0.113.9", 0)):
            ours, _ = listening.accept()
            with ours:
                assert [str(login.address) for login in plain.live_logins()] == ["203.0.113.9"]
                told = {str(network): what for network, what in plain.protected()}
                wanted = f"where an administrator is logged in from (root, pid {os.getpid()})"
                assert wanted in {what for _, what in plain.protected()}
                assert "203.0.113.9/32" in told


@pytest.mark.kernel
def test_a_connection_alone_is_no_session(plain: Surroundings, namespace: Namespace) -> None:
    namespace.address("lo", "203.0.113.9/32")
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), source_address=("203.0.113.9", 0)),
    ):
        assert peers_of([ip_network("203.0.113.9")]) == {parse_address("203.0.113.9")}
        assert plain.live_logins() == []


def test_where_the_kernel_does_not_tell_sessions_count(plain: Surroundings) -> None:
    def refuse(_: list) -> set:
        raise KernelError("not allowed")

    logged_in(plain, "203.0.113.9")
    silent = Surroundings(plain.resolver_paths, plain.utmp_path, plain.sessions_path, refuse)
    assert [str(login.address) for login in silent.live_logins()] == ["203.0.113.9"]
