"""Inotify records: real ones with hostile names, torn ones, and the overflow."""

import os
import struct
from pathlib import Path

from tests.sources.inotify import Inotify

from durward.sources.watching import CREATE, MODIFY, MOVED_FROM, MOVED_TO, OVERFLOW, Change, parse_changes, read_changes


def test_real_changes(tmp_path: Path) -> None:
    hostile = b"a\n\xff;[1m"
    with Inotify() as inotify:
        watch = inotify.watch(tmp_path)
        path = os.path.join(os.fsencode(tmp_path), hostile)  # noqa: PTH118
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123
            file.write(b"one")
            file.write(b"two")
        os.rename(path, os.path.join(os.fsencode(tmp_path), b"b"))  # noqa: PTH104, PTH118
        changes = read_changes(inotify.descriptor)
        assert changes == [
            Change(watch, CREATE, hostile),
            Change(watch, MODIFY, hostile),
            Change(watch, MOVED_FROM, hostile),
            Change(watch, MOVED_TO, b"b"),
        ]
        assert read_changes(inotify.descriptor) == []


def test_torn_and_overflowing_records() -> None:
    record = struct.pack("iIII", 3, MODIFY, 0, 16) + b"auth.log".ljust(16, b"\0")
    overflow = struct.pack("iIII", -1, OVERFLOW, 0, 0)
    changes = parse_changes(record + record + overflow + record[:-1])
    assert changes == [Change(3, MODIFY, b"auth.log"), Change(-1, OVERFLOW, b"")]
    assert [change.overflow for change in changes] == [False, True]
    assert parse_changes(record[:9]) == []
    assert parse_changes(struct.pack("iIII", 1, MODIFY, 0, 0xFFFFFFFF) + b"x") == []
