"""The watch: opens the sources through the enforcer, follows them, and turns what they say into decisions."""

import fnmatch
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from durward.catalog.service_card import ServiceCard
from durward.config.loading import Loaded
from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.process import say
from durward.engine.engine import Engine
from durward.model import Decision, Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar
from durward.scan.twins import Twins
from durward.sources.block import Block, Position
from durward.sources.journal import Journal
from durward.sources.logfiles import LogFiles
from durward.sources.opening import SourceError
from durward.sources.trust import Want
from durward.sources.watching import CREATE, MOVED_TO, read_changes

LIST_SECONDS = 10.0  # how often globs are looked at again although no notice came
RESTLESS_SECONDS = 0.2  # while a rotated file is read to its end
JOURNAL_POLL_SECONDS = 0.05  # journald's own notices come up to 250 ms late
JOURNAL_LIVELY_SECONDS = 2.0  # after an entry the journal is polled for this long; then its notices suffice
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
        self.gave_lines = False
        self._door = door
        self._engine = engine
        self._scanner = Scanner(loaded.services)
        self._sessions = Sessions()
        self._twins = Twins()
        self._memory_seconds = memory
        self._wants = _wants(loaded)
        self._journal_services = frozenset(card.id for card, _want in self._wants)
        self._journal_cursor = saved.get(Journal.source)
        self._journal_watches: frozenset[int] = frozenset()
        self.journal: Journal | None = None
        self._journal_heard_at = 0.0
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
        if self._wants:
            self._open_journal(time.time())
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
        if self.journal is not None and any(change.watch in self._journal_watches for change in changes):
            self.journal.waiting = True
        if any(change.mask & (CREATE | MOVED_TO) for change in changes):
            self._listed_at = 0.0

    def read(self, now: float) -> list[Decision]:
        """Read what has come, and give what is decided because of it."""
        calendar = self._calendar_at(now)
        decisions: list[Decision] = []
        self.gave_lines = False
        for block in self._blocks(now):
            self.gave_lines = True
            for event in self._events(block, now, calendar):
                if block.kind == "memory":
                    self._engine.remember(event)
                else:
                    decisions += self._engine.feed(event)
        return decisions

    def positions(self) -> dict[str, str]:
        """How far each source was read since this was last asked."""
        positions = {f"file:{path}": position.to_text() for path, position in self.files.positions().items()}
        if self.journal is not None and self.journal.position != self._journal_cursor:
            self._journal_cursor = self.journal.position
            positions[Journal.source] = self._journal_cursor or ""
        return positions

    @property
    def waiting(self) -> bool:
        """Whether `read` has something to do at once."""
        return self.files.waiting or (self.journal is not None and self.journal.waiting)

    def patience(self, now: float) -> float | None:
        """When to read although no notice came, in seconds; None where notices suffice."""
        if self.journal is not None and now - self._journal_heard_at < JOURNAL_LIVELY_SECONDS:
            return JOURNAL_POLL_SECONDS
        return RESTLESS_SECONDS if self.files.restless else None

    def sources(self, now: float) -> list[tuple[str, Tally, float, str]]:
        """Each source: its name, what it has given, how long it waits to be read (seconds), and what is wrong."""
        found = []
        for file in self.files:
            lag = file.lag_seconds(now) if file.waiting else 0.0
            problem = self.opening.problems.get(file.path) or file.problem or ""
            found.append((file.source, self.tallies.get(file.source, Tally()), lag, problem))
        if self.journal is not None:
            tally = self.tallies.get(Journal.source, Tally())
            found.append((Journal.source, tally, self.journal.lag_seconds(now), self.journal.problem or ""))
        return found

    def _events(self, block: Block, now: float, calendar: Calendar) -> list[Event]:
        events = self._scanner.events(
            block.data,
            source=block.source,
            position=block.position,
            observed_at=now,
            calendar=calendar,
            services=self._services_in(block.source),
        )
        if block.places:
            events = [event._replace(position=block.place_of(cast("int", event.position))) for event in events]
        if self.journal is not None:
            events = self._twins.only_first(events)
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

    def _blocks(self, now: float) -> Iterator[Block]:
        yield from self.files.read(now)
        if self.journal is None:
            return
        for block in self.journal.read(now):
            self._journal_heard_at = now
            yield block
        if self.journal.archived:
            self._open_journal(now)

    def _open_journal(self, now: float) -> None:
        """Take over the journal's files, after a rotation the new ones. Raises ChannelError."""
        answer, descriptors = self._door.channel.ask_descriptors("open journal")
        self._journal_watches = frozenset(number for number, _name in answer["watches"])
        try:
            if self.journal is not None:
                self.journal.replace(descriptors)
            elif descriptors:
                wants = [want for _card, want in self._wants]
                self.journal = Journal(descriptors, wants, memory_seconds=self._memory_seconds)
                self.journal.start(now, self._journal_cursor)
        except SourceError as error:
            self.opening.problems[Journal.source] = str(error)
            say(f"the journal is not read: {error}")
        else:
            self.opening.problems.pop(Journal.source, None)

    def _services_in(self, source: str) -> frozenset[str]:
        if source == Journal.source:
            return self._journal_services
        path = source.removeprefix("file:")
        return self._services.get(path) or self._services_of(path)

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


def _wants(loaded: Loaded) -> list[tuple[ServiceCard, Want]]:
    return [
        (card, Want(frozenset(units), frozenset(card.reads.programs)))
        for card in loaded.services
        if (units := loaded.settings.services[card.id].journal)
    ]


def _globs(loaded: Loaded) -> dict[str, set[str]]:
    globs: dict[str, set[str]] = {}
    for card in loaded.services:
        for glob in loaded.settings.services[card.id].files:
            globs.setdefault(glob, set()).add(card.id)
    return globs


def _at_its_own_time(event: Event, now: float) -> Event:
    return event._replace(observed_at=event.at) if event.at <= now + CLOCK_SLACK_SECONDS else event
