"""Rotated copies of a log: finding the one that holds what was read before, and those that came after it."""

import os
import stat
from dataclasses import dataclass
from pathlib import PurePath
from types import TracebackType
from typing import Self

from durward.sources.block import Position
from durward.sources.content import STREAMS, UNREADABLE, Content, Plain, Unpacked
from durward.sources.opening import SIBLINGS_MAX, Opener
from durward.sources.tail import FOREVER_OFFSET, Tail, holds

SEARCH_BYTES_MAX = 256 << 20  # unpacked per search; a copy that needs more is taken for lost


@dataclass(slots=True)
class Copy:
    """One rotated copy. `taken`: its descriptor belongs to a Tail now."""

    name: str  # without the suffix of its compression
    content: Content
    identity: tuple[int, int]
    modified_at: float
    taken: bool = False

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return isinstance(self.content, Unpacked)


class Copies:
    """The copies of `path`, newest first; on leaving, the descriptors that nobody took are closed."""

    def __init__(self, opener: Opener, path: str) -> None:
        self.unpacked = 0  # bytes that a search cost
        self._opener, self._path = opener, path
        self._opened: list[Copy] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for copy in self._opened or ():
            if not copy.taken:
                os.close(copy.content.descriptor)

    def same_file(self, position: Position) -> int | None:
        """Which copy is the very file that `position` is about.

        A compressed copy of which nothing was read is not known again: its number may have been another file's.
        """
        for index, copy in enumerate(self._copies):
            if copy.taken or (copy.packed and not position.before):
                continue
            if copy.identity == (position.device, position.inode) and _holds(copy.content, position):
                return index
        return None

    def same_bytes(self, position: Position, *, modified_from: float = 0.0, packed: bool = True) -> int | None:
        """Which copy has the bytes before `position`. Nothing was read before 0, so nothing can be told of it."""
        if not position.before:
            return None
        for wanted in (False, True) if packed else (False,):
            for index, copy in enumerate(self._copies):
                if copy.packed != wanted or copy.taken or copy.modified_at < modified_from:
                    continue
                self.unpacked += position.offset if wanted else 0
                if self.unpacked <= SEARCH_BYTES_MAX and _holds(copy.content, position):
                    return index
        return None

    def newer(self, index: int, held: set[tuple[int, int]]) -> list[int]:
        """The copies that came after the one at `index` and are not `held` already, oldest first."""
        return [
            at
            for at in range(index - 1, -1, -1)
            if not self._copies[at].taken and self._copies[at].identity not in held
        ]

    def content(self, index: int) -> Content:
        """The bytes of a copy, which stays here."""
        return self._copies[index].content

    def older(self, index: int | None, modified_from: float) -> int | None:
        """The plain copy just before the one at `index` (None: before the current file), if written to since then."""
        at = 0 if index is None else index + 1
        if at >= len(self._copies) or self._copies[at].packed or self._copies[at].modified_at < modified_from:
            return None
        return at

    def take(self, index: int, position: Position | None, now: float, *, backlog: bool) -> Tail:
        """Make a Tail of a copy, from `position` or from its start; `backlog`: what it holds was there before us."""
        copy = self._copies[index]
        copy.taken = True
        tail = Tail(copy.content, position.offset if position else 0, position.before if position else b"", now=now)
        tail.touched = position is not None
        if backlog:
            tail.backlog_until = FOREVER_OFFSET if copy.packed else os.fstat(copy.content.descriptor).st_size
        return tail

    @property
    def _copies(self) -> list[Copy]:
        """Opened when first asked for: most files go on where they were."""
        if self._opened is None:
            self._opened = []
            for name, descriptor in self._opener.siblings(self._path):
                try:
                    wanted = self._add(self._opened, name, descriptor)
                except OSError:
                    wanted = False
                if not wanted:
                    os.close(descriptor)
        return self._opened

    def _add(self, copies: list[Copy], name: str, descriptor: int) -> bool:
        """Note a copy. Tells whether its descriptor is wanted. Raises OSError."""
        status = os.fstat(descriptor)
        stem, suffix = PurePath(name).stem, PurePath(name).suffix
        if not stat.S_ISREG(status.st_mode) or suffix in UNREADABLE or len(copies) >= SIBLINGS_MAX:
            return False
        packed = suffix in STREAMS
        copy = Copy(
            stem if packed else name,
            Unpacked(descriptor, suffix) if packed else Plain(descriptor),
            (status.st_dev, status.st_ino),
            status.st_mtime,
        )
        for index, twin in enumerate(copies):
            if twin.name == copy.name:  # it is being compressed just now: the plain one is whole
                if twin.packed and not packed:
                    copies[index], copy = copy, twin
                os.close(copy.content.descriptor)
                return True
        copies.append(copy)
        return True


def _holds(content: Content, position: Position) -> bool:
    try:
        return holds(content, position)
    except OSError:
        return False
