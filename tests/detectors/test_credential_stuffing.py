"""Waves of stolen passwords: nothing without a wave, quick within one, and never against those who log in well."""

from typing import Any

from tests.engine.samples import NOW, event, threshold

from durward.detectors.credential_stuffing import Detector
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Incident, Subject

HOME = "198.51.100.7"


def detector(room: Room | None = None, **limits: Any) -> Detector:
    given = {"count": 2, "distinct": 5, "within": 600.0, **limits}
    return Detector(
        "credential_stuffing",
        DetectorPolicy(threshold(**given), frozenset({"auth.failure"}), values={"accounts": 10}),
        room or Room(),
    )


def failed(to: Detector, at: float, source: str, user: str | None, **fields: Any) -> list[Incident]:
    one = event(at, source, user_name=user, **fields)
    return list(to.feed(one, Subject.parse(source), one.at))


def wave(to: Detector, sources: int = 10, accounts: int = 10) -> None:
    for number in range(10):
        assert failed(to, number, f"203.0.113.{number % sources + 1}", f"u{number % accounts}") == []


def test_a_second_account_of_one_address_within_a_wave() -> None:
    mine = detector()
    wave(mine)
    (found,) = failed(mine, 20, "203.0.113.1", "another")
    assert (found.subject.value, found.count, found.threshold) == ("203.0.113.1", 2, 2)
    assert found.reason == "2 sshd accounts tried in 20 s, in a wave of failures"
    assert failed(mine, 21, "203.0.113.1", "a third") == [], "and then from the beginning"


def test_his_own_account_again_and_again_is_a_person() -> None:
    mine = detector()
    wave(mine)
    assert [one for at in range(20) for one in failed(mine, 20 + at, HOME, "bob")] == []


def test_few_addresses_or_few_accounts_are_no_wave() -> None:
    for sources, accounts in ((1, 1), (10, 3)):
        mine = detector(count=3)
        wave(mine, sources, accounts)
        assert [one for at in range(2) for one in failed(mine, 20 + at, "203.0.113.1", f"v{at}")] == []


def test_only_within_a_wave_is_anybody_near_to_a_block() -> None:
    mine = detector(count=3)
    for number in range(2):
        failed(mine, number, "203.0.113.1", f"u{number}")
    assert mine.nearest(Subject.parse("203.0.113.1")) == (0, 3)
    wave(mine)
    assert mine.nearest(Subject.parse("203.0.113.1")) == (2, 3)


def test_an_hour_later_the_wave_is_over() -> None:
    mine = detector()
    wave(mine)
    mine.tick(NOW + 3600)
    assert [one for at in range(5) for one in failed(mine, 3600 + at, HOME, f"v{at}")] == []


def test_who_logs_in_well_is_left_alone() -> None:
    room = Room()
    room.familiar.note(Subject.parse(HOME), "ann", NOW - 60)
    mine = detector(room)
    wave(mine)
    assert [one for at in range(5) for one in failed(mine, 20 + at, HOME, f"v{at}")] == []
    assert failed(mine, 30, "203.0.113.1", None) == []
