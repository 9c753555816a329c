"""Windows: exactly what lies within the span counts, in whatever order it comes, and memory is bounded."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from durward.engine import windows
from durward.engine.recollection import RECORD_BITS, RECORDS_MAX
from durward.engine.windows import Window


def mark(milliseconds: int, record: int = 0) -> int:
    return milliseconds << RECORD_BITS | record


@given(
    some.lists(some.tuples(some.integers(0, 60_000), some.integers(0, RECORDS_MAX - 1)), max_size=60),
    some.integers(1, 30),
)
@example([(0, RECORDS_MAX - 1), (10_000, 0)], 10)
def test_what_counts_is_what_lies_within_the_span_of_the_newest(hits: list[tuple[int, int]], seconds: int) -> None:
    window, naive = Window(seconds, keep=1000), []
    for milliseconds, record in hits:
        naive = [*naive, mark(milliseconds, record)]
        newest = max(naive) >> RECORD_BITS
        naive = sorted(one for one in naive if one >> RECORD_BITS > newest - seconds * 1000)
        assert window.add("a", mark(milliseconds, record)) == len(naive)
        assert window.marks("a") == naive


HIT = some.tuples(some.sampled_from("abc"), some.integers(0, 60_000), some.integers(1, 3))


@given(some.lists(HIT, max_size=60), some.integers(1, 30))
def test_very_many_keys_are_counted_as_few_are(hits: list[tuple[str, int, int]], seconds: int) -> None:
    """In the order of time, as lines come; with `few_keys` of 0 every first hit is kept apart."""
    few, many = Window(seconds, keep=9), Window(seconds, keep=9, few_keys=0)
    for number, (key, milliseconds, weight) in enumerate(sorted(hits, key=lambda hit: hit[1])):
        now = mark(milliseconds, number)
        assert many.add(key, now, weight) == few.add(key, now, weight)
        assert many.marks(key) == few.marks(key)
    many.forget("a")
    assert many.marks("a") == []
    many.expire(200)
    assert len(many) == 0


@given(some.lists(some.integers(0, 20_000), min_size=1, max_size=40), some.integers(1, 6), some.integers(1, 10))
def test_the_threshold_is_reached_exactly_when_so_many_lie_within_the_span(
    times: list[int], count: int, seconds: int
) -> None:
    """Keeping only `count` marks, as a detector does, changes nothing about when it is reached."""
    window, naive = Window(seconds, keep=count), []
    for number, milliseconds in enumerate(sorted(times)):
        naive = [one for one in (*naive, milliseconds) if one > milliseconds - seconds * 1000]
        assert (window.add("a", mark(milliseconds, number)) >= count) == (len(naive) >= count)


@given(some.lists(some.tuples(some.integers(0, 9_000), some.integers(1, 9)), max_size=20), some.integers(1, 5))
def test_no_key_holds_more_than_it_should_keep(hits: list[tuple[int, int]], keep: int) -> None:
    window = Window(10, keep=keep)
    for number, (milliseconds, weight) in enumerate(hits):
        assert window.add("a", mark(milliseconds, number), weight) >= min(weight, keep)
        assert len(window.marks("a")) <= keep


def test_a_hit_of_much_weight_counts_as_many() -> None:
    window = Window(10, keep=5)
    assert window.add("a", mark(1), 3) == 3
    assert window.add("a", mark(2), 1) == 4
    assert window.add("a", mark(3), 9) == 5


def test_keys_are_counted_apart_and_forgotten_apart() -> None:
    window = Window(10, keep=5)
    assert [window.add(key, mark(1)) for key in "aba"] == [1, 1, 2]
    window.forget("a")
    window.forget("nobody")
    assert (window.marks("a"), window.marks("b"), len(window)) == ([], [mark(1)], 1)


@pytest.mark.parametrize(("now", "left"), [(10.999, ["a", "b"]), (11.0, ["b"]), (12.5, ["b"]), (13.0, [])])
def test_keys_whose_newest_hit_is_too_old_are_let_go(now: float, left: list[str]) -> None:
    window = Window(10, keep=5)
    window.add("a", mark(1000, 17))
    window.add("b", mark(1000, 18))
    window.add("b", mark(3000, 19))
    window.expire(now)
    assert [key for key in "ab" if window.marks(key)] == left
    assert len(window) == len(left)


def test_a_full_window_first_lets_go_of_what_is_over() -> None:
    window = Window(10, keep=5, keys_max=10)
    for number in range(9):
        window.add(f"old {number}", mark(number))
    window.add("fresh", mark(60_000))
    window.add("one more", mark(60_001))
    assert len(window) == 2
    assert window.marks("fresh")


def test_a_window_full_of_fresh_keys_forgets_a_tenth_of_those_seen_first() -> None:
    window = Window(10, keep=5, keys_max=20)
    for number in range(100):
        assert window.add(f"key {number}", mark(number)) == 1
        assert len(window) <= 20
        assert window.marks(f"key {number}")
    assert not window.marks("key 0")


def test_the_marks_of_all_keys_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MARKS_MAX", 100)
    window = Window(10, keep=5)
    for key in range(100):
        for number in range(5):
            window.add(f"key {key}", mark(1000 + key, number))
    window.expire(2)
    assert 0 < sum(len(window.marks(f"key {key}")) for key in range(100)) <= 100
    assert window.marks("key 99") != []
