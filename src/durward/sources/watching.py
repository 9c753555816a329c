"""What an inotify descriptor says: which names of which watched directories changed."""

import os
import struct
from typing import NamedTuple

CHANGES_BYTES = 64 * 1024  # read at a time: some 2,000 changes
READS_MAX = 16  # per call; the rest stays in the kernel's queue, which says "overflow" when it is full

MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED = 0x2000, 0x4000, 0x8000

WRITTEN = MODIFY | CLOSE_WRITE | ATTRIB  # bytes may have come
RENAMED = (
    MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED
)  # another file may be there

HEADER = struct.Struct("@iIII")  # watch, mask, cookie, length of the name


class Change(NamedTuple):
    """One record. `name` is whatever somebody called a file in the watched directory: hostile bytes, without NULs."""

    watch: int
    mask: int
    name: bytes

    @property
    def overflow(self) -> bool:
        """Whether records were lost: anything may have changed."""
        return bool(self.mask & OVERFLOW)


def read_changes(descriptor: int) -> list[Change]:
    """Give what a non-blocking inotify descriptor holds, the same change only once in a row. Raises OSError."""
    changes: list[Change] = []
    for _ in range(READS_MAX):
        try:
            records = os.read(descriptor, CHANGES_BYTES)
        except BlockingIOError:
            break
        changes += parse_changes(records)
        if len(records) < CHANGES_BYTES // 2:
            break
    return changes


def parse_changes(records: bytes) -> list[Change]:
    """Take inotify records apart; a torn last one is left out."""
    changes: list[Change] = []
    offset = 0
    while offset + HEADER.size <= len(records):
        watch, mask, _, length = HEADER.unpack_from(records, offset)
        offset += HEADER.size
        change = Change(watch, mask, records[offset : offset + length].rstrip(b"\0"))
        offset += length
        if offset <= len(records) and (not changes or changes[-1] != change):
            changes.append(change)
    return changes
