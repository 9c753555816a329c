"""Choosing among rotated copies."""

import gzip
import os
from pathlib import Path

import pytest
from tests.sources.following import Following

from durward.sources import copies as module
from durward.sources.block import Position
from durward.sources.copies import Copies


def position_of(path: Path, offset: int) -> Position:
    status = path.stat()
    return Position(status.st_dev, status.st_ino, offset, path.read_bytes()[max(0, offset - 32) : offset])


@pytest.fixture
def logs(following: Following) -> Following:
    for number in range(1, 8):
        following.append(b"of number %d\n" % number, f"app.log.{number}")
    return following


def test_the_same_file_the_same_bytes_and_what_is_newer(logs: Following) -> None:
    third = position_of(logs.rotated(3), 5)
    logs.rotated(2).rename(logs.rotated(9))
    logs.rotated(2, ".gz").write_bytes(gzip.compress(b"of number 2\n"))
    second = Position(1, 1, 12, b"of number 2\n")
    with Copies(logs.opener, str(logs.log)) as copies:
        assert copies.same_file(third) == 2
        assert copies.same_file(second) is None
        assert copies.same_bytes(second) == 1
        assert copies.same_bytes(second, packed=False) is None
        assert copies.same_bytes(second, modified_from=logs.now + 3600) is None
        assert copies.same_bytes(Position(1, 1, 12, b"of number 9\n")) is None
        assert copies.same_bytes(Position(1, 1, 0)) is None
        held = {(logs.rotated(1).stat().st_dev, logs.rotated(1).stat().st_ino)}
        assert copies.newer(2, set()) == [1, 0]
        assert copies.newer(2, held) == [1]


def test_a_taken_copy_outlives_the_others(logs: Following) -> None:
    with Copies(logs.opener, str(logs.log)) as copies:
        tail = copies.take(0, None, logs.now, backlog=True)
        assert copies.newer(1, set()) == []
    piece = tail.read(final=False)
    assert piece is not None
    assert (piece.data, tail.kind_at(piece.position)) == (b"of number 1\n", "backlog")
    tail.close()
    open_files = [os.path.basename(os.path.realpath(entry)) for entry in Path("/proc/self/fd").iterdir()]  # noqa: PTH119
    assert [name for name in open_files if name.startswith("app.log")] == []


def test_only_five_are_looked_at_and_other_things_are_not(logs: Following) -> None:
    logs.rotated(1).unlink()
    logs.rotated(1).mkdir()
    logs.rotated(2).rename(logs.rotated(2, ".zst"))
    seventh = position_of(logs.rotated(7), 5)
    fourth = position_of(logs.rotated(4), 5)
    with Copies(logs.opener, str(logs.log)) as copies:
        assert copies.same_file(fourth) == 1
        assert copies.same_file(seventh) is None


def test_a_search_has_an_end(logs: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEARCH_BYTES_MAX", 20)
    for number in (1, 2, 3):
        logs.rotated(number).unlink()
        logs.rotated(number, ".gz").write_bytes(gzip.compress(b"of number %d\n" % number))
    with Copies(logs.opener, str(logs.log)) as copies:
        assert copies.same_bytes(Position(1, 1, 12, b"of number 2\n")) is None
        assert copies.unpacked > 20


def test_the_copy_before_for_memory(logs: Following) -> None:
    os.utime(logs.rotated(2), (0, 0))
    with Copies(logs.opener, str(logs.log)) as copies:
        assert copies.older(None, logs.now - 3600) == 0
        assert copies.older(0, logs.now - 3600) is None
        assert copies.older(1, logs.now - 3600) == 2
        assert copies.older(4, 0) is None
        assert copies.content(0).window(0, 2) == b"of"


def test_a_compressed_copy_is_not_taken_for_an_unread_file_by_its_number_alone(logs: Following) -> None:
    logs.rotated(1).rename(logs.rotated(1, ".gz"))
    with Copies(logs.opener, str(logs.log)) as copies:
        assert copies.same_file(position_of(logs.rotated(1, ".gz"), 0)) is None
        assert copies.same_file(position_of(logs.rotated(2), 0)) == 1
