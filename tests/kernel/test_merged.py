"""Merged lists in the kernel: filled in chunks, replaced under traffic with nobody let through; the modes."""

import threading
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from tests.kernel.assembly import GENERATION, assembled, load_into
from tests.kernel.frames import put, udp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair
from tests.kernel.namespaces import send

from durward.catalog.traffic import PortRange
from durward.privileged.failure import KernelError
from durward.privileged.merged import MergedSets, Refused, reading
from durward.ruleset.merged import Filling, MergedList, contents, fragment
from durward.ruleset.policy import Policy, Spoofing
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
PORT, OTHER_PORT, CLOSED_PORT = 5500, 5501, 5502
ANSWERING = 20_000  # no port that a client is given by chance: what answers from it belongs to a connection
OPEN = [f"udp dport {PORT}-{OTHER_PORT} accept"]
ALL, ALL6 = [CLIENT, *FAR], [CLIENT6, *FAR6]
LISTED = ["198.51.100.0/25", "10.16.0.0/12", "203.0.113.9", "2001:db8:2::/64", "2001:db8:3::1"]
IN, IN6 = [FAR[0], FAR[3], FAR[4]], [FAR6[0], FAR6[1], FAR6[3]]
OUT, OUT6 = [CLIENT, FAR[1], FAR[2]], [CLIENT6, FAR6[2]]
UDP = (PortRange(PORT, PORT),)


@pytest.fixture
def merged(pair: Pair) -> Iterator[MergedSets]:
    with pair.server.inside(), MergedSets() as opened:
        yield opened
    pair.server.run("nft", "flush", "ruleset")


def prefixes_of(texts: list[str]) -> Prefixes:
    prefixes, refused = Prefixes(), Refused()
    assert list(reading(texts, prefixes, refused))[-1] == len(texts)
    assert refused.counts == {}
    return prefixes


def load(pair: Pair, one: MergedList, own: tuple[str, ...] = ()) -> None:
    policy = Policy(merged=(one,), spoofing=Spoofing(own_networks=tuple(map(ip_network, own))))
    load_into(pair.server, skeleton() + assembled(fragment(policy, GENERATION), OPEN, with_flush=False))


def filled(pair: Pair, merged: MergedSets, one: MergedList, texts: list[str] = LISTED, number: int = 1) -> Filling:
    prefixes = prefixes_of(texts)
    filling = prefixes.filling(number)
    with pair.server.inside():
        list(merged.fill(one.name, filling, prefixes))
        merged.swap(one, filling, [GENERATION])
    return filling


def passing(pair: Pair, port: int = PORT) -> tuple[list[str], list[str]]:
    return pair.passes(*ALL, port=port), pair.passes(*ALL6, port=port)


@pytest.mark.parametrize("early", [False, True])
def test_the_listed_are_denied(pair: Pair, merged: MergedSets, early: bool) -> None:
    one = MergedList("feeds", "deny", early=early)
    load(pair, one)
    assert passing(pair) == (ALL, ALL6)
    filling = filled(pair, merged, one)
    assert passing(pair) == (OUT, OUT6)
    with pair.server.inside():
        merged.swap(one, None, [GENERATION], filling)
    assert passing(pair) == (ALL, ALL6)
    assert "merged_feeds_1" not in pair.server.run("nft", "list", "sets")


@pytest.mark.parametrize("early", [False, True])
def test_own_networks_are_spared(pair: Pair, merged: MergedSets, early: bool) -> None:
    one = MergedList("feeds", "deny", early=early)
    load(pair, one, ("10.20.0.0/16", "2001:db8:3::/64"))
    filled(pair, merged, one)
    assert passing(pair) == ([CLIENT, FAR[1], FAR[2], FAR[3]], [CLIENT6, FAR6[2], FAR6[3]])


