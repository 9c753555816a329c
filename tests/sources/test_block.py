"""Positions as the store keeps them, and the places of lines in a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.sources.block import Block, Position
from durward.sources.opening import SourceError

NUMBERS = st.integers(0, 2**63)
MARKS = st.lists(st.tuples(st.floats(0, 1e10), NUMBERS), max_size=64).map(tuple)


@given(NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=32), MARKS)
def test_what_is_written_is_read(device: int, inode: int, offset: int, before: bytes, marks: object) -> None:
    older = Position(inode, device, 7, before)
    position = Position(device, inode, offset, before, marks, (older, older))  # type: ignore[arg-type]
    assert Position.from_text(position.to_text()) == position


@pytest.mark.parametrize(
    "text",
    ["", "[]", "1", "null", '{"device": 1}', "{" * 100_000, Position(1, 2, 3).to_text().replace("3", "-3")]
    + [Position(1, 2, 3, b"x").to_text().replace(*change) for change in (('"78"', '"7"'), ("3", "true"), ("[]", "7"))],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="not a position"):
        Position.from_text(text)


def test_positions_within_positions_end() -> None:
    deep = Position(1, 2, 3, older=(Position(1, 2, 3, older=(Position(4, 5, 6),)),))
    with pytest.raises(SourceError):
        Position.from_text(deep.to_text())


def test_places() -> None:
    assert Block("file:/x", 100, b"a\nb\n", "live").place_of(102) == 102
    block = Block("journal", 0, b"a\nb\n", "live", ((0, "s=1"), (2, "s=2")))
    assert [block.place_of(offset) for offset in (0, 1, 2, 3)] == ["s=1", "s=1", "s=2", "s=2"]
