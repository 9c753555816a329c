"""Where a later engine goes on, and what it reads again only to remember."""

import bz2
import gzip
import lzma
import os
import shutil
import time
from pathlib import Path

import pytest
from tests.sources.following import Following

from durward.sources import resuming
from durward.sources.opening import SourceError
from durward.sources.resuming import open_tail


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, last + 1))


def test_backlog_then_live(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.append(numbered(4, 5))
    following.lines()
    following.stop()
    following.append(numbered(6, 7))
    following.start(following.saved)
    following.append(numbered(8, 9))
    kinds = [(block.kind, block.data) for block in following.blocks()]
    assert kinds == [("memory", numbered(1, 5)), ("backlog", numbered(6, 7)), ("live", numbered(8, 9))]


def test_a_first_start_remembers_the_end(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "MEMORY_BYTES_MAX", 20)
    following.append(numbered(1, 9) + b"begun")
    following.start()
    (block,) = following.blocks()
    assert (block.kind, block.position, block.data) == ("memory", 49, numbered(8, 9))
    position = following.file.position
    assert position is not None
    assert position.offset == len(numbered(1, 9))


def test_old_files_are_not_remembered(following: Following) -> None:
    following.append(numbered(1, 3))
    os.utime(following.log, (0, time.time() - 7200))
    following.start()
    assert following.blocks() == []
    following.append(b"new\n")
    assert following.lines("live") == [b"new"]


def test_marks_bound_the_memory(following: Following) -> None:
    following.append(b"")
    following.start()
    for number in range(1, 200):
        following.append(b"line %d\n" % number)
        assert following.lines("live", seconds=30) == [b"line %d" % number]
    following.stop()
    os.utime(following.log, (following.now, following.now))
    following.start(following.saved)
    (block,) = following.blocks()
    assert block.kind == "memory"
    first = int(block.data.split()[1])
    assert 70 <= first <= 199 - 120 + 1  # an hour holds 120 of them; marks are taken every minute, the older ones fewer
    assert block.data.endswith(b"line 199\n")


def test_memory_reaches_into_the_file_before(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.log.rename(following.rotated())
    following.append(numbered(4, 5))
    assert following.reopened() == [b"line 4", b"line 5"]
    following.lines(seconds=6)
    following.restart()
    assert [(block.kind, block.data) for block in following.blocks()] == [
        ("memory", numbered(1, 3)),
        ("memory", numbered(4, 5)),
    ]
    following.restart()
    assert following.lines("memory") == numbered(1, 5).splitlines()


def test_memory_while_the_file_before_is_still_drained(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.log.rename(following.rotated())
    following.append(numbered(4, 5))
    following.reopened()
    following.restart()
    following.append(b"late\n", "app.log.1")
    assert [(block.kind, block.data) for block in following.blocks()] == [
        ("memory", numbered(1, 3)),
        ("memory", numbered(4, 5)),
        ("live", b"late\n"),
    ]


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz"])
def test_rotated_while_nobody_watched(following: Following, suffix: str) -> None:
    packers = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.stop()
    following.append(numbered(4, 5) + (b"no end" if suffix else b"the end\n"))
    text = following.log.read_bytes()
    following.log.unlink()
    following.rotated(3, suffix).write_bytes(packers[suffix](text))
    following.rotated(2).write_bytes(numbered(6, 7))
    following.rotated(1, ".gz").write_bytes(gzip.compress(numbered(8, 9)))
    following.append(numbered(10, 11))
    following.start(following.saved)
    lines = following.lines("backlog")
    assert lines == [*numbered(4, 5).splitlines(), b"no end" if suffix else b"the end", *numbered(6, 11).splitlines()]
    assert following.lines(seconds=6) == []


def test_a_copy_that_is_being_compressed_is_read_once(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.stop()
    following.append(numbered(4, 5))
    following.log.rename(following.rotated())
    following.rotated(1, ".gz").write_bytes(gzip.compress(following.rotated().read_bytes())[:-9])
    following.append(numbered(6, 6))
    following.start(following.saved)
    assert following.lines() == numbered(4, 6).splitlines()


def test_moved_to_another_disk(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.stop()
    moved = following.log.with_name("moved")
    moved.write_bytes(following.log.read_bytes() + numbered(4, 4))
    moved.rename(following.log)
    following.start(following.saved)
    assert following.lines() == [b"line 4"]


def test_what_is_gone_is_counted(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.stop()
    following.log.unlink()
    following.append(numbered(4, 4))
    following.start(following.saved)
    assert following.lines("backlog") == [b"line 4"]
    assert following.file.lost_files == 1


def test_absent_at_the_start_and_there_later(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.stop()
    following.append(numbered(4, 4))
    following.log.rename(following.rotated())
    following.start(following.saved)
    assert following.lines() == [b"line 4"]
    following.append(b"late\n", "app.log.1")
    assert following.lines(seconds=1) == [b"late"]
    following.append(numbered(5, 5))
    assert following.reopened() == [b"line 5"]


def test_a_file_that_cannot_be_read_at_first_is_still_begun_at_its_end(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    following.append(numbered(1, 3))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", broken)
        following.start()
        assert following.file.failed
        assert following.lines() == []
    following.append(numbered(4, 4))
    assert following.reopened() == []
    following.append(numbered(5, 5))
    assert following.lines("live") == [b"line 5"]


def test_a_position_is_kept_while_the_file_cannot_be_read(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    following.append(numbered(1, 3))
    following.start()
    following.stop()
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", broken)
        following.start(following.saved)
        assert following.lines() == []
    assert following.file.position == following.saved
    following.append(numbered(4, 4))
    assert following.reopened() == [b"line 4"]


def test_open_tail_says_what_is_wrong(following: Following, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a regular file"):
        open_tail(following.opener, str(tmp_path), 0)


def test_an_unseen_copy_that_is_being_compressed_is_read_once(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.stop()
    following.log.rename(following.rotated(2))
    following.append(numbered(4, 5), "app.log.1")
    following.rotated(1, ".gz").write_bytes(gzip.compress(numbered(4, 5)))
    following.append(numbered(6, 6))
    following.start(following.saved)
    assert following.lines() == numbered(4, 6).splitlines()


def test_the_log_is_a_link_to_the_newest_of_its_dated_files(following: Following) -> None:
    following.append(numbered(1, 3), "app.log-20261122")
    following.log.symlink_to("app.log-20261122")
    following.start()
    following.lines()
    following.stop()
    following.append(numbered(4, 4), "app.log-20261122")
    following.append(numbered(5, 5), "app.log-20261123")
    following.append(numbered(6, 6), "app.log-20261124")
    following.log.unlink()
    following.log.symlink_to("app.log-20261124")
    following.start(following.saved)
    assert following.lines() == numbered(4, 6).splitlines()


def test_a_copy_that_ends_within_a_line(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.stop()
    following.append(b"begun")
    shutil.copyfile(following.log, following.rotated())
    os.truncate(following.log, 0)
    following.append(b" anew\n")
    following.start(following.saved)
    assert following.lines() == [b"begun", b" anew"]


def test_two_restarts_without_a_read_between_them(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.lines()
    following.log.rename(following.rotated(2))
    following.append(numbered(4, 4), "app.log.1")
    following.append(b"")
    assert following.reopened() == [b"line 4"]  # three files are known now, and two of them drained
    for _ in range(2):
        following.restart()
    following.append(numbered(5, 5))
    assert following.lines() == [b"line 5"]


def test_two_restarts_after_a_copytruncate(following: Following) -> None:
    following.append(numbered(1, 3))
    following.start()
    following.log.rename(following.rotated())
    following.append(numbered(4, 4))
    assert following.reopened() == [b"line 4"]
    following.rotated().rename(following.rotated(2))
    shutil.copyfile(following.log, following.rotated())
    os.truncate(following.log, 0)
    assert following.lines() == []
    for _ in range(2):
        following.restart()
    following.append(numbered(5, 5))
    assert following.lines() == [b"line 5"]
