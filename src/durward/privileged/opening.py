"""Opens what root-owned settings name, for a reader that may open nothing: logs, their rotated copies, the journal."""

import fnmatch
import glob
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path

from durward.privileged.failure import OpeningError
from durward.privileged.walking import Place
from durward.privileged.watches import Watches

SIBLINGS_MAX = 5  # rotated copies of one log; older ones are left alone
MATCHES_MAX = 10_000  # paths that one pattern gives; the rest is left out
NAMES_MAX = 100_000  # names of one directory that are looked at for rotated copies
JOURNAL_FILES_MAX = 200  # of the journal; the newest are taken
JOURNAL_ROOTS = ("/var/log/journal", "/run/log/journal")
JOURNAL_PATTERNS = ("system*.journal", "user*.journal")
ROTATED = re.compile(r"[.-](\d{1,10}(?:-\d{1,10})?)(\.(?:gz|xz|bz2|zst))?")
INDEX_MAX = 999  # of copies that are counted; a larger number is a date
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening one path: a descriptor if there is such a file, watches, and why it is refused if it is."""

    descriptor: int | None
    watches: list[tuple[int, str]]
    problem: str | None


@dataclass(frozen=True, slots=True)
class JournalOpened:
    """The journal's files, and the watches (number, "") of the directories in which new ones appear."""

    descriptors: list[int] = field(default_factory=list)
    watches: list[tuple[int, str]] = field(default_factory=list)


class Sources:
    """Everything that may be opened: the journal, and what the patterns of root-owned settings match."""

    def __init__(self, patterns: Iterable[str], journal_roots: Iterable[str] = JOURNAL_ROOTS) -> None:
        self._patterns = frozenset(patterns)
        self._split = [pattern.split("/") for pattern in self._patterns]
        self._journal_roots = tuple(journal_roots)
        self._watches = Watches()

    def close(self) -> None:
        """Give the inotify descriptor back."""
        self._watches.close()

    def watch_descriptor(self) -> int:
        """A copy of the inotify descriptor, for the caller to close."""
        return os.dup(self._watches.descriptor)

    def matching(self, pattern: str) -> list[str]:
        """What a pattern of the settings names now. Raises OpeningError for any other pattern."""
        if pattern not in self._patterns:
            raise OpeningError(f"{pattern} is not among the files that the settings name")
        return matching(pattern)

    def open(self, path: str) -> Opened:
        """Open a path and watch it. A file that is not there is no problem: the watches tell when it comes."""
        if not self._named(path):
            return Opened(None, [], f"{path} is not among the files that the settings name")
        # Watched first, so that nothing written after the opening is missed.
        watches = self._watches.watches_of(path)
        try:
            return Opened(open_log(path), watches, None)
        except OpeningError as error:
            return Opened(None, watches, None if error.missing else str(error))

    def siblings(self, path: str) -> list[tuple[str, int]]:
        """Open the rotated copies of a path; none of one that the settings do not name or that is refused."""
        if not self._named(path):
            return []
        try:
            return siblings(path)
        except OpeningError:
            return []

    def journal(self, descriptors_max: int = JOURNAL_FILES_MAX) -> JournalOpened:
        """Open the newest journal files, and watch their directories."""
        found = JournalOpened()
        for directory in journal_directories(self._journal_roots):
            number = self._watches.watch(directory)
            if number is not None:
                found.watches.append((number, ""))
        found.descriptors.extend(open_journal(self._journal_roots, descriptors_max))
        return found

    def _named(self, path: str) -> bool:
        names = path.split("/")
        if ".." in names:
            return False
        return path in self._patterns or any(_matches(names, pattern) for pattern in self._split)


def open_log(path: str) -> int:
    """Open a regular file for reading without ever waiting; the descriptor is the caller's. Raises OpeningError.

    A symlink anywhere in the path is followed only where root alone may change the directory that holds it.
    """
    with Place(path) as place:
        return place.open(place.name)


