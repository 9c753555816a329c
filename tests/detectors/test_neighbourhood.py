"""Bad neighbourhoods: different sources count, IPv6 climbs, and no network is wider than was said."""

from typing import Any

from tests.engine.samples import NOW, event, threshold

from durward.detectors.neighbourhood import Detector
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Incident, Subject


def detector(count: int = 3, **values: Any) -> Detector:
    return Detector("neighbourhood", DetectorPolicy(threshold(count=count), frozenset(), values=values), Room())


def blocked(to: Detector, *subjects: str) -> list[Incident]:
    found: list[Incident] = []
    for at, text in enumerate(subjects):
        one = event(at, line=f"{text} is blocked".encode(), position=text)
        found += to.feed(one, Subject.parse(text), one.at)
    return found


def test_different_addresses_of_one_network() -> None:
    (found,) = blocked(detector(), "203.0.113.1", "203.0.113.2", "198.51.100.1", "203.0.113.3")
    assert (found.subject.value, found.count, found.threshold) == ("203.0.113.0/24", 3, 3)
    assert found.reason == "3 sources in 203.0.113.0/24 were blocked in 3 s"
    assert [line.text for line in found.evidence] == [f"203.0.113.{one} is blocked" for one in (1, 2, 3)]


def test_the_same_address_again_is_no_neighbour() -> None:
    assert blocked(detector(), *["203.0.113.1"] * 20) == []


def test_ipv6_climbs_step_by_step_and_stops_where_it_should() -> None:
    rising = detector()
    networks = [f"2001:db8:0:{high}0{low}::/64" for high in (1, 2, 3) for low in (1, 2, 3)]
    assert [one.subject.value for one in blocked(rising, *networks)] == [
        "2001:db8:0:100::/56",
        "2001:db8:0:200::/56",
        "2001:db8::/48",
    ]
    assert blocked(detector(prefix_v6=64), *networks) == []


def test_a_network_that_is_as_wide_already_has_no_neighbourhood() -> None:
    assert blocked(detector(count=2), "203.0.113.0/24", "203.0.113.0/24") == []


def test_who_is_let_in_again_begins_at_nothing() -> None:
    mine = detector()
    blocked(mine, "203.0.113.1", "203.0.113.2")
    assert mine.nearest(Subject.parse("203.0.113.0/24")) == (2, 3)
    mine.forget(Subject.parse("203.0.113.0/24"))
    assert blocked(mine, "203.0.113.3") == []
    mine.tick(NOW + 10 * 86400)
    assert mine.nearest(Subject.parse("203.0.113.0/24")) == (0, 3)
