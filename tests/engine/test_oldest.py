"""Making room: the tenth that came first goes, and at least one."""

import pytest

from durward.engine.oldest import forget_oldest


@pytest.mark.parametrize(("size", "left"), [(1, 0), (9, 8), (10, 8), (100, 89)])
def test_the_first_tenth_goes(size: int, left: int) -> None:
    table = {number: str(number) for number in range(size)}
    gone = forget_oldest(table)
    assert gone == [(number, str(number)) for number in range(size - left)]
    assert list(table) == list(range(size - left, size))
