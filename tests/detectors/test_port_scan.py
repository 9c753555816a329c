"""Port scans: found at any speed and by whoever shares the work; who does nothing of the kind is let be."""

from collections.abc import Iterable
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.samples import policy

from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.detectors.port_scan import Detector
from durward.engine.assembly import assemble, detector_policy
from durward.engine.policy import Policy
from durward.engine.probes import ACK, FIN, NULL, SYN, TCP, UDP, XMAS
from durward.engine.room import Room
from durward.model import Incident, Subject

NOW = 1_795_421_400.0
CARD = next(card for card in load_detectors(directories_of("detectors")) if card.id == "port_scan")
TOOL = 6 << 16 | 1024  # the make of nmap's packets
SYSTEM = 10 << 16 | 64240  # that of a usual Linux
DAY = 86_400.0
Probe = tuple[str, int, float]  # source, port, seconds since the beginning


def detector(**settings: object) -> Detector:
    made = detector_policy(CARD, detector_settings(CARD, settings), {})
    return Detector(CARD.id, made, Room())


def see(to: Detector, probes: Iterable[Probe], shape: int = 0, how: int = SYN, kind: int = TCP) -> list[Incident]:
    return [
        incident
        for source, port, at in probes
        for incident in to.see(ip_address(source).packed, how, kind, 40022, port, shape, NOW + at)
    ]


def subjects(incidents: Iterable[Incident]) -> list[str]:
    return [incident.subject.value for incident in incidents]


@given(st.lists(st.integers(1, 65535), min_size=10, max_size=30, unique=True), st.floats(0.0, 9000.0))
def test_ten_different_ports_in_any_order_and_at_any_speed_are_a_scan(ports: list[int], every: float) -> None:
    tried = [("203.0.113.9", port, turn * min(every, DAY / 10)) for turn, port in enumerate(ports)]
    assert see(detector(), tried[:9]) == []
    found = see(detector(), tried[:10])
    assert subjects(found) == ["203.0.113.9"]
    assert sorted(one.text for one in found[0].evidence) == sorted(
        f"TCP SYN to port {port}, from port 40022" for port in ports[:10]
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=300), st.sampled_from([TOOL, SYSTEM]))
def test_whoever_tries_fewer_ports_than_that_is_let_be_however_often(tried: list[tuple[int, int]], shape: int) -> None:
    sources = ("203.0.113.9", "198.51.100.7", "192.0.2.5", "2001:db8:7::9")
    probes = [(sources[source], port, 1.0 * turn) for turn, (source, port) in enumerate(tried)]
    assert see(detector(), probes, shape) == []


def test_the_reason_and_the_evidence_are_in_plain_words() -> None:
    (found,) = see(detector(), [("203.0.113.9", port, port * 2.0) for port in range(1, 11)])
    assert found.reason == "10 closed ports probed in 18 s"
    assert found.evidence[0].text == "TCP SYN to port 1, from port 40022"
    assert (found.evidence[0].source, found.evidence[0].at, found.service) == ("packets", NOW + 2, "packets")
    assert (found.count, found.threshold, found.first_at, found.last_at) == (10, 10, NOW + 2, NOW + 20)


def test_fast_slow_and_mixed_protocols_add_up() -> None:
    one = detector()
    assert see(one, [("203.0.113.9", port, 0.0) for port in range(1, 6)]) == []
    assert see(one, [("203.0.113.9", port, DAY / 2) for port in range(1, 5)], kind=UDP) == []
    (found,) = see(one, [("203.0.113.9", 500, DAY - 10)], how=ACK)
    assert [line.text.split(",")[0] for line in found.evidence][-2:] == ["UDP to port 4", "TCP ACK to port 500"]


def test_what_is_older_than_the_window_is_forgotten() -> None:
    tried = [("203.0.113.9", port, port * DAY / 8) for port in range(1, 200)]
    assert see(detector(), tried) == []


def test_three_packets_that_cannot_be_are_enough_at_one_port_too() -> None:
    for how, name in ((NULL, "NULL"), (XMAS, "XMAS"), (FIN, "FIN")):
        one = detector()
        assert see(one, [("203.0.113.9", 80, 0.0), ("203.0.113.9", 80, 9000.0)], how=how) == []
        (found,) = see(one, [("203.0.113.9", 80, 18_000.0)], how=how)
        assert found.reason == f"3 packets that no honest host sends (TCP {name})"
        assert (found.count, found.threshold) == (3, 3)


def test_ipv6_is_counted_by_its_network() -> None:
    tried = [(f"2001:db8:0:1::{port:x}", port, 0.0) for port in range(1, 11)]
    assert subjects(see(detector(), tried)) == ["2001:db8:0:1::/64"]
    wider = detector()
    wider.counts_by(56)
    tried = [(f"2001:db8:0:1{port:02x}::9", port, 0.0) for port in range(1, 11)]
    assert subjects(see(wider, tried)) == ["2001:db8:0:100::/56"]


def test_twelve_neighbours_who_share_the_work_are_one() -> None:
    tried = [(f"203.0.113.{port}", port, port * 60.0) for port in range(1, 13)]
    (found, *_more) = see(detector(), tried)
    assert (found.subject, found.reason) == (
        Subject("network", "203.0.113.0/24"),
        "10 closed ports probed by 10 addresses of one network",
    )
    assert "TCP SYN of 203.0.113.1 to port 1, from port 40022" in [one.text for one in found.evidence]


