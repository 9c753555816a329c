"""Different values of each key: how many within a while, and no more memory than was said."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.engine import tallies
from durward.engine.tallies import Tally

HITS = some.lists(some.tuples(some.sampled_from("ab"), some.sampled_from("wxyz"), some.integers(0, 200)), max_size=60)


def test_the_same_value_is_one() -> None:
    tally = Tally(60, 5)
    assert [tally.add("k", value, at) for at, value in enumerate(["a", "a", "b", "a", "c"])] == [1, 1, 2, 2, 3]
    assert tally.values("k") == ["b", "a", "c"]
    assert tally.forget("k") == 3
    assert tally.add("k", "a", 9) == 1


@given(HITS)
def test_it_counts_what_a_plain_count_would(hits: list[tuple[str, str, int]]) -> None:
    tally, last = Tally(60, 10), {}
    for key, value, at in sorted(hits, key=lambda hit: hit[2]):
        last[key, value] = at
        expected = sum(1 for (one, _), seen in last.items() if one == key and seen > at - 60)
        assert tally.add(key, value, at) == expected


def test_it_needs_not_count_further_than_it_was_told() -> None:
    tally = Tally(60, 3)
    assert [tally.add("k", str(number), 0) for number in range(10)] == [1, 2, 3, 3, 3, 3, 3, 3, 3, 3]


def test_keys_are_bounded_and_expire() -> None:
    tally = Tally(60, 3, keys_max=100)
    for number in range(1000):
        tally.add(str(number), "v", 0)
    assert len(tally) <= 100
    tally.expire(59)
    assert len(tally) > 0
    tally.expire(60)
    assert len(tally) == 0


def test_the_values_of_all_keys_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "VALUES_IN_ALL_MAX", 100)
    tally = Tally(60, 5)
    for key in range(100):
        for value in range(5):
            tally.add(str(key), str(value), 0)
    tally.expire(1)
    assert 0 < sum(len(tally.values(str(key))) for key in range(100)) <= 100
    assert tally.values("99") != []
