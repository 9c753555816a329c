"""Marks: bounded, a minute apart, and always far enough back."""

from hypothesis import given
from hypothesis import strategies as st

from durward.sources.block import MARKS_MAX
from durward.sources.marks import MARK_SECONDS, memory_begins, noted


@given(st.lists(st.floats(-100, 400), max_size=300), st.floats(0, 20_000))
def test_nothing_younger_than_the_horizon_lies_before_the_memory(steps: list[float], back: float) -> None:
    marks: tuple[tuple[float, int], ...] = ()
    now, offset, read = 1e9, 0, []
    for step in steps:
        now += abs(step)
        marks = noted(marks, now, offset)
        read.append((now, offset))
        offset += 100
        assert len(marks) <= MARKS_MAX
    begin = memory_begins(marks, now - back)
    assert all(at <= now - back for at, start in read if start < begin)


def test_marks_are_a_minute_apart_and_survive_a_clock_set_back() -> None:
    marks = noted((), 1000.0, 0)
    assert noted(marks, 1000.0 + MARK_SECONDS - 1, 10) is marks
    assert noted(marks, 1000.0 + MARK_SECONDS, 10) == ((1000.0, 0), (1060.0, 10))
    assert noted(marks, 500.0, 10) == ((1000.0, 0), (500.0, 10))


def test_many_marks_still_reach_back() -> None:
    marks: tuple[tuple[float, int], ...] = ()
    for minute in range(1000):
        marks = noted(marks, minute * 60.0, minute)
    assert marks[0] == (0.0, 0)
    assert [offset for _, offset in marks[-30:]] == list(range(970, 1000))
    assert memory_begins(marks, 990 * 60.0) == 990
