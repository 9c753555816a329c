"""The files of networks that merged lists are made of: only those that root alone can write, read a line at a time."""

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from durward.catalog.document import Problem
from durward.config.lists import SYNCED_MAX, scan_list
from durward.privileged.failure import OpeningError
from durward.ruleset.policy import DENY_LIST

LIST_BYTES_MAX = 256 << 20  # a larger file is refused unread
FILES_MAX = 2000  # that one pattern gives; more are refused
LINE_CHARACTERS_MAX = 256  # a longer line is read in parts, none of which is a network
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
Stamp = tuple[str, int, int, int, int]  # name, device, inode, time of the last change (ns), bytes
Signature = tuple[Stamp, ...]


class ListFiles:
    """The directory of lists, and deny.list. Every method raises OpeningError, which names the file and the reason."""

    def __init__(self, directory: Path, deny_list: Path) -> None:
        self._directory = directory
        self._deny_list = deny_list
        self._included: frozenset[str] = frozenset()

    def signature(self, files: Sequence[str]) -> Signature:
        """What changes when one of the files does."""
        return tuple(stamp for name in files for stamp in self._stamps(name))

    def texts(self, files: Sequence[str]) -> Iterator[str]:
        """The lines of all files, empty ones for what is no network and not meant to be one."""
        for name in files:
            if name == DENY_LIST:
                yield from self._denied()
            else:
                for path in self._paths(name):
                    yield from _lines(path)

    def _stamps(self, name: str) -> Iterator[Stamp]:
        if name == DENY_LIST:
            for one in (str(self._deny_list), *sorted(self._included)):
                yield _stamp(one, Path(one).stat() if Path(one).exists() else None)
            return
        for path in self._paths(name):
            descriptor = _opened(path)
            try:
                yield _stamp(str(path), os.fstat(descriptor))
            finally:
                os.close(descriptor)

    def _paths(self, name: str) -> list[Path]:
        """The files of one name or pattern, in order. A directory that others can write to is refused."""
        try:
            status = self._directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or not _is_roots(status):
                raise OpeningError(f"{self._directory} is not a directory that root alone can write to")
            if "*" not in name:
                return [self._directory / name]
            found = sorted(fnmatch.filter((path.name for path in self._directory.iterdir()), name))
        except OSError as error:
            raise OpeningError(
                f"{self._directory / name}: {error.strerror}", missing=isinstance(error, FileNotFoundError)
            ) from None
        if len(found) > FILES_MAX:
            raise OpeningError(f"{self._directory} holds more than {FILES_MAX} files {name}")
        return [self._directory / one for one in found]

    def _denied(self) -> Iterator[str]:
        """The networks of deny.list that do not become decisions."""
        included: set[str] = set()
        for count, item in enumerate(scan_list(self._deny_list) if self._deny_list.exists() else ()):
            if isinstance(item, Problem):
                raise OpeningError(str(item))
            included.add(item.file)
            yield item.network if count >= SYNCED_MAX and item.filter is None else ""
        self._included = frozenset(included - {str(self._deny_list)})


def _lines(path: Path) -> Iterator[str]:
    with os.fdopen(_opened(path), encoding="ascii", errors="replace") as file:
        while line := file.readline(LINE_CHARACTERS_MAX):
            text = line.strip()
            yield "" if text.startswith(("#", ";")) else text


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise OpeningError(f"{path}: {'is not there' if missing else error.strerror}", missing=missing) from None
    status = os.fstat(descriptor)
    refused = ""
    if not stat.S_ISREG(status.st_mode) or not _is_roots(status):
        refused = "is not a file that root alone can write to"
    elif status.st_size > LIST_BYTES_MAX:
        refused = f"is larger than {LIST_BYTES_MAX} bytes"
    if refused:
        os.close(descriptor)
        raise OpeningError(f"{path} {refused}")
    return descriptor


def _is_roots(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & WRITABLE_BY_OTHERS


def _stamp(name: str, status: os.stat_result | None) -> Stamp:
    if status is None:
        return name, 0, 0, 0, 0
    return name, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
