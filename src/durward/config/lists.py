"""Reads allow.list, deny.list and ignore.list in CSF's grammar: one address, network or filter a line, and comments."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TextIO

from durward.catalog.document import Problem
from durward.config.filters import Filter, InvalidFilterError, parse_filters
from durward.config.intervals import networks_of
from durward.model import EVERYTHING, InvalidAddressError, Scope, Subject

FILE_BYTES_MAX = 64 << 20  # a larger file is refused unread
ENTRIES_MAX = 2_000_000  # of one list with all that it includes; the rest is left out, and that is a problem
LINE_CHARACTERS_MAX = 4096  # a longer line is a problem
INCLUDES_MAX = 256  # files that one list may include, in all
INCLUDE_DEPTH_MAX = 8  # files that include each other
SYNCED_MAX = 50_000  # entries of a list that become decisions; those of deny.list behind them are a merged list
FILTERS_MAX = 10_000  # that stand behind them; more are a problem, for each is a rule that packets pay for
PROBLEMS_MAX = 1000  # are kept of one list; the last one says that there are more
MESSAGE_CHARACTERS_MAX = 300  # of a problem are shown

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
PLAIN_IPV4 = re.compile(rf"{OCTET}\.{OCTET}\.{OCTET}\.{OCTET}", re.ASCII)  # nearly every line; canonical as it stands
ENTRY = re.compile(r"([^\s#]+)\s*#*\s*(.*)", re.DOTALL)
Identity = tuple[int, int]  # device and inode
KEEP = "do not delete"
EXPECTED = "an address, a network, a filter like tcp|in|d=22|s=192.0.2.4 or Include /full/path was expected"


class ListEntry(NamedTuple):
    """One entry. `network` is canonical text, empty for a filter by user. A tuple, because a list may hold millions."""

    network: str
    filter: Filter | None
    comment: str
    keep: bool
    file: str
    line: int
    whole_line: bool = True  # False where the line names an interval, of which this is a part

    @property
    def subject(self) -> Subject | None:
        """Whom the entry names; None for a filter that names a user or group only."""
        return Subject.parse(self.network) if self.network else None

    @property
    def scope(self) -> Scope | None:
        """What of the traffic is meant; None where a Scope cannot say it and `filter` has to be asked."""
        return self.filter.scope if self.filter else EVERYTHING


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a list and the files that it includes hold. A line with a problem gives no entry; all others do.

    `further` is how many entries were not kept. `is_whole` is False where a file could not be read: what it held before
    should not be taken for gone then.
    """

    entries: list[ListEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    further: int = 0
    is_whole: bool = True


class InvalidLineError(ValueError):
    """A line that is no entry; the message says what was expected."""


def read_list(path: Path, entries_max: int = ENTRIES_MAX) -> ListFile:
    """Read a whole list. A file that is not there is empty; one that cannot be read is a problem.

    Of what stands behind the first `entries_max` entries only filters are kept; all else is counted.
    """
    entries: list[ListEntry] = []
    problems: list[Problem] = []
    further = filters = 0
    walk = _Walk()
    for item in _scan(path, walk) if os.path.lexists(path) else ():
        if isinstance(item, Problem):
            _note(item, problems, path)
        elif len(entries) - filters < entries_max:
            entries.append(item)
        elif item.filter is None:
            further += 1
        elif filters < FILTERS_MAX:
            filters += 1
            entries.append(item)
        else:
            _note(Problem(item.file, item.line, "", f"more than {FILTERS_MAX} filters"), problems, path)
    return ListFile(entries, problems, further, walk.is_whole)


def _note(problem: Problem, problems: list[Problem], path: Path) -> None:
    if len(problems) < PROBLEMS_MAX:
        problems.append(problem)
    elif len(problems) == PROBLEMS_MAX:
        problems.append(Problem(str(path), problem.line, "", "and more problems, which are not shown"))


def scan_list(path: Path) -> Iterator[ListEntry | Problem]:
    """Give the entries and problems of a list as they come, those of included files where they are included."""
    yield from _scan(path, _Walk())


def _scan(path: Path, walk: "_Walk") -> Iterator[ListEntry | Problem]:
    for count, item in enumerate(walk.file(path, (), Problem(str(path), 1, "", ""))):
        if count >= ENTRIES_MAX:
            walk.is_whole = False
            yield Problem(str(path), 1, "", f"holds more than {ENTRIES_MAX} entries; the rest is left out")
            return
        yield item


def parse_entries(text: str, file: str, line: int) -> list[ListEntry]:
    """Read one line, which is no Include; nothing for a comment. Raises InvalidLineError.

    A line gives one entry, and one that names an interval of addresses gives one for each network in it.
    """
    text = text.strip()
    found = ENTRY.match(text)
    if not found:
        return []
    word, comment = found[1], found[2].strip()
    keep = KEEP in comment.lower()
    named: Sequence[tuple[str, Filter | None]]
    try:
        if "=" in word or "|" in word:
            named = [(rule.network, rule) for rule in parse_filters(word)]
        else:
            named = [(network, None) for network in networks_of(word)]
    except InvalidFilterError as error:
        raise InvalidLineError(str(error)[:MESSAGE_CHARACTERS_MAX]) from None
    except InvalidAddressError as error:
        raise InvalidLineError(f"{str(error)[:MESSAGE_CHARACTERS_MAX]}; {EXPECTED}") from None
    whole = len(named) == 1
    return [ListEntry(network, rule, comment, keep, file, line, whole) for network, rule in named]


def included_by(text: str) -> str | None:
    """The file that the line `Include FILE` names; None for every other line."""
    word, *rest = text.split(maxsplit=1) or [""]
    return "".join(rest).partition("#")[0].strip() if word.lower() == "include" else None


class _Walk:
    """A list and its includes while they are read; remembers which files were opened."""

    def __init__(self) -> None:
        self.opened: set[Identity] = set()
        self.is_whole = True

    def file(self, path: Path, above: tuple[Identity, ...], at: Problem) -> Iterator[ListEntry | Problem]:
        """Read one file; `at` is the place to complain about it, `above` the files that include it."""
        try:
            file, identity = _open(path)
        except OSError as error:
            self.is_whole = False
            yield replace(at, message=f"{path}: {error.strerror or 'cannot be read'}")
            return
        with file:
            if identity in above:
                yield replace(at, message=f"{path} includes itself; this time it is left out")
            elif identity not in self.opened:
                self.opened.add(identity)
                yield from self.lines(str(path), file, (*above, identity))

    def lines(self, name: str, file: TextIO, above: tuple[Identity, ...]) -> Iterator[ListEntry | Problem]:
        """Read the lines of one open file."""
        plain = PLAIN_IPV4.fullmatch
        for number, line in enumerate(file, 1):
            text = line.strip()
            if plain(text):
                yield ListEntry(text, None, "", False, name, number)
            elif len(text) > LINE_CHARACTERS_MAX:
                yield Problem(name, number, "", f"the line is longer than {LINE_CHARACTERS_MAX} characters")
            else:
                for part in text.splitlines():
                    yield from self.part(part, Problem(name, number, "", ""), above)

    def part(self, text: str, at: Problem, above: tuple[Identity, ...]) -> Iterator[ListEntry | Problem]:
        """Read what stands between two line ends of any kind."""
        target = included_by(text)
        if target is not None:
            yield from self.include(target, at, above)
            return
        try:
            yield from parse_entries(text, at.file, at.line)
        except InvalidLineError as error:
            yield replace(at, message=str(error))

    def include(self, target: str, at: Problem, above: tuple[Identity, ...]) -> Iterator[ListEntry | Problem]:
        """Read the file that an Include names, where the bounds allow it."""
        refused = ""
        if not target.startswith("/"):
            refused = f"{target!r} is no full path; Include /full/path was expected"
        elif len(above) > INCLUDE_DEPTH_MAX:
            refused = f"more than {INCLUDE_DEPTH_MAX} files include each other; this one is left out"
        elif len(self.opened) > INCLUDES_MAX:
            refused = f"more than {INCLUDES_MAX} files are included; this one is left out"
        at = replace(at, key="Include")
        if refused:
            yield replace(at, message=refused)
        else:
            yield from self.file(Path(target), above, at)


def _open(path: Path) -> tuple[TextIO, Identity]:
    """Open a regular file of at most FILE_BYTES_MAX; to open a named pipe would wait for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    refused = ""
    if not stat.S_ISREG(status.st_mode):
        refused = "is no regular file"
    elif status.st_size > FILE_BYTES_MAX:
        refused = f"is larger than {FILE_BYTES_MAX} bytes"
    if refused:
        os.close(descriptor)
        raise OSError(0, refused)
    file = os.fdopen(descriptor, encoding="utf-8-sig", errors="backslashreplace")
    return file, (status.st_dev, status.st_ino)