def test_of_three_neighbours_only_those_who_did_it_are_blamed() -> None:
    tried = [(f"203.0.113.{7 + port % 4}", port, port * 1.0) for port in range(1, 13)]
    assert subjects(see(detector(), tried)) == ["203.0.113.8", "203.0.113.9", "203.0.113.10", "203.0.113.7"]


def test_a_scanner_does_not_make_his_neighbours_guilty() -> None:
    one = detector()
    for host in range(1, 100):
        found = see(one, [(f"203.0.113.{host}", port, host * 1.0) for port in range(host, host + 10)])
        assert subjects(found) == [f"203.0.113.{host}"]
    assert see(one, [("203.0.113.200", 143, 100.0), ("203.0.113.201", 110, 101.0)], SYSTEM) == []


def test_strangers_whose_packets_are_of_one_make_are_found_together_and_later_ones_at_once() -> None:
    one = detector()
    tried = [(f"203.0.{port}.9", port, port * 5.0) for port in range(1, 11)]
    found = see(one, tried, TOOL)
    assert sorted(subjects(found)) == sorted(source for source, _, _ in tried)
    assert subjects(see(one, [("198.51.100.7", 77, 100.0)], TOOL)) == ["198.51.100.7"]
    assert see(one, [("198.51.100.8", 78, 101.0)], SYSTEM) == []
    assert see(one, [("198.51.100.9", 78, 200.0)], TOOL) == []


def test_single_probes_of_usual_systems_are_nobodys_scan() -> None:
    tried = [(f"203.{port >> 8}.{port & 255}.9", 1000 + port, port * 1.0) for port in range(500)]
    assert see(detector(), tried, SYSTEM) == []


def test_usual_systems_that_share_a_scan_are_found_where_each_did_more_than_one_thing() -> None:
    tried = [(f"203.0.{turn % 10}.9", 1000 + turn, turn * 1.0) for turn in range(25)]
    found = see(detector(), [*tried[:15], ("198.51.100.7", 143, 15.0), *tried[15:]], SYSTEM)
    # The twentieth port is found out: nine of them had tried two ports by then, and the stranger among them one.
    assert sorted(subjects(found)) == [f"203.0.{number}.9" for number in range(9)]


def test_many_who_try_the_same_few_ports_are_the_noise_of_the_internet() -> None:
    ports = (22, 23, 80, 443, 3389, 5060, 8080, 445)
    tried = [(f"203.{turn >> 8}.{turn & 255}.9", ports[turn % 8], turn * 0.1) for turn in range(900)]
    assert see(detector(), tried, TOOL) == []


def test_who_was_let_in_again_begins_at_nothing() -> None:
    one = detector()
    see(one, [("203.0.113.9", port, 0.0) for port in range(1, 10)])
    assert one.nearest(Subject.parse("203.0.113.9")) == (9, 10)
    one.forget(Subject.parse("203.0.113.0/24"))
    assert one.nearest(Subject.parse("203.0.113.9")) == (0, 10)
    assert see(one, [("203.0.113.9", port, 0.0) for port in range(20, 29)]) == []


def test_what_the_kernel_banned_is_explained_by_what_is_known_of_it() -> None:
    one = detector()
    see(one, [("203.0.113.9", port, 0.0) for port in (1, 2, 3)])
    found = one.banned(ip_address("203.0.113.9").packed, NOW, [(6, 3), (6, 4), (17, 5)])
    assert [line.text for line in found.evidence][3:] == ["TCP to port 4", "UDP to port 5"]
    nothing = one.banned(ip_address("2001:db8::9").packed, NOW)
    assert (nothing.subject.value, nothing.evidence) == ("2001:db8::/64", ())


def test_settings_say_how_many_and_whether_at_all() -> None:
    tried = [("203.0.113.9", port, 0.0) for port in range(1, 60)]
    assert see(detector(mode="off"), tried) == see(detector(within="0s"), tried) == []
    assert len(see(detector(count=20), tried)) == 2
    assert len(see(detector(count=5, distinct=30), tried)) == 1


def test_nothing_is_decided_about_who_is_exempt() -> None:
    settings = detector_policy(CARD, detector_settings(CARD, {}), {})
    engine = assemble(Policy({CARD.id: settings}, {"203.0.113.9": "allow.list:1"}.get), [CARD])
    made = engine.detector(CARD.id)
    assert isinstance(made, Detector)
    for incident in see(made, [(source, port, 0.0) for source in ("203.0.113.9", "203.0.113.8") for port in range(20)]):
        assert [one.subject.value for one in engine.accuse(incident, NOW)] in ([], ["203.0.113.8"])
    assert engine.is_blocked(Subject.parse("203.0.113.8"), "packets", NOW)
    assert not engine.is_blocked(Subject.parse("203.0.113.9"), "packets", NOW)


def test_the_card_is_read_without_settings_of_its_own() -> None:
    made = Detector("port_scan", policy(), Room())
    assert made.tick(NOW) == ()
