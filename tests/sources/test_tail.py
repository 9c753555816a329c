"""One open file read forwards: what changed before the offset is noticed, ends are kept."""

import os
from collections.abc import Iterator

import pytest

from durward.sources.block import BLOCK_BYTES_MAX
from durward.sources.content import Plain
from durward.sources.tail import FIRST_BYTES, ChangedError, Tail


@pytest.fixture
def number() -> Iterator[int]:
    given = os.memfd_create("log")
    yield given
    os.close(given)


def test_a_change_before_the_offset_is_noticed(number: int) -> None:
    os.write(number, b"one\ntwo\n")
    tail = Tail(Plain(number), now=0)
    piece = tail.read(final=False)
    assert piece is not None
    assert (piece.position, piece.data, piece.taken) == (0, b"one\ntwo\n", 8)
    assert tail.read(final=False) is None
    os.pwrite(number, b"X", 6)
    with pytest.raises(ChangedError):
        tail.read(final=False)
    os.ftruncate(number, 3)
    with pytest.raises(ChangedError):
        tail.read(final=False)
    tail.restart()
    assert tail.read(final=False) is None
    piece = tail.read(final=True)
    assert piece is not None
    assert piece.data == b"one\n"


def test_reads_grow_with_what_is_there(number: int) -> None:
    text = b"x" * 99 + b"\n"
    os.write(number, text * 10_000)
    tail = Tail(Plain(number), now=0)
    sizes = []
    while (piece := tail.read(final=False)) is not None:
        sizes.append(len(piece.data))
    assert sum(sizes) == 1_000_000
    assert FIRST_BYTES - 100 < sizes[0] <= FIRST_BYTES
    assert BLOCK_BYTES_MAX - 100 < sizes[1] <= BLOCK_BYTES_MAX


def test_a_line_longer_than_the_first_read(number: int) -> None:
    os.write(number, b"x" * (FIRST_BYTES + 5))
    tail = Tail(Plain(number), now=0)
    assert tail.read(final=False) is None
    os.write(number, b"\n")
    piece = tail.read(final=False)
    assert piece is not None
    assert len(piece.data) == FIRST_BYTES + 6


def test_backlog_ends_where_it_was_when_we_came(number: int) -> None:
    os.write(number, b"one\ntwo\nbegun")
    tail = Tail(Plain(number), now=0)
    tail.backlog_until = 13
    os.write(number, b" and ended\nfour\n")
    pieces = []
    while (piece := tail.read(final=False)) is not None:
        pieces.append((piece.data, tail.kind_at(piece.position)))
    assert pieces == [(b"one\ntwo\n", "backlog"), (b"begun and ended\nfour\n", "backlog")]
    os.write(number, b"five\n")
    piece = tail.read(final=False)
    assert piece is not None
    assert tail.kind_at(piece.position) == "live"


def test_memory_ends_at_its_end_and_begins_with_a_whole_line(number: int) -> None:
    os.write(number, b"one\ntwo\nthree\nfour\n")
    tail = Tail(Plain(number), now=0)
    tail.move(2)
    tail.end, tail.memory = 14, True
    piece = tail.read(final=False)
    assert piece is not None
    assert (piece.position, piece.data, tail.kind_at(piece.position)) == (4, b"two\nthree\n", "memory")
    assert tail.read(final=False) is None


def test_a_name_is_lost_when_the_last_one_goes(number: int) -> None:
    assert Tail(Plain(number), now=0).nameless
