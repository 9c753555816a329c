"""Guessing slowly: whose accounts are counted, whose are not, and with which lines he is accused."""

from collections.abc import Sequence
from typing import Any

from tests.engine.samples import HERE, NOW, SUBJECT, event, threshold

from durward.detectors import slow_guessing
from durward.detectors.slow_guessing import Detector
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Incident, Subject

HEARS = frozenset({"auth.failure", "auth.success"})
MINUTES = 60.0


def detector(room: Room | None = None, **limits: Any) -> Detector:
    limits = {"count": 4, "within": 86_400.0, **limits}
    return Detector("slow_guessing", DetectorPolicy(threshold(**limits), HEARS), room or Room())


def tried(to: Detector, accounts: Sequence[str | None], at: float = 0.0, **fields: Any) -> list[Incident]:
    """One account each twenty minutes."""
    found: list[Incident] = []
    for turn, account in enumerate(accounts):
        one = event(at + 20 * MINUTES * turn, user_name=account, **fields)
        found += to.feed(one, SUBJECT, one.at)
    return found


def test_the_account_that_is_one_too_many_accuses_with_a_line_for_each() -> None:
    to = detector()
    assert tried(to, "abc") == []
    assert to.nearest(SUBJECT) == (3, 4)
    (found,) = tried(to, "d", 3600.0)
    assert (found.subject, found.count, found.threshold) == (SUBJECT, 4, 4)
    assert (found.first_at, found.last_at) == (NOW, NOW + 3600)
    assert found.reason == "failed logins to 4 different accounts in 60 min"
    assert len(found.evidence) == 4
    assert to.nearest(SUBJECT) == (0, 4)


def test_the_same_account_counts_once_however_it_is_spelt() -> None:
    assert tried(detector(), ["bob", "Bob", "BOB"] * 30) == []


def test_what_names_no_account_or_no_source_or_counts_nothing_is_not_counted() -> None:
    to = detector()
    assert tried(to, [None, "", None, ""] * 5) == []
    assert tried(to, "abcdefgh", hits=0) == []
    assert [to.feed(event(user_name=name), None, NOW) for name in "abcdefgh"] == [()] * 8
    assert to.nearest(SUBJECT) == (0, 4)


def test_whoever_comes_in_at_last_had_mistyped() -> None:
    to = detector()
    assert tried(to, "abc") == []
    assert tried(to, "abc", 5000.0, kind="auth.success", hits=0) == []
    assert to.nearest(SUBJECT) == (0, 4)
    assert tried(to, "def", 9000.0) == []


def test_accounts_that_the_source_logs_in_to_do_not_count() -> None:
    room = Room()
    for name in "abc":
        room.familiar.note(SUBJECT, name, NOW - 60)
    to = detector(room)
    assert tried(to, "abcabc") == []
    (found,) = tried(to, "wxyz", 9000.0)
    assert found.familiar, "it is an office with somebody in it who guesses"


def test_what_is_too_old_is_forgotten() -> None:
    to = detector(within=3600.0)
    assert tried(to, "abcdefghijkl") == [], "never more than three within an hour"
    to.tick(NOW + 86_400.0)
    assert to.nearest(SUBJECT) == (0, 4)


def test_forgotten_is_forgotten() -> None:
    to = detector()
    tried(to, "abc")
    to.forget(SUBJECT)
    assert tried(to, "d", 5000.0) == []


def test_sources_are_as_many_as_there_is_room_for() -> None:
    to = detector()
    for number in range(slow_guessing.SOURCES_MAX + 10):
        source = f"198.18.{number // 250}.{number % 250}"
        to.feed(event(source_ip=source, user_name="a"), Subject("address", source), NOW)
    assert len(to._sources) <= slow_guessing.SOURCES_MAX
    assert tried(to, "abc") == []
    (found,) = tried(to, "d", 4000.0, source_ip=HERE)
    assert found.subject == SUBJECT
