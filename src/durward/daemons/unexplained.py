"""Unexplained: the lines of logs that nothing made an event of, alike ones together, for whoever wants to see them.

Off by default, and then no line costs anything. What differs from line to line (numbers, addresses, paths with digits)
is masked, so a page holds a day. A site's own patterns say what is not worth looking at.
"""

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from durward.catalog.service_card import ServiceCard
from durward.config.settings import SourceSettings
from durward.daemons import liveness
from durward.engine.explain import moment
from durward.messages import occasions
from durward.messages.inert import line as inert_line
from durward.model import Event
from durward.model.alert import Alert
from durward.scan.ignoring import ignoring
from durward.scan.timestamps import Calendar

INTERVALS = {"hourly": 3600.0, "daily": 86400.0}
LINES_A_SECOND_MAX = 5000  # are looked at; what comes faster is counted only
LINE_BYTES_MAX = 1024  # of a line are looked at
SAMPLE_CHARACTERS_MAX = 300
MASKED = re.compile(rb"[\w./:@+%-]*\d[\w./:@+%-]*")
MASK = b"#"
OURS = liveness.NAME.encode()  # in the line that is written to see whether lines arrive
NO_TIME = Calendar(0.0, 0)


@dataclass(slots=True)
class Group:
    """Lines that are alike: how many, when (epoch seconds), and the last of them."""

    source: str
    lines: int
    first_at: float
    last_at: float
    sample: bytes


class Unexplained:
    """Collects until it reports. Raises ProblemsError for patterns of the site that cannot be used."""

    def __init__(self, settings: SourceSettings, services: Sequence[ServiceCard], now: float) -> None:
        self.is_on = settings.unexplained != "off"
        self.lines = self.further = 0  # that were not explained; and those of them that are in no group
        self._every = INTERVALS.get(settings.unexplained, 0.0)
        self._globs, self._most = settings.unexplained_files, settings.unexplained_lines
        self._empty = settings.unexplained_empty
        self._groups: dict[tuple[str, bytes], Group] = {}
        self._wanted: dict[str, bool] = {}
        self._second, self._looked_at = 0, 0
        self._began_at = now
        self._reported_in = self._span(now)
        self._scanner = ignoring(settings.unexplained_ignored, services) if self.is_on else None

    def hear(self, source: str, data: bytes, position: int, events: Sequence[Event], now: float) -> None:
        """Take note of whole lines that begin at `position`, and of what was made of them."""
        if self._scanner is None or not self._is_wanted(source):
            return
        explained = {event.position for event in [*events, *self._ignored(data, source, position)]}
        place = position
        for line in data.splitlines(keepends=True):
            if place not in explained and not line.isspace() and OURS not in line:
                self._note(source, line.rstrip(b"\r\n")[:LINE_BYTES_MAX], now)
            place += len(line)

    def groups(self) -> Iterator[dict[str, Any]]:
        """What was collected since the last report, the most frequent first, as JSON gives it."""
        for group in self._sorted():
            yield {
                "source": group.source,
                "lines": group.lines,
                "first_at": moment(group.first_at),
                "last_at": moment(group.last_at),
                "sample": _text(group.sample),
            }

    def report(self, now: float) -> Alert | None:
        """The report when an hour or a day is over, and everything begins anew; None before."""
        if not self._every or self._span(now) == self._reported_in:
            return None
        self._reported_in = self._span(now)
        groups = self._sorted()
        made = None
        if groups or self.further or self._empty:
            rows = tuple(f"{one.lines} x {one.source.removeprefix('file:')}: {_text(one.sample)}" for one in groups)
            made = occasions.of_unexplained(rows, self.lines, self._began_at, now)
        self._groups.clear()
        self.lines = self.further = 0
        self._began_at = now
        return made

    def _span(self, now: float) -> int:
        return int(now // self._every) if self._every else 0

    def _sorted(self) -> list[Group]:
        return sorted(self._groups.values(), key=lambda one: (-one.lines, one.source, one.first_at))

    def _is_wanted(self, source: str) -> bool:
        if source not in self._wanted:
            if len(self._wanted) >= self._most:
                self._wanted.clear()
            path = source.removeprefix("file:")
            self._wanted[source] = not self._globs or any(fnmatch.fnmatchcase(path, one) for one in self._globs)
        return self._wanted[source]

    def _ignored(self, data: bytes, source: str, position: int) -> list[Event]:
        if self._scanner is None or not self._scanner.rules:
            return []
        return self._scanner.events(data, source=source, position=position, observed_at=0.0, calendar=NO_TIME)

    def _note(self, source: str, line: bytes, now: float) -> None:
        self.lines += 1
        if self._second != int(now):
            self._second, self._looked_at = int(now), 0
        self._looked_at += 1
        if self._looked_at > LINES_A_SECOND_MAX:
            self.further += 1
            return
        key = (source, MASKED.sub(MASK, line))
        group = self._groups.get(key)
        if group is not None:
            group.lines, group.last_at, group.sample = group.lines + 1, now, line
        elif len(self._groups) < self._most:
            self._groups[key] = Group(source, 1, now, now, line)
        else:
            self.further += 1


def _text(line: bytes) -> str:
    return inert_line(line.decode("utf-8", "backslashreplace"), SAMPLE_CHARACTERS_MAX)
