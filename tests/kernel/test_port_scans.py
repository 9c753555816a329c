"""The reflex in a real kernel: scanners are banned without any process of ours, and nobody else is."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest
from tests.kernel.firewall.bases import apply
from tests.kernel.firewall.sockets import as_user
from tests.kernel.frames import put, tcp, udp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, Pair

from durward.catalog.probed import parse_probed
from durward.catalog.traffic import PortRange
from durward.model import EVERYTHING, Standing, Subject
from durward.privileged.probes import ProbeCopies
from durward.privileged.sets import Sets
from durward.ruleset.elements import elements_of
from durward.ruleset.policy import Policy, Ports, PortScans, Spoofing
from durward.sources.packets import Packet, Packets

pytestmark = pytest.mark.kernel
OPEN = 5000
POLICY = Policy(
    inbound=Ports(*[(PortRange(OPEN, OPEN),)] * 4),
    outbound=Ports(tcp4=(PortRange(443, 443),)),
    spoofing=Spoofing(bogons=False, reverse_path=False),
    port_scans=PortScans(spared=(CLIENT, CLIENT6)),
)
ONE, OTHER, SIX = FAR[0], FAR[4], FAR6[0]
SIX_TOO, SIX_OTHER = FAR6[1], FAR6[2]  # of the same /64, and of the next
IMPOSSIBLE = ((), ("fin",), ("fin", "psh", "urg"), ("syn", "fin"), ("fin", "syn", "rst", "psh", "ack", "urg"))
FAMILIES = pytest.mark.parametrize("source", [ONE, SIX], ids=["IPv4", "IPv6"])


@pytest.fixture
def copies(sets: Sets, pair: Pair) -> Iterator[ProbeCopies]:
    apply(pair.server, POLICY)
    made = ProbeCopies(sets, 64)
    yield made
    made.close()


def probes(source: str, ports: Iterable[int], *flags: str) -> list[bytes]:
    return [tcp(source, port, flags) for port in ports]


def banned(copies: ProbeCopies) -> list[str]:
    return list(copies.banned())


@FAMILIES
@pytest.mark.parametrize("flags", [("syn",), ("ack",), ("syn", "ece", "cwr")], ids="+".join)
def test_the_tenth_closed_port_bans_and_not_the_ninth(
    copies: ProbeCopies, pair: Pair, source: str, flags: tuple[str, ...]
) -> None:
    put(pair, probes(source, range(100, 109), *flags) * 5)
    assert (banned(copies), pair.passes(source)) == ([], [source])
    put(pair, probes(source, [109], *flags))
    other = OTHER if source == ONE else SIX_OTHER
    assert banned(copies) == [ONE if source == ONE else "2001:db8:2::/64"]
    assert pair.passes(source, other) == [other]


@FAMILIES
@pytest.mark.parametrize("flags", IMPOSSIBLE, ids="+".join)
def test_the_third_packet_that_cannot_be_bans(
    copies: ProbeCopies, pair: Pair, source: str, flags: tuple[str, ...]
) -> None:
    put(pair, probes(source, [OPEN, OPEN], *flags))
    assert (banned(copies), pair.passes(source)) == ([], [source])
    put(pair, probes(source, [OPEN], *flags))
    assert pair.passes(source) == []


def test_neighbours_of_one_64_are_one(copies: ProbeCopies, pair: Pair) -> None:
    put(pair, [*probes(SIX, range(100, 105), "syn"), *probes(SIX_TOO, range(105, 110), "syn")])
    assert (banned(copies), pair.passes(SIX_TOO)) == (["2001:db8:2::/64"], [])


@FAMILIES
def test_what_may_be_a_late_answer_or_an_echo_bans_nobody(copies: ProbeCopies, pair: Pair, source: str) -> None:
    packets = probes(source, range(33_000, 33_040), "ack")
    packets += probes(source, range(33_000, 33_040), "fin", "ack")
    packets += probes(source, range(100, 140), "syn", "ack")
    packets += probes(source, range(100, 140), "rst")
    packets += [udp(source, port, b"late", source_port=53) for port in range(1024, 1064)]
    with_copies = Packets(copies.descriptor())
    put(pair, packets)
    assert (banned(copies), pair.passes(source), with_copies.read(1000)) == ([], [source], [])
    with_copies.close()


@FAMILIES
def test_whoever_talks_at_open_ports_all_day_is_nobodys_scanner(copies: ProbeCopies, pair: Pair, source: str) -> None:
    put(pair, [tcp(source, OPEN, ("syn",), source_port=port) for port in range(40_000, 40_300)])
    put(pair, [tcp(source, OPEN, ("ack",), source_port=port) for port in range(50_000, 50_300)])
    assert (banned(copies), pair.passes(source)) == ([], [source])


@pytest.mark.parametrize("source", [CLIENT, CLIENT6])
def test_gateways_are_spared(copies: ProbeCopies, pair: Pair, source: str) -> None:
    put(pair, [*probes(source, range(100, 140), "syn"), *probes(source, range(100, 140), "fin")])
    assert banned(copies) == []


def test_whoever_is_allowed_is_spared(copies: ProbeCopies, sets: Sets, pair: Pair) -> None:
    sets.add(elements_of(Standing("allow", Subject.parse("198.51.100.0/24"), EVERYTHING, None, 1), 0.0))
    put(pair, [*probes(ONE, range(100, 140), "syn"), *probes(ONE, range(100, 140))])
    assert (banned(copies), pair.passes(ONE)) == ([], [ONE])


def test_udp_is_told_of_and_bans_nobody_here(copies: ProbeCopies, pair: Pair) -> None:
    heard = Packets(copies.descriptor())
    put(pair, [udp(ONE, port, b"?") for port in range(100, 140)] * 3)
    assert banned(copies) == []
    assert [packet.port for packet in heard.read(1000)] == list(range(100, 140))
    heard.close()


def test_each_different_probe_is_copied_once_and_then_the_ban(copies: ProbeCopies, pair: Pair) -> None:
    heard = Packets(copies.descriptor())
    put(pair, probes(ONE, range(100, 115), "syn") * 2)
    packets: list[Packet] = heard.read(1000)
    told = [(packet.prefix, packet.port) for packet in packets]
    assert told == [*((b"dw:probe", port) for port in range(100, 110)), (b"dw:ban", 109)]
    assert packets[0].shape >> 16 == 5
    heard.close()


def test_a_ban_remembers_its_ports_and_is_forgiven(copies: ProbeCopies, sets: Sets, pair: Pair) -> None:
    put(pair, [*probes(ONE, range(100, 110), "syn"), *probes(SIX, range(110, 120), "syn")])
    assert copies.banned(with_ports=True) == {
        ONE: [(6, port) for port in range(100, 110)],
        "2001:db8:2::/64": [(6, port) for port in range(110, 120)],
    }
    subjects = [Subject.parse(text) for text in copies.banned()]
    lifted = [Standing("block", one, EVERYTHING, None, 0) for one in subjects]
    sets.remove(element.identity for one in lifted for element in elements_of(one, 0.0))
    copies.forgive(subjects)
    assert (banned(copies), pair.passes(ONE), pair.passes(SIX)) == ([], [ONE], [SIX])
    put(pair, probes(ONE, range(200, 209), "syn"))
    assert banned(copies) == []
    copies.forgive([Subject.parse("198.51.100.0/24"), Subject("user", "shop")])


def test_an_apply_keeps_what_was_counted(copies: ProbeCopies, pair: Pair) -> None:
    put(pair, probes(ONE, range(100, 109), "syn"))
    apply(pair.server, POLICY, "b")
    put(pair, probes(ONE, [109], "syn"))
    assert banned(copies) == [ONE]


def test_only_ports_that_count_are_counted(copies: ProbeCopies, pair: Pair) -> None:
    scans = PortScans(parse_probed(["1:100"]))
    apply(pair.server, Policy(spoofing=POLICY.spoofing, port_scans=scans), "b")
    put(pair, probes(ONE, range(101, 150), "syn"))
    put(pair, probes(ONE, range(101, 150), "fin"))
    assert banned(copies) == []
    put(pair, probes(OTHER, range(50, 70), "syn"))
    assert banned(copies) == [OTHER]


def test_a_users_refused_packet_is_copied_with_his_number(copies: ProbeCopies, pair: Pair) -> None:
    assert pair.server
    heard = Packets(copies.descriptor())
    for user in (4242, 0):
        with as_user(user), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.connect((CLIENT, 6667))
            with suppress(PermissionError):  # it is rejected
                sending.send(b"?")
    told = [(one.prefix, one.user, one.port) for one in heard.read(100)]
    assert told == [(b"dw:left", 4242, 6667)]
    heard.close()
