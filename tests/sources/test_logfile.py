"""Following one log: whole lines, long lines, what is no log, what cannot be read, and how far behind we are."""

import os
from pathlib import Path

import pytest
from tests.sources.following import Following

from durward.sources.block import BLOCK_BYTES_MAX
from durward.sources.lines import LINE_BYTES_MAX
from durward.sources.logfile import LogFile


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_line_is_given_when_it_is_whole(following: Following) -> None:
    following.append(b"begun ")
    following.start()
    assert following.lines() == []
    following.append(b"long ago\nand")
    (block,) = following.blocks()
    assert (block.kind, block.position, block.data) == ("live", 0, b"begun long ago\n")
    following.append(b" on\n\n")
    (block,) = following.blocks()
    assert (block.position, block.data) == (15, b"and on\n\n")
    assert (following.file.lines, following.file.bytes) == (3, 23)


def test_a_file_that_appears_is_new_from_its_first_byte(following: Following) -> None:
    following.start()
    assert following.lines() == []
    assert following.file.problem == f"{following.log} is absent or may not be read"
    assert following.file.position is None
    following.append(b"one\n")
    assert following.reopened() == [b"one"]
    assert following.file.problem is None


def test_a_match_of_a_pattern_that_appeared_is_new_from_its_first_byte(following: Following) -> None:
    following.append(b"one\n")
    following.start(appeared=True)
    assert following.lines("live") == [b"one"]


def test_large_files_come_in_blocks_and_turns(following: Following) -> None:
    text = b"".join(b"line %07d of many\n" % number for number in range(100_000))
    following.append(b"")
    following.start()
    following.append(text)
    blocks = list(following.file.read(following.now, 1_000_000))
    assert following.file.waiting
    assert sum(len(block.data) for block in blocks) <= 1_000_000 + BLOCK_BYTES_MAX
    assert following.file.lag_seconds(following.now + 3) == 3
    blocks += following.blocks()
    assert not following.file.waiting
    assert following.file.lag_seconds(following.now + 3) == 0
    assert b"".join(block.data for block in blocks) == text
    assert max(len(block.data) for block in blocks) <= BLOCK_BYTES_MAX
    assert [block.position for block in blocks] == [text.index(block.data[:20]) for block in blocks]


@pytest.mark.parametrize("length", [LINE_BYTES_MAX + 1, 1 << 20])
@pytest.mark.parametrize("step", [1 << 21, 30_000])
def test_a_line_that_is_too_long_costs_only_itself(following: Following, length: int, step: int) -> None:
    following.append(b"")
    following.start()
    text = b"before\n" + b"x" * length + b"\nafter\n"
    lines = []
    for start in range(0, len(text), step):
        following.append(text[start : start + step])
        lines += following.lines()
    assert [line[:10] for line in lines] == [b"before", b"x" * 10, b"after"]
    assert len(lines[1]) == LINE_BYTES_MAX
    assert following.file.overlong == 1


def test_a_line_just_as_long_as_allowed_is_whole(following: Following) -> None:
    following.append(b"")
    following.start()
    following.append(b"x" * LINE_BYTES_MAX + b"\nafter\n")
    assert [len(line) for line in following.lines()] == [LINE_BYTES_MAX, 5]
    assert following.file.overlong == 0


def test_a_restart_within_a_line_that_is_too_long(following: Following) -> None:
    following.append(b"")
    following.start()
    following.append(b"x" * (LINE_BYTES_MAX + 10))
    assert len(following.lines()) == 1
    following.restart()
    following.append(b"still the same line\nafter\n")
    assert following.lines() == [b"after"]


def test_binary_garbage_passes_through(following: Following) -> None:
    garbage = bytes(range(256)) * 300
    following.append(b"log\n")
    following.start()
    following.append(garbage + b"\n")
    assert b"".join(block.data for block in following.blocks() if block.kind == "live") == garbage + b"\n"


@pytest.mark.parametrize("what", ["directory", "fifo", "socket", "dangling link"])
def test_what_is_no_log_is_left_alone(following: Following, what: str) -> None:
    if what == "directory":
        following.log.mkdir()
    elif what == "fifo":
        os.mkfifo(following.log)
    elif what == "socket":
        os.mknod(following.log, 0o140600)
    else:
        following.log.symlink_to("nowhere")
    following.start()
    assert following.lines() == []
    assert str(following.log) in str(following.file.problem)
    following.log.rmdir() if what == "directory" else following.log.unlink()
    following.append(b"a log now\n")
    assert following.reopened() == [b"a log now"]


def test_a_file_that_cannot_be_read_is_opened_again(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    following.append(b"one\n")
    following.start()
    following.append(b"two\n")
    assert following.lines() == [b"two"]
    following.append(b"three\n")

    def stale(*_: object) -> bytes:
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", stale)
        assert following.lines() == []
        assert following.file.failed
        assert following.file.problem == f"{following.log}: Stale file handle"
        following.file.reopen(following.now)
        assert following.lines() == []
        assert following.file.failed
    following.opener.refused.add(str(following.log))
    assert following.reopened() == []
    position = following.file.position
    assert position is not None
    assert position.offset == 8
    following.opener.refused.clear()
    following.append(b"four\n")
    assert following.reopened("live") == [b"three", b"four"]
    assert not following.file.failed
    assert following.file.problem is None


def test_reopening_the_same_file_changes_nothing(following: Following) -> None:
    following.append(b"one\n")
    following.start()
    following.append(b"two\n")
    before = open_descriptors()
    for _ in range(10):
        following.file.reopen(following.now)
    assert open_descriptors() == before
    assert following.lines() == [b"two"]
    assert following.file.rotations == 0


def test_closing_gives_every_descriptor_back(tmp_path: Path) -> None:
    before = open_descriptors()
    following = Following(tmp_path)
    following.append(b"one\n")
    following.start()
    for number in range(1, 8):
        following.log.rename(following.rotated(number))
        following.append(b"more\n")
        following.reopened()
    following.file.close()
    assert open_descriptors() == before


def test_a_block_left_half_way_counts_as_given(following: Following) -> None:
    following.append(b"")
    following.start()
    following.append(b"x" * 99 + b"\n")
    reading = following.file.read(following.now, 8 << 20)
    first = next(reading)
    assert following.file.waiting
    position = following.file.position
    assert position is not None
    assert position.offset == len(first.data)


def test_names_tell_the_source(following: Following) -> None:
    following.append(b"one\n")
    following.start()
    assert isinstance(following.file, LogFile)
    assert following.blocks()[0].source == f"file:{following.log}"
