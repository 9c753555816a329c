"""The parts of asking the kernel: packets, ways, the throw-away network and what is read from the trace."""

import os
import struct
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.config.assertions import parse_assertion
from durward.facts import frames, laying, passing, throwaway, tracing
from durward.facts.asserting import STRANGERS_V4, addresses_of, packets_of, stranger
from durward.facts.failure import FactsError
from durward.facts.interfaces import NetworkInterface, OwnAddress
from durward.facts.packet import STAND_INS, Packet, Route, Ways
from durward.model import Address
from durward.ruleset.journey import Hit, Rule

HERE, HERE6 = ip_address("192.0.2.1"), ip_address("2001:db8:1::1")
FAR, FAR6 = ip_address("198.51.100.7"), ip_address("2001:db8:2::7")


def own(address: Address) -> OwnAddress:
    return OwnAddress(address, ip_network(address), first=True, lasts=True)


CARDS = (NetworkInterface("lo"), NetworkInterface("outer", (own(HERE), own(HERE6))), NetworkInterface("inner"))
ROUTES = {FAR: Route("outer", HERE), FAR6: Route("outer", HERE6), HERE: Route("lo", HERE)}
WAYS = Ways(CARDS, ROUTES.get)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp"])
@pytest.mark.parametrize(("source", "destination"), [(FAR, HERE), (FAR6, HERE6)])
def test_packets_made_by_hand_have_right_checksums(protocol: str, source: Address, destination: Address) -> None:
    packet = Packet(source, destination, protocol, 443, "in", "outer")  # type: ignore[arg-type]
    head = 20 if source.version == 4 else 40
    datagram = frames.opening(packet)
    check(datagram, source, destination)
    answer = frames.answer_to(datagram[:40], datagram[head:])
    check(answer, destination, source)
    assert frames.receiver_of(answer) == str(source)
    if protocol != "icmp":
        assert answer[head : head + 4] == datagram[head + 2 : head + 4] + datagram[head : head + 2]
    assert frames.framed(answer, b"\2" * 6, b"\4" * 6)[:6] == b"\4" * 6


def check(datagram: bytes, source: Address, destination: Address) -> None:
    head = 20 if source.version == 4 else 40
    number, segment = datagram[9 if source.version == 4 else 6], datagram[head:]
    if source.version == 4:
        assert checksum(datagram[:head]) == 0xFFFF
    pseudo = source.packed + destination.packed + struct.pack("!II", len(segment), number)
    assert checksum(segment if number == 1 else pseudo + segment) == 0xFFFF


def test_packets_come_and_go_by_the_routes_of_the_host() -> None:
    assert WAYS.arriving(FAR, None, "tcp", 22) == Packet(FAR, HERE, "tcp", 22, "in", "outer")
    assert WAYS.leaving(None, FAR6, "udp", 53) == Packet(HERE6, FAR6, "udp", 53, "out", "outer")
    assert WAYS.arriving(HERE, None, "tcp", 22) == Packet(HERE, HERE, "tcp", 22, "out", "lo"), "to itself"


def test_without_a_route_the_card_that_has_addresses_stands_for_it() -> None:
    stray = ip_address("203.0.113.9")
    assert WAYS.arriving(stray, None, "tcp", 22) == Packet(stray, HERE, "tcp", 22, "in", "outer")
    empty = Ways((NetworkInterface("lo"),), lambda _address: None)
    assert empty.arriving(stray, None, "tcp", 22).destination == STAND_INS[4]
    assert not empty.has(4)


def test_what_is_not_for_this_host_leaves_again() -> None:
    beyond = ip_address("203.0.113.100")
    ways = Ways(CARDS, {**ROUTES, beyond: Route("inner", None)}.get)
    assert ways.arriving(FAR, beyond, "tcp", 80) == Packet(FAR, beyond, "tcp", 80, "in", "outer", "inner")


def test_only_plain_names_of_cards_are_laid() -> None:
    packet = Packet(FAR, HERE, "tcp", 22, "in", "outer", "inner")
    assert laying.cards_of([packet], {}) == ["inner", "outer"]
    with pytest.raises(FactsError, match="plain names"):
        laying.cards_of([Packet(FAR, HERE, "tcp", 22, "in", "x; link del")], {})


