"""What the rules do to the throttled: what they begin anew is limited for each of them, and what goes on is not."""

import socket
import time

import pytest
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair
from tests.kernel.namespaces import send

from durward.catalog.traffic import Rate
from durward.model import EVERYTHING, Scope, Standing, Subject
from durward.privileged.loading import load
from durward.privileged.sets import Sets
from durward.ruleset.elements import ElementKey, elements_of
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
FAMILIES = pytest.mark.parametrize(("source", "to", "free"), [(CLIENT, SERVER, FREE), (CLIENT6, SERVER6, FREE6)])
BURST = 6  # of the usual rate; the next one comes after 10 s


def stand(sets: Sets, subject: str, listing: str = "throttle", scope: Scope = EVERYTHING) -> ElementKey:
    elements = elements_of(Standing(listing, Subject.parse(subject), scope, time.time() + 60, 17), time.time())
    sets.add(elements)
    return elements[0].identity


def arriving(pair: Pair, sources: list[str], to: str, free: str) -> int:
    """How many of the datagrams arrive that are sent from `sources`, each from a port of its own."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    pair.host.listening(family, 5000)
    for source in sources:
        send(pair.client, source, to, 5000, source.encode())
    return len(pair.host.texts(pair.client, free, to, 5000))


@FAMILIES
def test_so_much_passes_and_what_is_beyond_it_is_counted(
    pair: Pair, sets: Sets, source: str, to: str, free: str
) -> None:
    throttled = stand(sets, source)
    assert arriving(pair, [source] * 10, to, free) == BURST
    [reading] = sets.read([throttled])
    assert reading is not None
    assert (reading.packets, reading.comment) == (10 - BURST, "decision 17")
    sets.remove([throttled])
    assert arriving(pair, [source] * 10, to, free) == 10


@FAMILIES
def test_what_goes_on_is_not_limited(pair: Pair, sets: Sets, source: str, to: str, free: str) -> None:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    pair.host.listening(family, 5000)
    stand(sets, source)
    with pair.client.inside(), socket.socket(family, socket.SOCK_DGRAM) as flow:
        flow.bind((source, 0))
        for _ in range(20):
            flow.sendto(b"one of many", (to, 5000))
    assert len(pair.host.texts(pair.client, free, to, 5000)) == 20


@FAMILIES
def test_a_connection_goes_on_however_much_is_sent(pair: Pair, sets: Sets, source: str, to: str, free: str) -> None:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with pair.server.inside():
        listener = socket.create_server((to, 5004), family=family)
    with listener, pair.client.inside(), socket.socket(family, socket.SOCK_STREAM) as calling:
        calling.bind((source, 0))
        calling.connect((to, 5004))
        stand(sets, source)
        arriving(pair, [source] * (2 * BURST), to, free)
        with listener.accept()[0] as answering:
            answering.settimeout(5.0)
            for _ in range(50):
                calling.sendall(b"x" * 3000)
                assert len(answering.recv(3000, socket.MSG_WAITALL)) == 3000


@pytest.mark.parametrize(("network", "sources"), [("198.51.100.0/24", FAR[:3]), ("2001:db8:2::/64", FAR6[:2])])
def test_a_network_has_one_rate_for_all_of_it(pair: Pair, sets: Sets, network: str, sources: tuple[str, ...]) -> None:
    stand(sets, network)
    to, free = (SERVER6, FREE6) if ":" in network else (SERVER, FREE)
    assert arriving(pair, list(sources) * 4, to, free) == BURST


@FAMILIES
def test_neighbours_and_the_allowed_pay_nothing(pair: Pair, sets: Sets, source: str, to: str, free: str) -> None:
    stand(sets, source)
    assert arriving(pair, [free] * 20, to, free) == 20
    stand(sets, source, "allow")
    assert arriving(pair, [source] * 20, to, free) == 20


@FAMILIES
def test_a_block_of_ports_holds_beside_it(pair: Pair, sets: Sets, source: str, to: str, free: str) -> None:
    stand(sets, source)
    stand(sets, source, "block", Scope.parse("in:5001/udp"))
    assert pair.passes(source, port=5001) == []
    assert arriving(pair, [source] * 10, to, free) == BURST


def test_the_rate_is_what_was_set(pair: Pair) -> None:
    with pair.server.inside():
        load(skeleton(throttle_rate=Rate(20, 3600, 3)))
        with Sets() as sets:
            stand(sets, CLIENT)
            assert arriving(pair, [CLIENT] * 10, SERVER, FREE) == 3
