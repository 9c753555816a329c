"""The pace: the first line at once, many lines with few wakes, and nobody waits for long."""

from hypothesis import given
from hypothesis import strategies as some

from durward.daemons.pace import GAP_SECONDS_MAX, GAP_SECONDS_MIN, QUIET_SECONDS, Pace


def test_on_a_quiet_host_every_line_is_read_at_once() -> None:
    pace = Pace()
    for turn in range(10):
        now = 100.0 + turn * (QUIET_SECONDS + 0.01)
        assert pace.wait(now) == 0
        pace.has_read(now)
        assert pace.wait(now) == 0


def test_under_load_the_gap_doubles_up_to_its_bound() -> None:
    pace, now, gaps = Pace(), 100.0, []
    for _ in range(10):
        pace.has_read(now)
        gaps.append(round(pace.wait(now), 6))
        now += gaps[-1]
    assert gaps[:4] == [0.0, GAP_SECONDS_MIN, 2 * GAP_SECONDS_MIN, 4 * GAP_SECONDS_MIN]
    assert gaps[-1] == GAP_SECONDS_MAX


def test_after_a_rest_the_first_line_is_read_at_once_again() -> None:
    pace = Pace()
    for _ in range(10):
        pace.has_read(100.0)
    assert round(pace.wait(100.0), 6) == GAP_SECONDS_MAX
    pace.has_read(100.0 + QUIET_SECONDS + 0.01)
    assert pace.wait(100.0 + QUIET_SECONDS + 0.01) == 0


@given(some.lists(some.floats(0, 1), max_size=50))
def test_no_line_ever_waits_longer_than_the_bound(steps: list[float]) -> None:
    pace, now = Pace(), 0.0
    for step in steps:
        now += step
        assert 0 <= pace.wait(now) <= GAP_SECONDS_MAX
        if pace.wait(now) == 0:
            pace.has_read(now)
