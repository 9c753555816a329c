"""Escalation: each block is longer than the last, up to a ceiling; forgotten in time, forgiven where it was wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.engine.samples import SUBJECT, threshold

from durward.engine import escalation
from durward.engine.escalation import Escalation
from durward.model import FOREVER, Subject

DAY = 86400.0
HOUR = 3600.0


def lengths(count: int, every: float = DAY, **fields: float) -> list[float]:
    """The lengths of so many blocks, one after the other."""
    rule, grows, found = threshold(**fields), Escalation(), []  # type: ignore[arg-type]
    for turn in range(count):
        found.append(grows.seconds(SUBJECT, turn * every, rule))
        grows.note(SUBJECT, turn * every, rule.remember_seconds)
    return found


def test_each_block_is_twice_as_long_up_to_the_ceiling() -> None:
    assert lengths(6, most=10 * HOUR) == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 10 * HOUR, 10 * HOUR]


@pytest.mark.parametrize(("escalate", "third"), [(1.0, HOUR), (1.5, 2.25 * HOUR), (10.0, 100 * HOUR)])
def test_how_much_longer_is_a_setting(escalate: float, third: float) -> None:
    assert lengths(3, escalate=escalate)[-1] == third


def test_what_lies_long_back_is_forgotten() -> None:
    assert lengths(3, every=31 * DAY) == [HOUR, HOUR, HOUR]
    assert lengths(3, every=30 * DAY) == [HOUR, 2 * HOUR, 4 * HOUR]


def test_a_first_block_may_be_longer_than_the_ceiling() -> None:
    assert lengths(2, block=DAY, most=HOUR) == [DAY, DAY]
    assert lengths(2, block=FOREVER, most=DAY) == [FOREVER, FOREVER]
    assert lengths(50, most=FOREVER)[-1] > 1e12


def test_a_forgiven_block_does_not_count() -> None:
    rule, grows = threshold(), Escalation({SUBJECT.value: (3, 0.0)})
    assert grows.seconds(SUBJECT, 0.0, rule) == 8 * HOUR
    for expected in (4 * HOUR, 2 * HOUR, HOUR, HOUR):
        grows.forgive(SUBJECT)
        assert grows.seconds(SUBJECT, 0.0, rule) == expected


def test_subjects_are_counted_apart() -> None:
    grows = Escalation()
    grows.note(SUBJECT, 0.0, DAY)
    assert grows.count(SUBJECT, 1.0, DAY) == 1
    assert grows.count(Subject.parse("198.51.100.7"), 1.0, DAY) == 0


def test_memory_is_bounded_and_who_was_blocked_last_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalation, "SUBJECTS_MAX", 10)
    grows = Escalation()
    for number in range(30):
        grows.note(Subject.parse(f"198.51.100.{number}"), float(number), DAY)
        grows.note(SUBJECT, float(number), DAY)
    assert grows.count(SUBJECT, 30.0, DAY) == 30
    assert grows.count(Subject.parse("198.51.100.29"), 30.0, DAY) == 1
    assert grows.count(Subject.parse("198.51.100.1"), 30.0, DAY) == 0


@given(some.integers(1, 60), some.floats(1, 100), some.floats(10, 1e6), some.floats(10, 1e8))
def test_blocks_never_become_shorter_nor_longer_than_the_ceiling(
    count: int, escalate: float, block: float, most: float
) -> None:
    found = lengths(count, every=60.0, escalate=escalate, block=block, most=most)
    assert found == sorted(found)
    assert found[0] == block
    assert all(length <= max(block, most) for length in found)
