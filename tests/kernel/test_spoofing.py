"""Impossible packets do not get in: flags, sources, reverse path, unused addresses; what only looks odd does."""

import socket
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from tests.kernel.assembly import GENERATION, assembled, counters, load_into
from tests.kernel.frames import put, tcp, udp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair
from tests.kernel.namespaces import send

from durward.ruleset.policy import Policy, Spoofing
from durward.ruleset.spoofing import BAD_FLAGS, fragment

pytestmark = pytest.mark.kernel
PORT = 5200
OWN = (ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/64"))
SPARE, SPARE6 = "192.0.2.77", "2001:db8:1::77"


@pytest.fixture
def guarded(pair: Pair) -> Iterator[Pair]:
    guard(pair, Spoofing(own_networks=OWN))
    yield pair
    pair.server.run("nft", "flush", "ruleset")


def guard(pair: Pair, spoofing: Spoofing) -> None:
    load_into(pair.server, assembled(fragment(Policy(spoofing=spoofing), GENERATION)))


def arrivals(pair: Pair, sources: list[str]) -> list[str]:
    """Which datagrams made by hand arrive."""
    six = ":" in sources[0]
    pair.host.listening(socket.AF_INET6 if six else socket.AF_INET, PORT)
    put(pair, [udp(source, PORT, source.encode()) for source in sources])
    arrived = pair.host.texts(pair.client, FREE6 if six else FREE, SERVER6 if six else SERVER, PORT)
    return [source for source in sources if source in arrived]


@pytest.mark.parametrize(
    "source",
    [
        *("10.9.8.7", "100.64.1.1", "169.254.3.4", "172.20.1.1", "192.168.3.4", "198.18.0.1"),
        *("0.1.2.3", "127.0.0.1", "224.0.0.5", "240.1.1.1", "255.255.255.255"),
        *("::1", "::2", "fc00::1", "fd00:1::1", "ff02::1", "100::1", "2001:2::1"),
    ],
)
def test_a_source_that_nobody_has_is_dropped(guarded: Pair, source: str) -> None:
    assert arrivals(guarded, [source]) == []


@pytest.mark.parametrize("sources", [[CLIENT, FAR[0], FAR[4]], [CLIENT6, FAR6[0]], ["64:ff9b::c000:201"]])
def test_others_pass(guarded: Pair, sources: list[str]) -> None:
    assert arrivals(guarded, sources) == sources


def test_the_network_the_host_lives_in_passes_and_its_neighbours_do_not(pair: Pair, guarded: Pair) -> None:
    assert arrivals(pair, [FAR[3]]) == []
    guard(pair, Spoofing(own_networks=(*OWN, ip_network("10.20.0.0/16"), ip_network("fd00:1::/48"))))
    assert arrivals(pair, [FAR[3], "10.21.1.1"]) == [FAR[3]]
    assert arrivals(pair, ["fd00:1::1", "fd00:2::1"]) == ["fd00:1::1"]


def test_a_host_of_the_internet_refuses_networks_for_documentation(pair: Pair, guarded: Pair) -> None:
    guard(pair, Spoofing())
    put(pair, [tcp(source, PORT) for source in (FAR[0], FAR[4], CLIENT, FAR6[0])])
    assert counters(pair.server, "spoofed_a") == {"bogon": 4}


def test_a_private_name_server_can_answer(pair: Pair, guarded: Pair) -> None:
    with pair.server.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((SERVER, PORT + 1))
        asking.settimeout(5)
        asking.sendto(b"question", (FAR[3], PORT + 2))
        with pair.client.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering:
            answering.bind((FAR[3], PORT + 2))
            answering.sendto(b"answer", (SERVER, PORT + 1))
        assert asking.recv(100) == b"answer"


def test_what_should_have_come_by_another_interface_is_dropped(pair: Pair, guarded: Pair) -> None:
    pair.server.ip("link add other type veth peer name another")
    pair.server.ip("link set another up")
    pair.server.ip("link set other up")
    pair.server.address("other", "198.51.100.129/25", "2001:db8:2:1::2/64")
    try:
        assert arrivals(pair, [FAR[1], FAR[0]]) == [FAR[0]]
        assert arrivals(pair, ["2001:db8:2:1::1", FAR6[0]]) == [FAR6[0]]
        guard(pair, Spoofing(own_networks=OWN, reverse_path=False))
        assert arrivals(pair, [FAR[1]]) == [FAR[1]]
    finally:
        pair.server.ip("link del other")


def test_an_unused_address_refuses_everything(pair: Pair, guarded: Pair) -> None:
    pair.server.address("outer", f"{SPARE}/24", f"{SPARE6}/64")
    pair.client.knows("near", pair.server.hardware("outer"), SPARE, SPARE6)
    try:
        assert pair.host.arrivals(pair.client, [CLIENT], SPARE, FREE, PORT) == [CLIENT]
        guard(pair, Spoofing(own_networks=OWN, unused_addresses=(SPARE, SPARE6)))
        assert send(pair.client, CLIENT, SPARE, PORT, b"to nobody")
        assert send(pair.client, CLIENT6, SPARE6, PORT, b"to nobody")
        put(pair, [tcp(FAR[0], 22, to=SPARE), tcp(FAR6[0], 22, to=SPARE6)])
        assert pair.host.texts(pair.client, FREE, SERVER, PORT) == []
        assert pair.host.texts(pair.client, FREE6, SERVER6, PORT) == []
        assert counters(pair.server, "spoofed_a")["unused_address"] == 4
    finally:
        pair.server.ip(f"addr del {SPARE}/24 dev outer")
        pair.server.ip(f"-6 addr del {SPARE6}/64 dev outer")


BAD = {
    "null": [()],
    "xmas": [("fin", "psh", "urg")],
    "all": [("fin", "syn", "rst", "psh", "ack", "urg")],
    "syn_fin": [("syn", "fin"), ("syn", "fin", "ack")],
    "syn_rst": [("syn", "rst"), ("syn", "rst", "ack")],
    "fin_rst": [("fin", "rst"), ("fin", "rst", "ack")],
    "fin_without_ack": [("fin",), ("fin", "psh"), ("fin", "urg")],
    "psh_without_ack": [("psh",), ("syn", "psh"), ("rst", "psh"), ("psh", "urg")],
    "urg_without_ack": [("urg",), ("rst", "urg")],
    "other": [("syn", "urg", "ack"), ("syn", "urg", "psh", "ack"), ("rst", "urg", "ack")],
}


@pytest.mark.parametrize("source", [CLIENT, CLIENT6])
def test_impossible_flags_are_dropped_and_counted(guarded: Pair, source: str) -> None:
    assert BAD.keys() == BAD_FLAGS.keys()
    put(guarded, [tcp(source, PORT, flags) for kind in BAD.values() for flags in kind])
    assert counters(guarded.server, f"bad_flags_{GENERATION}") == {name: len(kind) for name, kind in BAD.items()}


@pytest.mark.parametrize("source", [CLIENT, CLIENT6])
def test_possible_flags_are_not(guarded: Pair, source: str) -> None:
    good = [("syn",), ("syn", "ece", "cwr"), ("syn", "ack"), ("ack",), ("psh", "ack"), ("fin", "ack"), ("rst",)]
    put(guarded, [tcp(source, PORT, flags) for flags in [*good, ("rst", "ack"), ("fin", "psh", "ack", "ece")]])
    assert set(counters(guarded.server, f"bad_flags_{GENERATION}").values()) == {0}


def test_neighbours_find_each_other(pair: Pair, guarded: Pair) -> None:
    try:
        pair.client.ip(f"-6 neigh del {SERVER6} dev near")
        pair.server.ip(f"-6 neigh del {CLIENT6} dev outer")
        assert pair.passes(CLIENT6, port=PORT) == [CLIENT6]
    finally:
        pair.client.knows("near", pair.server.hardware("outer"), SERVER6)
        pair.server.knows("outer", pair.client.hardware("near"), CLIENT6)
