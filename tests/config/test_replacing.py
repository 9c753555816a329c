"""A file is the old one or the new one, with its mode and owner."""

import os
import stat
from pathlib import Path

import pytest

from durward.config.replacing import locked, replace_file


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(path, 12, 34)
    before = path.stat()
    replace_file(path, b"new", mode=0o600)
    after = path.stat()
    assert path.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_its_mode(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", b"", mode=0o640)
    replace_file(tmp_path / "b", b"")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o640, 0o600]


def test_a_failure_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()
    with pytest.raises(OSError, match="director"):
        replace_file(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_others_wait_for_the_lock(tmp_path: Path) -> None:
    import fcntl

    with locked(tmp_path):
        descriptor = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
