"""The watch: opens the sources through the enforcer, follows them, and turns what they say into decisions."""

import fnmatch
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from durward.config.loading import Loaded
from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.process import say
from durward.engine.engine import Engine
from durward.model import Decision, Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar
from durward.sources.block import Block, Position
from durward.sources.logfiles import LogFiles
from durward.sources.opening import SourceError
from durward.sources.watching import CREATE, MOVED_TO, read_changes

LIST_SECONDS = 10.0  # how often globs are looked at again although no notice came
CALENDAR_SECONDS = 60.0  # a calendar is used for this long
FILES_MAX = 10_000  # followed at once; more are named in `status` as not read
CLOCK_SLACK_SECONDS = 600  # a stamp that lies further in the future than this is not believed


class Opening:
    """Asks the enforcer for descriptors. A path that it cannot or will not open is absent; the reason is kept."""

    def __init__(self, door: Door) -> None:
        self.problems: dict[str, str] = {}
        self.watches: dict[str, list[tuple[int, bytes]]] = {}
        self._door = door

    def open(self, path: str) -> int | None:
        """A reading descriptor of `path`; None when it is absent or refused."""
        try:
            answer, descriptors = self._door.channel.ask_descriptors("open file", path=path)
        except ChannelError:
            return None
        self.watches[path] = [(number, os.fsencode(name)) for number, name in answer["watches"]]
        if answer["problem"]:
            self.problems[path] = answer["problem"]
        else:
            self.problems.pop(path, None)
        return descriptors[0] if descriptors else None

    def siblings(self, path: str) -> list[tuple[str, int]]:
        """The rotated copies of `path`, newest first."""
        try:
            answer, descriptors = self._door.channel.ask_descriptors("open siblings", path=path)
        except ChannelError:
            return []
        return list(zip(answer["names"], descriptors, strict=True))

    def matching(self, glob: str) -> Iterator[str]:
        """The paths that a glob of the settings names now. Raises ChannelError."""
        after, more = "", True
        while more:
            answer = self._door.channel.ask("open list", pattern=glob, after=after)
            yield from answer["paths"]
            more = answer["more"] and bool(answer["paths"])
            after = answer["paths"][-1] if answer["paths"] else after


@dataclass(slots=True)
class Tally:
    """What one source has given."""

    lines: int = 0
    events: int = 0
    last_event_at: float = field(default=0.0)


class Watch:
    """All log files of all services that are on. `settled` is False until everything that is there has been opened."""

    def __init__(self, door: Door, loaded: Loaded, engine: Engine, saved: Mapping[str, str], memory: float) -> None:
        self.tallies: dict[str, Tally] = {}
        self.opening = Opening(door)
        self.files = LogFiles(self.opening, memory_seconds=memory)
        self.changes_descriptor = -1
        self._door = door
        self._engine = engine
        self._scanner = Scanner(loaded.services)
        self._sessions = Sessions()
        self._globs = _globs(loaded)
        self._saved = {name: position for name, position in saved.items() if name.startswith("file:")}
        self._services: dict[str, frozenset[str]] = {}
        self._listed_at = 0.0
        self._started = False
        self._calendar = Calendar(0.0, 0)

    def connect(self) -> None:
        """Take over the enforcer's watches, new ones after it was restarted. Raises ChannelError."""
        _answer, (descriptor, *_rest) = self._door.channel.ask_descriptors("open watch")
        if self.changes_descriptor >= 0:
            os.close(self.changes_descriptor)
        os.set_blocking(descriptor, False)
        self.changes_descriptor = descriptor
        self._listed_at = 0.0
        self._services.clear()

    def look(self, now: float) -> None:
        """Find the files that the settings name; those that came since are read from their first line."""
        if now - self._listed_at < LIST_SECONDS:
            return
        self._listed_at = now
        try:
            for glob in self._globs:
                for path in self.opening.matching(glob):
                    self._follow(path, now)
                if not set("*?[") & set(glob):
                    self._follow(glob, now)
        except ChannelError:
            return
        self._started = True

    def notice(self) -> None:
        """Hear which files changed."""
        changes = read_changes(self.changes_descriptor)
        self.files.changed(changes)
        if any(change.mask & (CREATE | MOVED_TO) for change in changes):
            self._listed_at = 0.0

    def read(self, now: float) -> list[Decision]:
        """Read what has come, and give what is decided because of it."""
        calendar = self._calendar_at(now)
        decisions: list[Decision] = []
        for block in self.files.read(now):
            for event in self._events(block, now, calendar):
                if block.kind == "memory":
                    self._engine.remember(event)
                else:
                    decisions += self._engine.feed(event)
        return decisions

    def positions(self) -> dict[str, str]:
        """How far each source was read since this was last asked."""
        return {f"file:{path}": position.to_text() for path, position in self.files.positions().items()}

    def sources(self, now: float) -> list[tuple[str, Tally, float, str]]:
        """Each source: its name, what it has given, how long it waits to be read (seconds), and what is wrong."""
        found = []
        for file in self.files:
            lag = file.lag_seconds(now) if file.waiting else 0.0
            problem = self.opening.problems.get(file.path) or file.problem or ""
            found.append((file.source, self.tallies.get(file.source, Tally()), lag, problem))
        return found

    def _events(self, block: Block, now: float, calendar: Calendar) -> list[Event]:
        path = block.source.removeprefix("file:")
        events = self._scanner.events(
            block.data,
            source=block.source,
            position=block.position,
            observed_at=now,
            calendar=calendar,
            services=self._services.get(path) or self._services_of(path),
        )
        tally = self.tallies.setdefault(block.source, Tally())
        tally.lines += block.data.count(b"\n")
        tally.events += len(events)
        if events:
            tally.last_event_at = now
        if block.kind != "live":
            # What was written while nobody watched counts at its own time, unless that lies in the future.
            events = [_at_its_own_time(event, now) for event in events]
        return self._sessions.settle(events)

    def _calendar_at(self, now: float) -> Calendar:
        """The calendar to read stamps by; the same for a while, because it remembers stamps."""
        if not 0 <= now - self._calendar.reference < CALENDAR_SECONDS:
            self._calendar = Calendar(now, time.localtime(now).tm_gmtoff)
        return self._calendar

    def _follow(self, path: str, now: float) -> None:
        if path in self._services or len(self.files) >= FILES_MAX:
            return
        self._services[path] = self._services_of(path)
        saved = self._position(path)
        file = self.files.follow(path, (), saved, now=now, appeared=self._started)
        self.files.follow(path, self.opening.watches.get(path, ()), None, now=now)
        if file.problem:
            say(f"{path} is not read: {file.problem}")

    def _position(self, path: str) -> Position | None:
        text = self._saved.pop(f"file:{path}", None)
        try:
            return Position.from_text(text) if text else None
        except SourceError as error:
            say(f"{path}: {error}; it is read from its end")
            return None

    def _services_of(self, path: str) -> frozenset[str]:
        return frozenset(
            service for glob, services in self._globs.items() if fnmatch.fnmatchcase(path, glob) for service in services
        )


def _globs(loaded: Loaded) -> dict[str, set[str]]:
    globs: dict[str, set[str]] = {}
    for card in loaded.services:
        for glob in loaded.settings.services[card.id].files:
            globs.setdefault(glob, set()).add(card.id)
    return globs


def _at_its_own_time(event: Event, now: float) -> Event:
    return event._replace(observed_at=event.at) if event.at <= now + CLOCK_SLACK_SECONDS else event
