"""The connections of a network namespace, counted by a process that has nothing but the descriptors."""

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.daemons.forked import forked
from tests.kernel.namespaces import Namespace, join

from durward.catalog.traffic import PortRange
from durward.daemons.privileges import become
from durward.daemons.seclusion import leave_network
from durward.model import parse_address, parse_network
from durward.privileged.flows import ConnectionTables
from durward.privileged.netlink import ACKNOWLEDGE, ERROR, messages, refusal_of, request
from durward.sources.dumps import uniform
from durward.sources.flows import Attached, Flows
from durward.sources.opening import SourceError
from durward.sources.sockets import Connection, Counts, Sockets, Wanted, port_filter, ranges_of

SERVER, SERVER6 = "192.0.2.1", "2001:db8:1::1"
CLIENT, OTHER, CLIENT6 = "203.0.113.9", "203.0.113.10", "2001:db8:2::9"
PORT = 8080
PATIENCE_SECONDS = 5.0
FLOW_ROUTER = "192.0.2.1"


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """This thread is inside until the test ends; everybody's addresses are its own."""
    made = Namespace()
    for address in (SERVER, CLIENT, OTHER):
        made.address("lo", f"{address}/32")
    for address in (SERVER6, CLIENT6):
        made.address("lo", f"{address}/128")
    with made.inside():
        yield made
    made.close()


@contextmanager
def listening(places: ExitStack, address: str, port: int = PORT) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = places.enter_context(socket.socket(family))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((address, port))
    opened.listen(1000)
    yield opened


def connect(places: ExitStack, source: str, to: str, port: int = PORT) -> socket.socket:
    opened = places.enter_context(socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET))
    opened.bind((source, 0))
    opened.connect((to, port))
    return opened


def counted(wanted: Wanted | None = None) -> dict[str, int]:
    """What a pass gives, by addresses."""
    tables = ConnectionTables()
    descriptor, flows = tables.descriptors()
    os.close(flows)
    source, counts = Sockets(descriptor), Counts()
    for _ in source.count(wanted or Wanted(), counts):
        pass
    source.close()
    tables.close()
    return {socket.inet_ntop(2 if len(host) == 4 else 10, host): number for host, number in counts.hosts.items()}


