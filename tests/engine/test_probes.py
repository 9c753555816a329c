"""What sources have probed: each port once, within the span, whatever the order, and little memory for each."""

import sys
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from durward.engine.probes import (
    ACK,
    BARE,
    FIN,
    HOW_OF_FLAGS,
    NULL,
    ODD,
    SYN,
    TCP,
    TIMES,
    UDP,
    XMAS,
    Probes,
    age_of,
    how_of,
    record_of,
    seconds_of,
    text_of,
)

NOW = 1_795_421_400
SOURCE = int(ip_address("203.0.113.9"))
ports = st.integers(1, 65535)


def probe(port: int, at: int = NOW, protocol: int = TCP, source_port: int = 40022) -> int:
    return record_of(at, SYN, protocol, source_port, port)


@given(st.lists(st.tuples(ports, st.integers(0, 3000), st.sampled_from([TCP, UDP])), max_size=60))
def test_different_ports_are_counted_whatever_their_order(tried: list[tuple[int, int, int]]) -> None:
    probes = Probes(86400, 100)
    counts = [probes.add(SOURCE, probe(port, NOW + at, kind), NOW + 3000) for port, at, kind in tried]
    different = {(port, kind) for port, _, kind in tried}
    assert max(counts, default=0) == len(different) == len(probes.of(SOURCE, NOW + 3000))
    assert sum(count > 0 for count in counts) == len(different)


@given(st.lists(ports, min_size=1, max_size=40), ports)
def test_one_more_probe_never_makes_fewer(tried: list[int], more: int) -> None:
    probes = Probes(86400, 100)
    for port in tried:
        probes.add(SOURCE, probe(port), NOW)
    before = len(probes.of(SOURCE, NOW))
    probes.add(SOURCE, probe(more), NOW)
    assert before <= len(probes.of(SOURCE, NOW)) <= before + 1


@given(st.integers(0, 1 << 33), st.integers(0, 40 * 86400))
def test_times_go_round_without_making_anything_old(at: int, later: int) -> None:
    record = probe(80, at)
    assert (age_of(record, at + later), seconds_of(record, at + later)) == (later, at)
    assert age_of(record, at - 60) == 0  # a clock that was set back


def test_what_is_older_than_the_span_counts_no_more() -> None:
    probes = Probes(3600, 10)
    counts = [probes.add(SOURCE, probe(port, NOW + port * 1000), NOW + port * 1000) for port in range(1, 20)]
    assert max(counts) == 4
    probes.expire(NOW + 30_000)
    assert len(probes) == 0


def test_no_more_sources_than_there_is_room_for() -> None:
    probes = Probes(3600, 10, sources_max=100)
    for source in range(10_000):
        probes.add(source, probe(80), NOW)
    assert len(probes) <= 100
    assert probes.known(9_999) == 1


def test_a_single_probe_takes_no_more_than_a_small_integer() -> None:
    assert max(sys.getsizeof(record_of(TIMES - 1, ODD, BARE, 65535, 65535)), sys.getsizeof(probe(1))) <= 32


def test_a_network_is_forgotten_with_all_that_it_holds() -> None:
    probes = Probes(3600, 10)
    for source in (*range(256, 512), 600):
        probes.add(source, probe(80), NOW)
    probes.forget_where(256, 511)
    assert (len(probes), probes.known(600)) == (1, 1)
    probes.forget_where(0, 1 << 100)
    assert len(probes) == 0


def test_probes_are_said_in_words() -> None:
    assert text_of(probe(23)) == "TCP SYN to port 23, from port 40022"
    assert text_of(probe(53, protocol=UDP), "203.0.113.9") == "UDP of 203.0.113.9 to port 53, from port 40022"
    assert text_of(record_of(NOW, 0, BARE, 0, 47)) == "GRE"
    assert text_of(record_of(NOW, 0, BARE, 0, 200)) == "IP protocol 200"
    assert text_of(probe(25, source_port=0)) == "TCP SYN to port 25"


def test_flags_are_told_apart() -> None:
    fin, syn, rst, psh, ack, urg, ecn = (1 << bit for bit in range(7))
    told = {0: NULL, fin: FIN, fin | psh | urg: XMAS, syn: SYN, syn | ecn: SYN, ack: ACK, fin | ack: ACK, rst: ODD}
    told |= {fin | syn: XMAS, fin | rst: ODD, syn | ack: ODD, psh: ODD, ack | psh: ACK}
    assert {flags: HOW_OF_FLAGS[flags] for flags in told} == told
    assert how_of(record_of(NOW, FIN, TCP, 1, 1)) == FIN
