"""One inotify descriptor on the directories of all sources. Adding a watch needs the key, reading events does not."""

import ctypes
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from durward.privileged.failure import PrivilegedError

MODIFIED, MOVED_FROM, MOVED_TO, CREATED = 0x2, 0x40, 0x80, 0x100
DELETED, DELETED_SELF, MOVED_SELF = 0x200, 0x400, 0x800
EVENTS = MODIFIED | MOVED_FROM | MOVED_TO | CREATED | DELETED | DELETED_SELF | MOVED_SELF
ONLY_DIRECTORIES = 0x01000000
HOPS_MAX = 40  # symlinks followed for one path; beyond them only the first are watched
TRIES_MAX = 8
WATCHES_MAX = 8192  # beyond it a new directory is not watched, and its sources have to be polled

_libc = ctypes.CDLL(None, use_errno=True)
_libc.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)


class Watches:
    """The descriptor reads as non-blocking; whoever it is handed to gets the events. Watches are never taken back."""

    def __init__(self) -> None:
        self.descriptor: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise PrivilegedError(f"inotify is not available: {os.strerror(ctypes.get_errno())}")
        self._numbers: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)

    def watch(self, directory: str) -> int | None:
        """Watch a directory; give the watch's number, always the same for one directory. None where it cannot be."""
        number = int(_libc.inotify_add_watch(self.descriptor, os.fsencode(directory), EVENTS | ONLY_DIRECTORIES))
        if number < 0:
            return None
        if number not in self._numbers and len(self._numbers) >= WATCHES_MAX:
            _libc.inotify_rm_watch(self.descriptor, number)
            return None
        self._numbers.add(number)
        return number

    def watches_of(self, path: str) -> list[tuple[int, str]]:
        """Watch everything by which `path` may come to mean another file; give each watch with the name to look for.

        That is the file's own name and each symlink on the way. Where a directory is missing, the nearest one above
        it is watched for the next name.
        """
        found: dict[tuple[int, str], None] = {}
        for directory, name in names_of(path):
            watched = self._nearest(directory, name)
            if watched is not None:
                found[watched] = None
        return list(found)

    def _nearest(self, directory: str, name: str) -> tuple[int, str] | None:
        found = None
        for _ in range(TRIES_MAX):
            at, wanted = directory, name
            while (number := self.watch(at)) is None and at != "/":
                at, wanted = os.path.split(at)
            if number is None:
                return None
            found = number, wanted
            # What was missing may have been made before the watch above it was there to tell.
            if at == directory or not Path(at, wanted).is_dir():
                break
        return found


def names_of(path: str) -> Iterator[tuple[str, str]]:
    """Each (directory, name) that decides which file `path` is: the symlinks on the way and the file itself."""
    names, at, hops = deque(path.split("/")), "/", 0
    while names:
        name = names.popleft()
        if name in ("", "."):
            continue
        if name == "..":
            at = str(Path(at).parent)
            continue
        full = str(Path(at, name))
        target = _target_of(full) if hops < HOPS_MAX else ""
        if target:
            yield at, name
            hops += 1
            at = "/" if target.startswith("/") else at
            names.extendleft(reversed(target.split("/")))
        elif any(names):
            at = full
        else:
            yield at, name


def _target_of(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
