"""Inotify for tests: what the enforcer does for the engine."""

import ctypes
import os
from pathlib import Path
from typing import Self

EVENTS = 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
LIBC = ctypes.CDLL(None, use_errno=True)


class Inotify:
    """A non-blocking inotify descriptor."""

    def __enter__(self) -> Self:
        self.descriptor = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.descriptor >= 0
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def watch(self, directory: Path) -> int:
        number = LIBC.inotify_add_watch(self.descriptor, os.fsencode(directory), EVENTS)
        assert number >= 0
        return int(number)