def test_who_stands_for_whom() -> None:
    def asked(text: str) -> list[str]:
        return [str(address) for address in addresses_of(parse_assertion(text), WAYS)]

    assert asked("anyone reaches 443") == [str(stranger(4)), str(stranger(6))]
    assert asked("198.51.100.7 reaches 22") == ["198.51.100.7"]
    assert asked("198.51.100.0/24 does not reach 25") == ["198.51.100.1", "198.51.100.127", "198.51.100.254"]
    assert asked("this host reaches 203.0.113.5:25") == ["203.0.113.5"]
    (packet,) = packets_of(parse_assertion("this host does not reach 198.51.100.7:25"), WAYS)
    assert packet == Packet(HERE, FAR, "tcp", 25, "out", "outer")
    assert len({stranger(4, index) for index in range(254)}) == 254
    assert all(stranger(4, index) in STRANGERS_V4 for index in range(600))


LISTED = """table inet durward {
\tset block4_32 {
\t\ttype ipv4_addr
\t\tsize 131072
\t}

\tchain refuse4 { # handle 7
\t\tip saddr @allow4_32 accept # handle 11
\t\tcounter packets 0 bytes 0 drop comment "a # handle 3" # handle 12
\t}

\tchain prerouting { # handle 8
\t\ttype filter hook prerouting priority raw; policy accept;
\t\tiif "lo" accept # handle 13
\t}
}
"""


def test_rules_are_found_by_their_handles() -> None:
    assert passing.rules_of(LISTED) == {
        "refuse4": [
            Rule(11, "ip saddr @allow4_32 accept"),
            Rule(12, 'counter packets 0 bytes 0 drop comment "a # handle 3"'),
        ],
        "prerouting": [Rule(13, 'iif "lo" accept')],
    }


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def traced(verdict: bytes, kind: int = 3) -> bytes:
    body = attribute(1, b"durward\0") + attribute(2, b"input_a\0") + attribute(3, (17).to_bytes(8))
    body += attribute(4, kind.to_bytes(4)) + attribute(5 | 0x8000, verdict)
    return struct.pack("=IHHII", 20 + len(body), tracing.TRACE_MESSAGE, 0, 0, 0) + bytes(4) + body


GOTO = attribute(1, (-4).to_bytes(4, signed=True)) + attribute(2, b"arriving_a\0")


def test_the_trace_is_read() -> None:
    told = traced(GOTO) + traced(attribute(1, bytes(4))) + traced(attribute(1, bytes(4)), kind=1)
    assert [sighting.hit for sighting in tracing.parsed(told)] == [
        Hit("durward", "input_a", 17, "goto", "arriving_a"),
        Hit("durward", "input_a", 17, "drop"),
    ]


@given(some.integers(0, 100), some.integers(0, 255))
def test_a_trace_that_is_damaged_is_refused_or_another(place: int, value: int) -> None:
    damaged = bytearray(traced(GOTO))
    damaged[place % len(damaged)] = value
    with suppress(FactsError):
        assert len(list(tracing.parsed(bytes(damaged)))) <= 1


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(FactsError, match="not as expected"):
        list(tracing.parsed(traced(attribute(1, (77).to_bytes(4)))))


@pytest.mark.kernel
def test_the_network_that_is_thrown_away_is_another_one() -> None:
    here = Path("/proc/self/ns/net").stat().st_ino
    found = throwaway.in_throwaway_network(lambda: [Path("/proc/self/ns/net").stat().st_ino, os.getpid()])
    assert found[0] != here
    assert found[1] != os.getpid()
    assert Path("/proc/self/ns/net").stat().st_ino == here


@pytest.mark.kernel
def test_what_fails_there_is_said_here() -> None:
    def fail() -> NoReturn:
        raise OSError(28, "No space left on device")

    with pytest.raises(FactsError, match="No space left"):
        throwaway.in_throwaway_network(fail)
    with pytest.raises(FactsError, match="no answer"):
        throwaway.in_throwaway_network(lambda: os._exit(3))