def comes(expected: dict[str, int], wanted: Wanted | None = None) -> bool:
    """Whether a pass gives this, once what is under way has arrived."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := counted(wanted)) != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return found == expected


@pytest.mark.kernel
def test_what_came_in_is_counted_in_both_families_and_what_went_out_is_not(namespace: Namespace) -> None:
    with ExitStack() as places, listening(places, "::"):
        for _ in range(7):
            connect(places, CLIENT, SERVER)
        for _ in range(3):
            connect(places, CLIENT6, SERVER6)
        # The server's ends are of IPv6 sockets; the clients' own ends have ports that nothing listens on.
        assert comes({CLIENT: 7, CLIENT6: 3})
        assert counted(Wanted(ports=(PortRange(1, PORT - 1),))) == {}
        assert counted(Wanted(ports=(PortRange(PORT, PORT),))) == {CLIENT: 7, CLIENT6: 3}
        assert counted(Wanted(states=frozenset({"CLOSE_WAIT"}))) == {}


@pytest.mark.kernel
def test_connections_that_end_are_counted_by_their_states(namespace: Namespace) -> None:
    with ExitStack() as places, listening(places, SERVER) as server:
        for number in range(12):
            connect(places, CLIENT, SERVER)
            accepted = places.enter_context(server.accept()[0])
            if number % 3 == 0:
                accepted.close()
        assert comes({CLIENT: 4}, Wanted(states=frozenset({"FIN_WAIT2"})))
        assert counted() == {CLIENT: 12}
        assert counted(Wanted(states=frozenset({"ESTABLISHED"}))) == {CLIENT: 8}


@pytest.mark.kernel
def test_half_open_connections_count_only_where_they_are_asked_for(namespace: Namespace) -> None:
    """Whose address stands in a SYN did not have to send it."""
    namespace.run("nft", "add table inet t; add chain inet t o { type filter hook output priority 0; }")
    namespace.run("nft", f"add rule inet t o ip saddr {SERVER} tcp flags & (syn|ack) == (syn|ack) drop")
    with ExitStack() as places, listening(places, SERVER):
        for _ in range(5):
            opened = places.enter_context(socket.socket())
            opened.bind((CLIENT, 0))
            opened.setblocking(False)
            opened.connect_ex((SERVER, PORT))
        assert comes({CLIENT: 5}, Wanted(states=frozenset({"SYN_RECV"})))
        assert counted() == {}


@pytest.mark.kernel
def test_a_few_of_many_are_found_with_their_words(namespace: Namespace) -> None:
    with ExitStack() as places, listening(places, "::"):
        for source in (CLIENT, OTHER, OTHER):
            connect(places, source, SERVER)
        six = connect(places, CLIENT6, SERVER6)
        tables = ConnectionTables()
        descriptor, flows = tables.descriptors()
        os.close(flows)
        source = Sockets(descriptor)
        networks = [parse_network(CLIENT6), parse_network(OTHER)]
        found = sorted(str(one) for one in source.of(networks, Wanted()) if one is not None)
        assert len(found) == 3
        assert found[0].startswith(f"{OTHER}:")
        assert found[0].endswith(f" → port {PORT}, established")
        assert found[2] == f"[{CLIENT6}]:{six.getsockname()[1]} → port {PORT}, established"
        source.close()
        tables.close()


@pytest.mark.kernel
def test_who_was_handed_the_sockets_lists_and_changes_nothing(namespace: Namespace) -> None:
    """As the engine: no capability, and an empty network of its own."""
    tables = ConnectionTables()
    sockets, flows = tables.descriptors()
    with ExitStack() as places, listening(places, SERVER):
        connect(places, CLIENT, SERVER)
        assert comes({CLIENT: 1})

        def act() -> None:
            leave_network()
            become("durward-engine")
            counts = Counts()
            for _ in Sockets(os.dup(sockets)).count(Wanted(), counts):
                pass
            assert counts.hosts == {socket.inet_aton(CLIENT): 1}
            for handed, kind, body in (
                (sockets, 21, struct.pack("=BBBxI48s", 2, 6, 0, 0xFFF, bytes(48))),  # SOCK_DESTROY
                (flows, 1 << 8 | 2, struct.pack(">BBH", 2, 0, 0)),  # IPCTNL_MSG_CT_DELETE of everything
                (flows, 1 << 8 | 1, struct.pack(">BBH", 2, 0, 0)),  # to list flows
            ):
                with socket.socket(fileno=os.dup(handed)) as ours:
                    ours.send(request(kind, ACKNOWLEDGE, 7, body))
                    said = [one for one in messages(memoryview(ours.recv(9999))) if one.type == ERROR]
                    assert refusal_of(said[0]).number in (errno.EPERM, errno.EACCES, errno.ENOENT)

        forked(act)
        assert counted() == {CLIENT: 1}
    os.close(sockets)
    os.close(flows)
    tables.close()


@pytest.mark.kernel
def test_flows_through_this_host_are_read_by_who_may_not_ask_for_them() -> None:
    """Three machines; the one in the middle forwards. It counts who comes from afar, and not who goes out."""
    far, router, near = Namespace(), Namespace(), Namespace()
    join(far, "street", router, "outer")
    join(near, "wall", router, "inner")
    router.address("outer", f"{FLOW_ROUTER}/24")
    router.address("inner", "198.51.100.129/25")
    far.address("street", "192.0.2.2/24", f"{CLIENT}/32")
    near.address("wall", "198.51.100.130/25")
    far.ip(f"route add 198.51.100.128/25 via {FLOW_ROUTER}")
    near.ip("route add default via 198.51.100.129")
    router.ip(f"route add {CLIENT}/32 via 192.0.2.2")
    router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    router.run("nft", "add table inet t; add chain inet t f { type filter hook forward priority 0; }")
    router.run("nft", "add rule inet t f ct state new accept")
    with ExitStack() as places:
        with near.inside(), listening(places, "198.51.100.130") as server:
            pass
        with far.inside(), listening(places, CLIENT, 443) as outside:
            for _ in range(9):
                connect(places, CLIENT, "198.51.100.130")
        with near.inside():
            for _ in range(5):
                connect(places, "198.51.100.130", CLIENT, 443)
        kept = [places.enter_context(server.accept()[0]) for _ in range(9)]
        kept += [places.enter_context(outside.accept()[0]) for _ in range(5)]
        with router.inside():
            tables = ConnectionTables()
            sockets, descriptor = tables.descriptors()
            told = tables.look()
        attached = Attached.of(told["addresses"], told["remembered_seconds"])

        def act() -> None:
            leave_network()
            become("durward-engine")
            flows, counts = Flows(descriptor), Counts()
            for _ in flows.count(told["sequence"], attached, Wanted(), counts):
                pass
            assert counts.hosts == {socket.inet_aton(CLIENT): 9}
            with pytest.raises(SourceError, match="did not go on"):
                list(flows.count(told["sequence"], attached, Wanted(), Counts()))

        forked(act)
        with router.inside():
            again = tables.look()["sequence"]
        flows = Flows(descriptor)
        host = socket.inet_aton(CLIENT)
        (one, *rest) = [found for found in flows.of(again, attached, Wanted(), {host}) if found is not None]
        assert str(one) == f"{CLIENT}:{one.peer_port} → 198.51.100.130 port {PORT}, established, forwarded"
        assert len(rest) == 8
        flows.close()
        tables.close()
        os.close(sockets)
    for namespace in (far, router, near):
        namespace.close()


def test_words_of_connections() -> None:
    one = Connection(parse_address(CLIENT), 40022, 53, "established", "udp")
    assert str(one) == f"{CLIENT}:40022 → port 53/udp, established"


def picks(program: bytes, port: int) -> bool:
    """What the kernel does: a program that ends exactly at its end says yes, one that jumps beyond it no."""
    position = 0
    while position < len(program):
        code, yes, no = struct.unpack_from("=BBH", program, position)
        if code == 1:
            position += no
            continue
        (operand,) = struct.unpack_from("=H", program, position + 6)
        position += yes if (port >= operand if code == 2 else port <= operand) else no
        assert position <= len(program) + 4
    return position == len(program)


@given(st.sets(st.integers(1, 65535), min_size=1, max_size=60), st.integers(0, 65535))
def test_the_filter_picks_exactly_the_ports(ports: set[int], other: int) -> None:
    program = port_filter(ranges_of(sorted(ports)))
    for port in (*ports, other, *(one + 1 for one in ports)):
        assert picks(program, port) == (port in ports)


@given(st.lists(st.integers(4, 40), min_size=1, max_size=30))
def test_only_messages_of_one_size_are_taken_at_once(words: list[int]) -> None:
    data = bytearray().join(struct.pack("=IHHII", word * 4, 20, 2, 1, 0) + bytes(word * 4 - 16) for word in words)
    assert uniform(data, len(data)) == (words[0] * 4 if len(set(words)) == 1 else 0)
