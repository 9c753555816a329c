"""Too many connections are said once as long as they last, and not of whoever was just let in again."""

from durward.catalog.detector_card import read_detector
from durward.catalog.shelf import directories_of
from durward.config.settings import detector_settings
from durward.detectors.connections import GRACE_SECONDS
from durward.engine.assembly import assemble, detector_policy
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.model import Decision, Event, Subject

CARD = read_detector(next(iter(directories_of("detectors"))) / "connections.toml")
NOW = 1_795_421_400.0
SOURCE = Subject("address", "203.0.113.9")
LINES = b"203.0.113.9:40000 \xe2\x86\x92 port 80, established\nand 400 more"


def engine() -> Engine:
    settings = detector_settings(CARD, {"count": 300})
    return assemble(Policy({CARD.id: detector_policy(CARD, settings, {})}), [CARD])


def seen(one: Engine, at: float, hits: int = 401) -> list[Decision]:
    event = Event("connections.open", at, at, "tcp", "connections", "7", LINES, SOURCE.value, hits=hits)
    return one.feed(event)


def test_the_incident_says_how_many_and_lists_some() -> None:
    (decision,) = seen(engine(), NOW)
    incident = decision.incident
    assert incident is not None
    assert (decision.reason, incident.count, incident.threshold) == ("401 connections at once", 401, 300)
    assert [(one.position, one.text) for one in incident.evidence] == [
        ("7.1", "203.0.113.9:40000 → port 80, established"),
        ("7.2", "and 400 more"),
    ]


def test_whoever_was_let_in_has_time_to_be_rid_of_his_connections() -> None:
    one = engine()
    assert len(seen(one, NOW)) == 1
    one.unblock(SOURCE)
    assert seen(one, NOW + 30) == []
    assert seen(one, NOW + 29 + GRACE_SECONDS) == []
    assert len(seen(one, NOW + 31 + GRACE_SECONDS)) == 1


def test_whom_a_guard_protects_is_not_tried_again_at_each_pass() -> None:
    one, tried = engine(), 0
    for turn in range(100):
        decided = seen(one, NOW + 30 * turn)
        tried += len(decided)
        if decided:
            one.unblock(SOURCE, forgive=False)  # as after a refusal
    assert tried == 1 + 99 * 30 // (GRACE_SECONDS + 30)