def test_only_the_listed_are_allowed(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("countries", "allow_only")
    load(pair, one, (f"{FREE}/32", f"{FREE6}/128"))
    filled(pair, merged, one)
    assert passing(pair) == (IN, IN6)


def test_the_listed_are_denied_at_some_ports(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("countries", "deny_ports", udp=UDP)
    load(pair, one)
    filled(pair, merged, one)
    assert passing(pair) == (OUT, OUT6)
    assert passing(pair, OTHER_PORT) == (ALL, ALL6)


def test_the_listed_are_allowed_at_some_ports(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("countries", "allow_ports", udp=(PortRange(CLOSED_PORT, CLOSED_PORT),))
    load(pair, one, ())
    filled(pair, merged, one, [*LISTED, FREE, FREE6])
    assert passing(pair, CLOSED_PORT) == (IN, IN6)
    assert passing(pair) == (ALL, ALL6)


@pytest.mark.parametrize("mode", ["deny", "allow_only"])
def test_the_host_gets_answers_from_everywhere(pair: Pair, merged: MergedSets, mode: str) -> None:
    one = MergedList("countries", mode)
    load(pair, one, (f"{FREE}/32", f"{FREE6}/128"))
    filled(pair, merged, one)
    for source, to, us, free in ((FAR[3], FAR[3], SERVER, FREE), (FAR[1], FAR[1], SERVER, FREE)):
        asking = pair.host.listening(2, PORT)
        asking.sendto(b"question", (to, ANSWERING))
        put(pair, [udp(source, PORT, b"answer", source_port=ANSWERING)])
        assert pair.host.texts(pair.client, free, us, PORT) == ["answer"]


def test_a_hundred_thousand_are_replaced_while_packets_come_in(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("feeds", "deny")
    load(pair, one)
    before = [*LISTED, *(f"172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in range(100_000))]
    after = [
        *LISTED,
        *(f"10.{128 + (number >> 12)}.{number >> 4 & 255}.{number << 4 & 255}/28" for number in range(100_000)),
    ]
    filling = filled(pair, merged, one, before)
    sent, stop = 0, threading.Event()

    def knock() -> None:
        nonlocal sent
        while not stop.is_set():
            sent += sum(send(pair.client, source, SERVER, PORT, b"denied") for source in IN)
            sent += sum(send(pair.client, source, SERVER6, PORT, b"denied") for source in IN6)

    assert pair.host.texts(pair.client, FREE, SERVER, PORT) == []
    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        for number, texts in ((2, after), (3, before), (4, after)):
            prefixes = prefixes_of(texts)
            newer = prefixes.filling(number)
            with pair.server.inside():
                list(merged.fill(one.name, newer, prefixes))
                merged.swap(one, newer, [GENERATION], filling)
            filling = newer
    finally:
        stop.set()
        knocking.join()
    assert sent > 100
    assert pair.host.texts(pair.client, FREE, SERVER, PORT) == []
    assert pair.host.texts(pair.client, FREE6, SERVER6, PORT) == []


def test_a_small_difference_is_made_in_place(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("feeds", "deny")
    load(pair, one)
    old = prefixes_of([*LISTED, "192.0.2.0/24", "10.20.1.0/24"])
    filling = filled(pair, merged, one, [*LISTED, "192.0.2.0/24", "10.20.1.0/24"])
    assert pair.server.run("nft", "list", "table", "inet", "durward").count("@merged_feeds_1_") == 5
    # The /24 within the /12 goes; its addresses stay denied. The others go and come.
    new = prefixes_of([LISTED[1], "198.51.100.128/25", *LISTED[2:]])
    with pair.server.inside():
        assert merged.change(one.name, filling, old, new) == 6
    assert pair.passes(*ALL, port=PORT) == [CLIENT, FAR[0]]
    with pair.server.inside():
        assert merged.change(one.name, filling, new, old) == 6
        with pytest.raises(KernelError):
            merged.change(one.name, filling, new, old)  # it has `old`, not `new`
        many = prefixes_of([f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(100_001)])
        assert merged.change(one.name, filling, old, many) is None


def test_a_filling_that_fails_leaves_nothing(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("feeds", "deny")
    load(pair, one)
    prefixes = prefixes_of([f"10.0.{number >> 8}.{number & 255}" for number in range(30_000)])
    with pair.server.inside():
        steps = merged.fill(one.name, prefixes.filling(1), prefixes)
        assert next(steps) == 0
        while not next(steps):
            pass
        pair.server.run("nft", "delete", "set", "inet", "durward", "merged_feeds_1_4_32")
        pair.server.run("nft", "add", "set", "inet", "durward", "merged_feeds_1_4_32", "{ type ipv4_addr; size 5; }")
        with pytest.raises(KernelError):
            list(steps)
    assert "merged_feeds" not in pair.server.run("nft", "list", "sets")


def test_a_new_generation_comes_with_its_lists(pair: Pair, merged: MergedSets) -> None:
    one = MergedList("feeds", "deny")
    load(pair, one)
    filling = filled(pair, merged, one)
    text = assembled(fragment(Policy(merged=(one,)), "b"), OPEN, with_flush=False)
    pair.server.run("nft", "-f", "-", given=text + contents(one, filling, ["b"]))
    assert pair.server.run("nft", "list", "chain", "inet", "durward", "listed_feeds_b").count("@merged_feeds_1_") == 5