def siblings(path: str) -> list[tuple[str, int]]:
    """Open the rotated copies that lie beside a log, newest first: (name, descriptor). Raises OpeningError."""
    with Place(path) as place:
        opened: list[tuple[str, int]] = []
        for name in _newest_first(place.name, _names_in(place)):
            if len(opened) == SIBLINGS_MAX:
                break
            with suppress(OpeningError):
                opened.append((name, place.open(name)))
        return opened


def matching(pattern: str) -> list[str]:
    """The files that a pattern names now, in order; directories and other things that are no files are left out."""
    found = (path for path in _glob(pattern) if Path(path).is_file())
    return sorted(islice(found, MATCHES_MAX))


def is_absent(pattern: str) -> bool:
    """Whether there is no such directory as the one that a pattern begins with, before its first wildcard."""
    parts = takewhile(lambda part: not glob.has_magic(part), Path(pattern).parent.parts)
    return not Path(*parts).is_dir()


def open_journal(roots: Iterable[str] = JOURNAL_ROOTS, descriptors_max: int = JOURNAL_FILES_MAX) -> list[int]:
    """Open all files of the journal, newest first; those that are refused or vanish meanwhile are left out."""
    descriptors: list[int] = []
    for path in islice(sorted(_journal_files(roots), key=_modified_at, reverse=True), descriptors_max):
        with suppress(OpeningError):
            descriptors.append(open_log(path))
    return descriptors


def journal_directories(roots: Iterable[str] = JOURNAL_ROOTS) -> list[str]:
    """The directories in which journal files appear: the roots, and one in them for each machine id."""
    existing = [root for root in roots if Path(root).is_dir()]
    return existing + [path for root in existing for path in sorted(_glob(f"{glob.escape(root)}/*/"))]


def _journal_files(roots: Iterable[str]) -> Iterator[str]:
    for directory in journal_directories(roots):
        for pattern in JOURNAL_PATTERNS:
            yield from islice(_glob(f"{glob.escape(directory)}/{pattern}"), MATCHES_MAX)


def _glob(pattern: str) -> Iterator[str]:
    return glob.iglob(pattern)  # noqa: PTH207 - as a shell does: a star is not a dot file's dot


def _modified_at(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0


def _matches(names: list[str], pattern: list[str]) -> bool:
    # Name by name, as the expansion of the pattern does: a star stays within one directory and is not a dot file's dot.
    return len(names) == len(pattern) and all(
        fnmatch.fnmatchcase(name, wanted) and (not name.startswith(".") or wanted.startswith("."))
        for name, wanted in zip(names, pattern, strict=True)
    )


def _names_in(place: Place) -> dict[str, float]:
    """Rotated copies of the place's file, with when each was written to."""
    found: dict[str, float] = {}
    descriptor = os.open(".", DIRECTORY, dir_fd=place.directory)
    try:
        with os.scandir(descriptor) as entries:
            for entry in islice(entries, NAMES_MAX):
                if entry.name.startswith(place.name) and ROTATED.fullmatch(entry.name, len(place.name)):
                    with suppress(OSError):
                        found[entry.name] = entry.stat(follow_symlinks=False).st_mtime
    finally:
        os.close(descriptor)
    return found


def _newest_first(log_name: str, names: dict[str, float]) -> list[str]:
    # By name, for a copy that is being compressed is written to last. Counted and dated copies exist side by side only
    # after a change of the rotation's settings; then those come first of which one was written to last.
    counted: list[tuple[int, bool, str]] = []
    dated: list[tuple[int, bool, str]] = []
    for name in names:
        found = ROTATED.fullmatch(name, len(log_name))
        number = int(found[1].replace("-", "").ljust(20, "0")) if found and _is_date(found[1]) else 0
        if found and number:
            dated.append((-number, bool(found[2]), name))
        elif found:
            counted.append((int(found[1]), bool(found[2]), name))
    groups = [[name for _, _, name in sorted(group)] for group in (counted, dated) if group]
    groups.sort(key=lambda group: max(names[name] for name in group), reverse=True)
    return [name for group in groups for name in group]


def _is_date(number: str) -> bool:
    return "-" in number or int(number) > INDEX_MAX
