"""Many logs at once: only what changed is touched, nobody starves, and what notices miss the sweep finds."""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.inotify import Inotify
from tests.sources.opener import DirectOpener

from durward.sources import logfiles
from durward.sources.block import Block, Position
from durward.sources.logfile import DRAIN_SECONDS
from durward.sources.logfiles import LogFiles
from durward.sources.watching import CREATE, MODIFY, OVERFLOW, Change, read_changes

NOW = time.time() + 86_400  # all that is there is old, however long the tests before took


@pytest.fixture
def opener() -> DirectOpener:
    return DirectOpener()


@pytest.fixture
def files(opener: DirectOpener) -> Iterator[LogFiles]:
    given = LogFiles(opener, memory_seconds=0)
    yield given
    given.close()


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def lines(files: LogFiles, now: float = NOW) -> list[bytes]:
    found: list[Block] = list(files.read(now))
    while files.waiting:
        found += files.read(now)
    return [line for block in found if block.kind != "memory" for line in block.data.splitlines()]


def test_only_what_changed_is_read(files: LogFiles, tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        (tmp_path / name).touch()
        files.follow(str(tmp_path / name), [(1, name)], None, now=NOW)
    assert lines(files) == []
    append(tmp_path / "a.log", b"of a\n")
    append(tmp_path / "b.log", b"of b\n")
    files.changed([Change(1, MODIFY, b"b.log"), Change(2, MODIFY, b"a.log"), Change(1, MODIFY, b"c.log")])
    assert lines(files) == [b"of b"]
    files.changed([Change(1, MODIFY, b"a.log")])
    assert lines(files) == [b"of a"]


def test_five_thousand_files_with_real_notices(files: LogFiles, opener: DirectOpener, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    names = [f"{number:04d}.log" for number in range(5000)]
    with Inotify() as inotify:
        watch = inotify.watch(tmp_path)
        for name in names:
            (tmp_path / name).write_bytes(b"long ago\n")
            files.follow(str(tmp_path / name), [(watch, name)], None, now=NOW)
        lines(files)
        assert len(files.positions()) == 5000
        files.changed(read_changes(inotify.descriptor))
        lines(files)
        opened = opener.opened
        for number in (7, 4999, 7):
            append(tmp_path / names[number], b"for %d\n" % number)
        files.changed(read_changes(inotify.descriptor))
        assert sorted(lines(files)) == [b"for 4999", b"for 7", b"for 7"]
        assert opener.opened == opened
        assert sorted(files.positions()) == [str(tmp_path / names[7]), str(tmp_path / names[4999])]
        (tmp_path / names[9]).rename(tmp_path / f"{names[9]}.1")
        append(tmp_path / names[9], b"rotated\n")
        files.changed(read_changes(inotify.descriptor))
        assert lines(files) == [b"rotated"]
        assert opener.opened == opened + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_flooding_file_starves_nobody(files: LogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfiles, "TURN_BYTES_MAX", 10_000)
    monkeypatch.setattr(logfiles, "CALL_BYTES_MAX", 30_000)
    for name in ("flood.log", "calm.log"):
        (tmp_path / name).touch()
        files.follow(str(tmp_path / name), [(1, name)], None, now=NOW)
    lines(files)
    append(tmp_path / "flood.log", b"x" * 99 + b"\n")
    append(tmp_path / "flood.log", (b"x" * 99 + b"\n") * 9_999)
    append(tmp_path / "calm.log", b"calm\n")
    files.changed([Change(1, MODIFY, b"flood.log"), Change(1, MODIFY, b"calm.log")])
    first = b"".join(block.data for block in files.read(NOW))
    assert b"calm\n" in first
    assert len(first) < 400_000
    assert files.waiting
    assert files.lag_seconds(NOW + 2) == 2
    assert len(first) + sum(len(line) + 1 for line in lines(files)) == 1_000_005
    assert files.lag_seconds(NOW + 2) == 0


def test_positions_are_those_that_changed(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    files.follow(str(path), [(1, "a.log")], None, now=NOW)
    assert files.positions()[str(path)].offset == 4
    assert files.positions() == {}
    append(path, b"two\n" * 100_000)
    files.changed([Change(1, MODIFY, b"a.log")])
    reading = files.read(NOW)
    first = next(reading)
    assert files.positions()[str(path)].offset == 4 + len(first.data)
    for _ in reading:
        pass
    assert files.positions()[str(path)].offset == 400_004
    assert files.positions() == {}


def test_a_new_copy_of_a_log_makes_it_be_read_at_once(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    files.follow(str(path), [(1, "a.log")], None, now=NOW)
    lines(files)
    append(path, b"one\n")
    files.changed([Change(1, CREATE, b"a.log-20261123.gz")])
    assert lines(files) == [b"one"]


def test_a_drained_file_is_looked_at_without_notice(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    files.follow(str(path), [(1, "a.log")], None, now=NOW)
    path.rename(tmp_path / "a.log.1")
    path.touch()
    files.changed([Change(1, CREATE, b"a.log")])
    assert lines(files) == []
    assert files.restless
    append(tmp_path / "a.log.1", b"late\n")
    assert lines(files, NOW + 1) == [b"late"]
    assert lines(files, NOW + 2 + DRAIN_SECONDS) == []
    assert not files.restless


def test_an_overflow_marks_everything(files: LogFiles, opener: DirectOpener, tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        (tmp_path / name).touch()
        files.follow(str(tmp_path / name), [(1, name)], None, now=NOW)
    lines(files)
    append(tmp_path / "a.log", b"of a\n")
    (tmp_path / "b.log").rename(tmp_path / "b.log.1")
    append(tmp_path / "b.log", b"of b\n")
    files.changed([Change(-1, OVERFLOW, b"")])
    assert lines(files) == [b"of a", b"of b"]


def test_the_sweep_finds_what_nobody_told(files: LogFiles, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.log").touch()
        files.follow(str(tmp_path / f"{number}.log"), [(1, f"{number}.log")], None, now=NOW)
    lines(files)
    for number in range(20):
        (tmp_path / f"{number}.log").unlink()
        append(tmp_path / f"{number}.log", b"%d\n" % number)
    found = []
    for call in range(3):
        files.sweep(NOW + 10 * call)
        files.sweep(NOW + 10 * call + 0.1)
        found.append(len(lines(files, NOW + 10 * call)))
    assert found == [8, 8, 4]


def test_a_file_without_a_watch_is_looked_at(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    files.follow(str(path), [], None, now=NOW)
    lines(files)
    append(path, b"one\n")
    assert lines(files) == [b"one"]
    files.watch(str(path), [(1, "a.log")])
    append(path, b"two\n")
    assert lines(files) == []
    files.changed([Change(1, MODIFY, b"a.log")])
    assert lines(files) == [b"two"]


def test_a_file_that_fails_is_opened_again(files: LogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    path = tmp_path / "a.log"
    path.touch()
    followed = files.follow(str(path), [(1, "a.log")], None, now=NOW)
    lines(files)
    append(path, b"one\n")
    files.changed([Change(1, MODIFY, b"a.log")])
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", broken)
        assert lines(files) == []
    assert followed.problem
    assert lines(files, NOW + 1) == []
    assert lines(files, NOW + logfiles.RETRY_SECONDS) == [b"one"]


def test_several_paths_may_share_a_watch(files: LogFiles, tmp_path: Path) -> None:
    (tmp_path / "real.log").touch()
    (tmp_path / "link.log").symlink_to("real.log")
    files.follow(str(tmp_path / "real.log"), [(1, "real.log")], None, now=NOW)
    files.follow(str(tmp_path / "link.log"), [(1, "link.log"), (1, "real.log")], None, now=NOW)
    lines(files)
    append(tmp_path / "real.log", b"one\n")
    files.changed([Change(1, MODIFY, b"real.log")])
    assert lines(files) == [b"one", b"one"]
    files.forget(str(tmp_path / "real.log"))
    append(tmp_path / "real.log", b"two\n")
    files.changed([Change(1, MODIFY, b"real.log")])
    assert lines(files) == [b"two"]


def test_forgetting_gives_everything_back(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    files.follow(str(path), [(1, "a.log")], None, now=NOW)
    files.forget(str(path))
    files.forget(str(path))
    files.changed([Change(1, MODIFY, b"a.log"), Change(1, OVERFLOW, b"")])
    assert lines(files) == []
    assert (len(files), files.positions()) == (0, {})
    assert [entry for entry in Path("/proc/self/fd").iterdir() if entry.resolve() == path] == []


def test_following_behind_a_saved_position(files: LogFiles, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\n")
    status = path.stat()
    files.follow(str(path), [(1, "a.log")], Position(status.st_dev, status.st_ino, 4, b"one\n"), now=NOW)
    assert lines(files) == [b"two"]
