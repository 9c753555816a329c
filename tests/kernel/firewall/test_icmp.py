"""ICMP: what the network needs always arrives, pings are limited for each source alone, the rest is dropped."""

import socket
import struct

import pytest
from tests.kernel.firewall.bases import apply, counted
from tests.kernel.firewall.probes import family_of, icmp, ping, pings, probe, received
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import Rate
from durward.ruleset.policy import Icmp, Policy

pytestmark = pytest.mark.kernel
CLOSED = Policy(spoofing=LABORATORY)
ABOUT_NOTHING = bytes.fromhex("00000000450000240000400011400000") + socket.inet_aton(SERVER) + socket.inet_aton(CLIENT)
SENTINEL = {socket.AF_INET: "InType8", socket.AF_INET6: "Icmp6InType128"}


def say(hosts: Trio, kind: int, source: str, *, hops: int = 255, rest: bytes = ABOUT_NOTHING + bytes(40)) -> None:
    """Send the server one ICMP message, and a ping behind it, so that it has arrived when this is done."""
    six = ":" in source
    to = SERVER6 if six else SERVER
    with hosts.client.inside():
        raw = socket.socket(family_of(to), socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
    with raw:
        if six:
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
        raw.bind((source, 0))
        raw.sendto(icmp(kind, 0, rest, six=six), (to, 0))
    assert ping(hosts.client, source, to)


@pytest.mark.parametrize(
    ("kind", "source", "arrives"),
    [
        (3, CLIENT, True),
        (11, CLIENT, True),
        (12, CLIENT, True),
        (5, CLIENT, False),
        (9, CLIENT, False),
        (13, CLIENT, False),
        (17, CLIENT, False),
        (1, CLIENT6, True),
        (2, CLIENT6, True),
        (3, CLIENT6, True),
        (4, CLIENT6, True),
        (133, CLIENT6, True),
        (134, CLIENT6, True),
        (137, CLIENT6, False),
        (139, CLIENT6, False),
        (200, CLIENT6, False),
    ],
)
def test_what_the_network_needs_arrives_and_nothing_else(router: Trio, kind: int, source: str, arrives: bool) -> None:
    apply(router.server, CLOSED)
    name = f"Icmp6InType{kind}" if ":" in source else f"InType{kind}"
    before = received(router.server, name)
    say(router, kind, source)
    assert received(router.server, name) - before == arrives


def test_what_only_neighbours_say_is_not_taken_from_afar(router: Trio) -> None:
    apply(router.server, CLOSED)
    before = received(router.server, "Icmp6InType134")
    say(router, 134, CLIENT6, hops=254)
    assert received(router.server, "Icmp6InType134") == before


def test_a_strict_policy_takes_no_router_adverts(router: Trio) -> None:
    apply(router.server, Policy(icmp=Icmp(accepts_router_adverts=False, accepts_redirects=True), spoofing=LABORATORY))
    adverts, redirects = received(router.server, "Icmp6InType134"), received(router.server, "Icmp6InType137")
    say(router, 134, CLIENT6)
    say(router, 137, CLIENT6)
    assert received(router.server, "Icmp6InType134") == adverts
    assert received(router.server, "Icmp6InType137") == redirects + 1


def test_neighbours_find_each_other(router: Trio) -> None:
    apply(router.server, CLOSED)
    router.client.ip(f"-6 neigh del {SERVER6} dev near")
    router.server.ip(f"-6 neigh del {CLIENT6} dev outer")
    try:
        assert probe("tcp", router.client, CLIENT6, SERVER6, 22) == "passes"
    finally:
        router.client.knows("near", router.server.hardware("outer"), SERVER6)
        router.server.knows("outer", router.client.hardware("near"), CLIENT6)


@pytest.mark.parametrize(
    ("greedy", "modest", "to"), [(CLIENT, FAR[0], SERVER), (CLIENT6, FAR6[0], SERVER6), (FAR6[0], FAR6[2], SERVER6)]
)
def test_pings_are_limited_for_each_source_alone(router: Trio, greedy: str, modest: str, to: str) -> None:
    apply(router.server, Policy(ping=Rate(1, 3600, 4), spoofing=LABORATORY))
    # They are one ping, which is a connection once it was answered, and must be limited all the same.
    assert pings(router.client, greedy, to, 20, seconds=1) == 4
    assert pings(router.client, modest, to, 2) == 2
    assert counted(router.server, "echo_a") == 16


def test_the_addresses_of_one_customer_share_a_limit(router: Trio) -> None:
    apply(router.server, Policy(ping=Rate(1, 3600, 4), spoofing=LABORATORY))
    assert pings(router.client, FAR6[0], SERVER6, 4) == 4
    assert pings(router.client, FAR6[1], SERVER6, 1, seconds=0.3) == 0


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_a_ping_of_death_is_dropped(router: Trio, source: str, to: str) -> None:
    apply(router.server, CLOSED)
    assert ping(router.client, source, to, size=1400)
    assert not ping(router.client, source, to, size=1500, seconds=0.3)
    assert not ping(router.client, source, to, size=60_000, seconds=0.3)
    assert counted(router.server, "echo_a") == 2


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_fragments_are_dropped_before_they_are_put_together_where_that_is_wanted(
    router: Trio, source: str, to: str
) -> None:
    apply(router.server, Policy(icmp=Icmp(refuses_fragments=True, bytes_max=9000), spoofing=LABORATORY))
    assert ping(router.client, source, to, size=1400)
    assert not ping(router.client, source, to, size=1600, seconds=0.3)
    assert counted(router.server, "early_a") == 2


def test_our_own_pings_are_answered_and_foreign_answers_are_not_taken(router: Trio) -> None:
    apply(router.server, CLOSED)
    assert ping(router.server, SERVER, CLIENT)
    assert ping(router.server, SERVER6, CLIENT6)
    before = received(router.server, "InType0")
    say(router, 0, CLIENT, rest=struct.pack("!HH", 1, 1) + bytes(8))
    assert received(router.server, "InType0") == before
