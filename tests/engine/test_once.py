"""Who was seen once: found again, forgotten, and bounded where everything is full."""

from durward.engine.once import WAYS, Once


def test_the_second_time_gives_the_first_and_forgets_it() -> None:
    once = Once(1024)
    assert once.note("a", 5, 0) is None
    assert (once.get("a"), len(once), once.newest) == (5, 1, 5)
    assert once.note("a", 9, 0) == 5
    assert (once.get("a"), len(once)) == (None, 0)


def test_what_is_too_old_is_replaced() -> None:
    once = Once(1024)
    once.note("a", 5, 0)
    assert once.note("a", 9, 5) is None
    assert (once.get("a"), len(once)) == (9, 1)


def test_taking_it_out() -> None:
    once = Once(1024)
    once.note("a", 5, 0)
    assert (once.take("a"), once.take("a"), once.take("b"), len(once)) == (5, None, None, 0)


def test_many_keys_keep_their_own_marks() -> None:
    once = Once(1 << 16)
    for number in range(10_000):
        assert once.note(f"key {number}", number + 1, 0) is None
    assert [once.get(f"key {number}") for number in range(10_000)] == list(range(1, 10_001))


def test_where_it_is_full_the_oldest_of_a_neighbourhood_goes() -> None:
    once = Once(WAYS + 1)  # all keys have the same places
    for number in range(20):
        once.note(f"key {number}", number + 1, 0)
    assert [number for number in range(20) if once.get(f"key {number}")] == list(range(12, 20))
    assert len(once) == WAYS
