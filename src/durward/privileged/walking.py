"""Walks a path one name at a time, so that nobody who may write a directory on the way can lead us elsewhere."""

import os
import stat
from collections import deque
from pathlib import PurePath
from types import TracebackType
from typing import Self

from durward.privileged.failure import OpeningError

LINKS_MAX = 16  # symlinks on one path; more are refused
PATH_BYTES_MAX = 4096
DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place:
    """Where a path leads: the open directory, and the name in it, which is no symlink and may not exist."""

    def __init__(self, path: str) -> None:
        """Walk `path`. Raises OpeningError where a symlink is not to be trusted or a directory is missing."""
        if not path.startswith("/") or "\0" in path or len(os.fsencode(path)) > PATH_BYTES_MAX:
            raise OpeningError(f"{path!r} is no absolute path")
        self.path = path
        self.name = ""
        self._names = deque(path.split("/"))
        self._links = 0
        self.directory = os.open("/", DIRECTORY)
        try:
            self._walk()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the directory back."""
        os.close(self.directory)

    @property
    def trusted(self) -> bool:
        """Whether root alone may change what names the directory has."""
        status = os.fstat(self.directory)
        return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def open(self, name: str) -> int:
        """Open the regular file `name` in the directory for reading. Raises OpeningError."""
        shown = PurePath(self.path).with_name(name)
        try:
            # Looked at first: to open a device or a pipe can have effects.
            self._refuse_unless_regular(os.stat(name, dir_fd=self.directory, follow_symlinks=False), shown)
            descriptor = os.open(name, READING, dir_fd=self.directory)
        except OSError as error:
            raise _failure(str(shown), error) from None
        try:
            self._refuse_unless_regular(os.fstat(descriptor), shown)
        except OpeningError:
            os.close(descriptor)
            raise
        return descriptor

    def _refuse_unless_regular(self, status: os.stat_result, shown: PurePath) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise OpeningError(f"{shown} is {_kind(status.st_mode)}, not a regular file")
        if status.st_nlink > 1 and not self.trusted:
            raise OpeningError(f"{shown} has several names, and others than root may write its directory")

    def _walk(self) -> None:
        while self._names:
            name = self._names.popleft()
            if name in ("", "."):
                continue
            if target := self._target(name):
                self._follow(name, target)
            elif any(rest not in ("", ".") for rest in self._names) or name == "..":
                self._enter(name)
            else:
                self.name = name
        if not self.name:
            raise OpeningError(f"{self.path} is a directory, not a regular file")

    def _target(self, name: str) -> str:
        try:
            return os.readlink(name, dir_fd=self.directory)
        except OSError:
            return ""  # no symlink; whether it is there at all shows later

    def _follow(self, name: str, target: str) -> None:
        self._links += 1
        if self._links > LINKS_MAX:
            raise OpeningError(f"{self.path} leads through more than {LINKS_MAX} symlinks")
        if not self.trusted:
            raise OpeningError(
                f"{self.path} leads through the symlink {name!r} in a directory that others than root may write"
            )
        if target.startswith("/"):
            self._move(os.open("/", DIRECTORY))
        self._names.extendleft(reversed(target.split("/")))

    def _enter(self, name: str) -> None:
        try:
            self._move(os.open(name, DIRECTORY, dir_fd=self.directory))
        except OSError as error:
            raise _failure(self.path, error) from None

    def _move(self, directory: int) -> None:
        os.close(self.directory)
        self.directory = directory


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFLNK: "a symlink",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


def _failure(path: str, error: OSError) -> OpeningError:
    if isinstance(error, FileNotFoundError):
        return OpeningError(f"{path} does not exist", missing=True)
    return OpeningError(f"{path} cannot be opened: {error.strerror}")
