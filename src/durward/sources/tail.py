"""Tail: one open file, read forwards from an offset as whole lines."""

import os
from typing import NamedTuple

from durward.sources.block import BLOCK_BYTES_MAX, FINGERPRINT_BYTES_MAX, Kind, Position
from durward.sources.content import Content, Plain
from durward.sources.lines import cut

FIRST_BYTES = 16 * 1024  # asked for at first, as most wakes bring a few lines; a full answer leads to whole blocks
FOREVER_OFFSET = 1 << 62  # larger than any file


class ChangedError(Exception):
    """The bytes before the offset are not those that were read: the file was truncated or written anew."""


class Piece(NamedTuple):
    """What one step gave: `data` at `position` (may be empty), and the `taken` bytes that it moved on."""

    position: int
    data: bytes
    taken: int
    overlong: bool


class Tail:
    """One open file. `offset` is where the next line starts, or a place within a line that is too long.

    `end` bounds what is read; `backlog_until` tells what was already there from what came afterwards; `fixed` says
    that nobody writes to the file any more, so that its last line is whole; `quiet_since` (epoch seconds) is when it
    last gave something.
    """

    __slots__ = (
        "_size",
        "backlog_until",
        "before",
        "content",
        "device",
        "end",
        "fixed",
        "inode",
        "memory",
        "offset",
        "quiet_since",
        "seen",
        "touched",
    )

    def __init__(self, content: Content, offset: int = 0, before: bytes = b"", *, now: float) -> None:
        status = os.fstat(content.descriptor)
        self.content = content
        self.device, self.inode = status.st_dev, status.st_ino
        self.offset = offset
        self.before = before
        self.end = FOREVER_OFFSET
        self.backlog_until = 0
        self.fixed = not isinstance(content, Plain)
        self.memory = False  # acted on before
        self.quiet_since = now
        self.touched = False  # whether this offset is known, to this engine or from an earlier one
        self.seen = offset  # the furthest byte that was ever seen, to say what a truncation cost
        self._size = FIRST_BYTES

    def read(self, *, final: bool) -> Piece | None:
        """Give the next step; None when there is nothing (whole) now. Raises ChangedError, OSError.

        `final`: a last line without a newline is whole.
        """
        limit = self.backlog_until if self.offset < self.backlog_until else self.end
        piece, full = self._step(min(self._size, limit - self.offset), final=final)
        if piece is None and full:
            piece, full = self._step(min(BLOCK_BYTES_MAX, self.end - self.offset), final=final)
        self._size = BLOCK_BYTES_MAX if full else FIRST_BYTES
        return piece

    def _step(self, size: int, *, final: bool) -> tuple[Piece | None, bool]:
        """Read `size` bytes once. Tells also whether there were that many."""
        begin = len(self.before)
        start = self.offset - begin
        window = self.content.window(start, begin + size)
        if not window.startswith(self.before):
            raise ChangedError
        self.touched = True
        full = len(window) == begin + size
        self.seen = max(self.seen, start + len(window))
        if not begin and window.startswith(b"\0"):
            return self._past_nulls(window), full
        inside = begin > 0 and not self.before.endswith(b"\n")
        found = cut(window, begin, inside=inside, final=final and not full)
        if found.end == begin:
            return None, full
        self.offset = start + found.end
        self.before = window[max(0, found.end - FINGERPRINT_BYTES_MAX) : found.end]
        return Piece(start + found.begin, found.data, found.end - begin, found.overlong), full

    def _past_nulls(self, window: bytes) -> Piece:
        """Go past NULs at the start: a writer without O_APPEND leaves a hole there when its file is truncated."""
        position, count = self.offset, len(window) - len(window.lstrip(b"\0"))
        self.offset += count
        if count == len(window) and isinstance(self.content, Plain):
            self.offset = max(self.offset, self.content.data_after(self.offset))
        return Piece(position, b"", count, overlong=False)

    def holds(self, position: Position) -> bool:
        """Tell whether this file has the bytes before `position`. Raises OSError."""
        return holds(self.content, position)

    def kind_at(self, position: int) -> Kind:
        """How a block that begins at `position` is to be taken."""
        if self.memory:
            return "memory"
        return "backlog" if position < self.backlog_until else "live"

    @property
    def identity(self) -> tuple[int, int]:
        """The file's device and inode."""
        return self.device, self.inode

    @property
    def modified_at(self) -> float:
        """When it was written to last (epoch seconds); infinity where that cannot be told."""
        try:
            return os.fstat(self.content.descriptor).st_mtime
        except OSError:
            return float("inf")

    @property
    def nameless(self) -> bool:
        """Whether no name is left to the file: only those who have it open keep it."""
        try:
            return os.fstat(self.content.descriptor).st_nlink == 0
        except OSError:
            return True

    @property
    def position(self) -> Position:
        """Where reading goes on."""
        return Position(self.device, self.inode, self.offset, self.before)

    def move(self, offset: int) -> None:
        """Go on at `offset` instead, which is known as a place to go on from. Raises OSError."""
        length = min(offset, FINGERPRINT_BYTES_MAX)
        self.before = self.content.window(offset - length, length)
        self.offset = offset
        self.seen = max(self.seen, offset)
        self.touched = True

    def restart(self) -> None:
        """Go on from the start of a file that was truncated."""
        self.offset, self.before, self.seen, self.backlog_until, self.touched = 0, b"", 0, 0, False

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.content.descriptor)


def holds(content: Content, position: Position) -> bool:
    """Tell whether `content` has the bytes before `position`. Raises OSError."""
    return content.window(position.offset - len(position.before), len(position.before)) == position.before
