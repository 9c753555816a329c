"""What the rules do to packets: who is blocked does not get through, everybody else does."""

import time

import pytest
from tests.kernel.hosts import BEYOND, CLIENT, CLIENT6, FAR, FAR6, FREE, SERVER, Pair, Trio
from tests.kernel.namespaces import send

from durward.model import Scope, Standing, Subject
from durward.privileged.sets import Sets
from durward.ruleset.elements import elements_of

pytestmark = pytest.mark.kernel


def stand(sets: Sets, subject: str, listing: str = "block", scope: str = "in:", seconds: float | None = 60) -> Standing:
    until = None if seconds is None else time.time() + seconds
    standing = Standing(listing, Subject.parse(subject), Scope.parse(scope), until, 17)
    sets.add(elements_of(standing, time.time()))
    return standing


def lift(sets: Sets, standing: Standing) -> None:
    sets.remove(element.identity for element in elements_of(standing, 0))


@pytest.mark.parametrize(
    ("subject", "sources", "passing"),
    [
        (CLIENT, [CLIENT, FAR[0]], [FAR[0]]),
        ("198.51.100.0/24", FAR, ["10.20.1.1", "203.0.113.9"]),
        ("198.51.100.0/25", FAR, ["198.51.100.130", "198.51.100.255", "10.20.1.1", "203.0.113.9"]),
        ("10.20.0.0/23", FAR, [*FAR[:3], "203.0.113.9"]),
        ("10.20.0.0/16", FAR, [*FAR[:3], "203.0.113.9"]),
        ("10.16.0.0/12", FAR, [*FAR[:3], "203.0.113.9"]),
        ("10.0.0.0/8", FAR, [*FAR[:3], "203.0.113.9"]),
        (CLIENT6, [CLIENT6, FAR6[0]], [FAR6[0]]),
        ("2001:db8:2::/64", FAR6, ["2001:db8:2:1::1", "2001:db8:3::1"]),
        ("2001:db8:2::/63", FAR6, ["2001:db8:3::1"]),
        ("2001:db8:2::/48", FAR6, ["2001:db8:3::1"]),
        ("2001:db8:2::/47", FAR6, []),
    ],
)
def test_a_blocked_network_is_dropped_and_no_other(
    pair: Pair, sets: Sets, subject: str, sources: list[str], passing: list[str]
) -> None:
    assert pair.passes(*sources) == list(sources)
    standing = stand(sets, subject)
    assert pair.passes(*sources) == passing
    lift(sets, standing)
    assert pair.passes(*sources) == list(sources)


def test_all_of_a_wide_ipv6_network_is_dropped(pair: Pair, sets: Sets) -> None:
    # The sender that is never blocked elsewhere lies in it too.
    stand(sets, "2001:db8::/32")
    pair.host.listening(10, 5000).setblocking(False)
    assert all(send(pair.client, source, "2001:db8:1::1", 5000, b"x") for source in FAR6)
    assert pair.passes(CLIENT) == [CLIENT]
    with pytest.raises(BlockingIOError):
        pair.host.listening(10, 5000).recv(100)


@pytest.mark.parametrize(("blocked", "source"), [(CLIENT, CLIENT), ("198.51.100.0/24", FAR[0]), (CLIENT6, CLIENT6)])
def test_a_block_of_some_ports_leaves_the_others(pair: Pair, sets: Sets, blocked: str, source: str) -> None:
    stand(sets, blocked, scope="in:5001/udp,5002/udp,5003")
    assert pair.passes(source, port=5000) == [source]
    assert pair.passes(source, port=5001) == []
    assert pair.passes(source, port=5002) == []
    assert pair.passes(source, port=5003) == [source]  # that one is TCP


@pytest.mark.parametrize(
    ("blocked", "allowed", "source"),
    [
        ("10.20.0.0/16", "10.20.1.1", "10.20.1.1"),
        ("10.20.0.0/16", "10.20.0.0/23", "10.20.1.1"),
        ("198.51.100.1", "198.51.100.0/24", "198.51.100.1"),
        ("2001:db8:2::/48", "2001:db8:2::/64", FAR6[0]),
    ],
)
def test_the_allowed_pass_within_a_block(pair: Pair, sets: Sets, blocked: str, allowed: str, source: str) -> None:
    stand(sets, blocked)
    assert pair.passes(source) == []
    allowance = stand(sets, allowed, "allow")
    assert pair.passes(source) == [source]
    lift(sets, allowance)
    stand(sets, allowed, "allow", scope="in:5001/udp")
    assert pair.passes(source) == []
    assert pair.passes(source, port=5001) == [source]


def test_a_block_outwards_stops_what_we_send_and_nothing_else(pair: Pair, sets: Sets) -> None:
    standing = stand(sets, CLIENT, scope="out:")
    assert not send(pair.server, SERVER, CLIENT, 5000, b"x")
    assert send(pair.server, SERVER, FAR[0], 5000, b"x")
    assert pair.passes(CLIENT) == [CLIENT]
    stand(sets, CLIENT, "allow")
    assert send(pair.server, SERVER, CLIENT, 5000, b"x")
    lift(sets, standing)
    stand(sets, FAR[0], scope="out:5001/udp")
    assert send(pair.server, SERVER, FAR[0], 5000, b"x")
    assert not send(pair.server, SERVER, FAR[0], 5001, b"x")
    stand(sets, FAR[0], "allow", scope="out:5001/udp")
    assert send(pair.server, SERVER, FAR[0], 5001, b"x")


def test_forwarded_traffic_is_dropped_too(trio: Trio, router_sets: Sets) -> None:
    assert trio.forwarded(CLIENT, FAR[0]) == [CLIENT, FAR[0]]
    assert trio.forwarded(CLIENT6, FAR6[0]) == [CLIENT6, FAR6[0]]
    stand(router_sets, "198.51.100.0/24")
    stand(router_sets, "2001:db8:2::/64")
    assert trio.forwarded(CLIENT, FAR[0]) == [CLIENT]
    assert trio.forwarded(CLIENT6, FAR6[0]) == [CLIENT6]


def test_what_is_forwarded_to_a_block_outwards_is_dropped(trio: Trio, router_sets: Sets) -> None:
    standing = stand(router_sets, BEYOND, scope="out:")
    assert send(trio.client, CLIENT, BEYOND, 5000, b"stopped on the way")
    lift(router_sets, standing)
    assert send(trio.client, CLIENT, BEYOND, 5000, b"let through")
    assert trio.beyond.texts(trio.client, FREE, BEYOND, 5000) == ["let through"]


def test_the_host_itself_is_never_stopped(pair: Pair, sets: Sets) -> None:
    stand(sets, SERVER)
    stand(sets, SERVER, scope="out:")
    assert pair.host.arrivals(pair.server, [], SERVER, SERVER) == []


def test_dropped_packets_are_counted(pair: Pair, sets: Sets) -> None:
    standing = stand(sets, CLIENT)
    keys = [element.identity for element in elements_of(standing, 0)]
    assert pair.passes(CLIENT, CLIENT, CLIENT) == []
    (reading,) = sets.read(keys)
    assert reading is not None
    assert (reading.packets, reading.bytes) == (3, 3 * (20 + 8 + len(CLIENT)))
    assert reading.comment == "decision 17"
    assert reading.expires_in_seconds is not None
    assert 50 < reading.expires_in_seconds <= 60


def test_a_block_ends_by_itself(pair: Pair, sets: Sets) -> None:
    stand(sets, CLIENT, seconds=0.2)
    assert pair.passes(CLIENT) == []
    time.sleep(0.3)
    assert pair.passes(CLIENT) == [CLIENT]
