"""The watch: follows the sources that the enforcer opens, and turns what they say into decisions."""

import fnmatch
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from durward.catalog.document import ProblemsError
from durward.config.loading import Loaded
from durward.config.settings import Settings
from durward.control.channel import ChannelError
from durward.daemons import journal, posers
from durward.daemons.door import Door
from durward.daemons.drift import Drift
from durward.daemons.floods import Floods
from durward.daemons.hearsay import Hearsay
from durward.daemons.journal import JournalReading
from durward.daemons.liveness import Liveness
from durward.daemons.opening import WILD, Opening, is_of_many
from durward.daemons.process import say
from durward.daemons.told_twice import told_twice
from durward.daemons.unexplained import Unexplained
from durward.engine.engine import Engine
from durward.model import Decision, Event, Finding
from durward.scan.doubts import Doubts
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology
from durward.scan.twins import Twins
from durward.sources.block import Block, Position
from durward.sources.logfile import LogFile
from durward.sources.logfiles import LogFiles
from durward.sources.opening import ABSENT, NotNowError, SourceError
from durward.sources.watching import CREATE, MOVED_TO, read_changes

LIST_SECONDS = 10.0  # how often globs are looked at again although no notice came
LIST_ALL_SECONDS = 60.0  # how often those in directories that there are not, or of which there may be thousands
LIST_SECONDS_MIN = 1.0  # and how often at most, however many files are made
RESTLESS_SECONDS = 0.2  # between two looks at a rotated file that may still be written to
CALENDAR_SECONDS = 60.0  # a calendar is used for this long
FLOOD_SECONDS = 5.0  # a source that waits longer than this to be read grows too fast
FINDINGS_MAX = 50  # kept of lines that could not be read
CLAIMED = "crawler.claimed"
CLAIMS_MAX = 1000  # heard of in one read; who claims to be a crawler beyond it is not asked for then
FILES_MAX = 10_000  # followed at once; what more a glob names is not read, and said
CLOCK_SLACK_SECONDS = 600  # a stamp that lies further in the future than this is not believed


@dataclass(slots=True)
class Tally:
    """What one source has given; `last_event_at` is 0 for none."""

    lines: int = 0
    events: int = 0
    last_event_at: float = 0.0


class SourceState(NamedTuple):
    """How one source is doing: what it gave, how long it waits to be read (seconds), and what is wrong if anything.

    `lost` says what of it could not be read, `flood` how fast it grows where that is too fast.
    """

    name: str
    tally: Tally
    lag_seconds: float
    problem: str
    absent: bool = False
    lost: str = ""
    flood: str = ""


class Watch:
    """All sources of all services that are on."""

    def __init__(
        self, door: Door, loaded: Loaded, engine: Engine, saved: Mapping[str, str], *, memory_seconds: float
    ) -> None:
        self.changes_descriptor = -1
        self.gave_lines = False
        self.claims: list[Event] = []  # of being a crawler; whether they are true is not known from a log
        self.liveness = Liveness(loaded.settings.sources.syslog_check)
        self._opening = Opening(door)
        self._files = LogFiles(self._opening, memory_seconds=memory_seconds)
        self._journal = JournalReading(self._opening, loaded, saved.get(journal.NAME), memory_seconds)
        self._engine = engine
        self._scanner = Scanner(loaded.services, Topology(loaded.topology))
        web = frozenset(card.id for card in loaded.services if card.also)
        self._sessions, self._twins = Sessions(), Twins(web, self._log_of)
        self.drift = Drift(loaded.services)
        self.hearsay = Hearsay(loaded.settings.sources.untrusted_syslog, self._journal.vouches_for)
        self._floods = Floods()
        self.unexplained = _unexplained(loaded)
        self._calendar = Calendar(0.0, 0)
        self._globs = _globs(loaded)
        self._saved = dict(saved)
        self._services: dict[str, frozenset[str]] = {}
        self._tallies: dict[str, Tally] = {}
        self._list_at = self._list_all_at = 0.0
        self._listed_at = 0.0

    def connect(self, now: float) -> None:
        """Take over the enforcer's watches; new ones after it was restarted. Raises ChannelError."""
        descriptor = self._opening.changes()
        if self.changes_descriptor >= 0:
            os.close(self.changes_descriptor)
        self.changes_descriptor = descriptor
        self._journal.open(now)
        self._list_at = self._list_all_at = 0.0
        for path in self._services:
            self._take_watches(path, now)
        self._files.changed_all()

    def look(self, now: float) -> None:
        """Find the files that the settings name; those that came since the first look are read from their beginning."""
        if now < self._list_at or not self._opening.connected:
            return
        try:
            for glob in self._worth_a_look(now):
                found = self._opening.matching(glob) if set(glob) & WILD else [glob]
                for path in found:
                    self._follow(path, now)
        except ChannelError:
            return
        self._listed_at, self._list_at = now, now + LIST_SECONDS
        self._twins.told_twice = told_twice(self._present(), self._journal.services)

    def _worth_a_look(self, now: float) -> Iterable[str]:
        """The globs of the settings; mostly only those of one directory, if it was there the last time."""
        if now < self._list_all_at:
            return [glob for glob in self._globs if glob not in self._opening.absent and not is_of_many(glob)]
        self._list_all_at = now + LIST_ALL_SECONDS
        return self._globs

    def notice(self) -> None:
        """Hear which files changed."""
        changes = read_changes(self.changes_descriptor)
        self._files.changed(changes)
        self._journal.notice({change.watch for change in changes})
        if any(change.mask & (CREATE | MOVED_TO) for change in changes):
            self._list_at = min(self._list_at, self._listed_at + LIST_SECONDS_MIN)
            self._list_all_at = self._list_at

    def read(self, now: float) -> list[Decision]:
        """Read what has come, and give what is decided because of it. `gave_lines` tells whether anything came."""
        decisions: list[Decision] = []
        self.gave_lines = False
        for block in self._blocks(now):
            self.gave_lines = True
            self.liveness.hear(block.source, block.data)
            for event in self._events(block, now):
                if block.kind == "memory":
                    self._engine.remember(event)
                else:
                    decisions += self._engine.feed(event)
                    if event.kind == CLAIMED and len(self.claims) < CLAIMS_MAX:
                        self.claims.append(event)
        return decisions

    def taken_claims(self) -> list[Event]:
        """The events of sources that called themselves crawlers, since this was last asked."""
        claims, self.claims = self.claims, []
        return claims

    def positions(self) -> dict[str, str]:
        """How far each source was read since this was last asked, by source."""
        positions = {f"file:{path}": position.to_text() for path, position in self._files.positions().items()}
        return positions | self._journal.moved()

    def sweep(self, now: float) -> None:
        """Look at a few files although no notice came."""
        self._files.sweep(now)

    def check_liveness(self, now: float) -> None:
        """Have a line written now and then, and look whether the last one arrived."""
        self.liveness.tick(now, {one.name: one.tally.lines for one in self.sources(now) if not one.absent})

    @property
    def waiting(self) -> bool:
        """Whether `read` has something to do at once."""
        return self._files.waiting or self._journal.waiting

    def patience_seconds(self, now: float) -> float | None:
        """How soon to read although no notice came; None where notices suffice."""
        if self._journal.is_lively(now):
            return journal.POLL_SECONDS
        return RESTLESS_SECONDS if self._files.restless else None

    def trust(self, now: float) -> list[Finding]:
        """Whose lines are read that may be somebody else's, and who wrote in a service's name."""
        present = {f"file:{path}": services for path, services in self._present()}
        return [*posers.findings(self._journal.posing, now), *self.hearsay.findings(present, now)]

    def trust_of(self, source: str) -> str:
        """What the lines of a source count whose writers nobody knows; see Hearsay.state_of."""
        return self.hearsay.state_of(source, self._services.get(source.removeprefix("file:"), frozenset()))

    @property
    def doubts(self) -> Doubts:
        """The lines that could be blamed on two sources, and were blamed on none."""
        return self._scanner.doubts

    def next_look_seconds(self, now: float) -> float:
        """How long it is until `look` has something to do."""
        return max(0.0, self._list_at - now)

    def sources(self, now: float) -> list[SourceState]:
        """How each source is doing."""
        states = []
        for file in self._files:
            lag_seconds = file.lag_seconds(now) if file.waiting else 0.0
            refused = self._opening.problems.get(file.path)
            absent = refused is None and (file.problem or "").endswith(ABSENT)
            problem = "" if absent else refused or file.problem or ""
            flood = self._floods.told(file.source) if lag_seconds > FLOOD_SECONDS else ""
            tally = self._tally(file.source)
            states.append(SourceState(file.source, tally, lag_seconds, problem, absent, _lost(file), flood))
        if self._journal.journal is not None:
            lag_seconds, problem = self._journal.journal.lag_seconds(now), self._journal.journal.problem or ""
            flood = self._floods.told(journal.NAME) if lag_seconds > FLOOD_SECONDS else ""
            tally = self._tally(journal.NAME)
            states.append(SourceState(journal.NAME, tally, lag_seconds, problem, flood=flood))
        return states

    def _blocks(self, now: float) -> Iterator[Block]:
        yield from self._files.read(now)
        try:
            yield from self._journal.read(now)
        except ChannelError as error:
            say(f"the journal waits for the enforcer: {error}")

    def _events(self, block: Block, now: float) -> list[Event]:
        events = self._scan(block, now)
        self._count(block, events, now)
        if self.unexplained.is_on and block.kind != "memory":
            self.unexplained.hear(block.source, block.data, block.position, events, now)
        if block.places:
            events = [event._replace(position=block.place_of(cast("int", event.position))) for event in events]
        events = self._heard(events, block, now)
        events = self._twins.only_first(events, journal=self._journal.journal is not None)
        if block.kind != "live":
            # What was written while nobody watched counts at its own time, unless that lies in the future.
            events = [_at_its_own_time(event, now) for event in events]
        events = self._sessions.settle(events)
        return self.hearsay.weighed(events) if self.hearsay.is_of_syslog(block.source) else events

    def _heard(self, events: list[Event], block: Block, now: float) -> list[Event]:
        """The events that somebody vouches for, as far as that is known of their source."""
        live = block.kind == "live"
        if self.hearsay.is_of_syslog(block.source):
            return self.hearsay.admitted(events, now, live=live)
        if live and block.source == journal.NAME:
            self.hearsay.confirm(events, now)
        return events

    def _scan(self, block: Block, now: float) -> list[Event]:
        """The events of a block. Should a line ever make the scanner raise, that line is passed over and reported."""
        try:
            return self._scan_lines(block, block.data, 0, now)
        except Exception as error:  # noqa: BLE001 — one line must not keep all others from being read
            self._engine.findings.append(Finding("scan", block.source, "error", f"{type(error).__name__}: {error}"))
            del self._engine.findings[:-FINDINGS_MAX]
        events, start = [], 0
        for line in block.data.splitlines(keepends=True):
            with suppress(Exception):
                events += self._scan_lines(block, line, start, now)
            start += len(line)
        return events

    def _scan_lines(self, block: Block, lines: bytes, start: int, now: float) -> list[Event]:
        return self._scanner.events(
            lines,
            source=block.source,
            position=block.position + start,
            observed_at=now,
            calendar=self._calendar_at(now),
            services=self._services_in(block.source),
        )

    def _count(self, block: Block, events: list[Event], now: float) -> None:
        tally = self._tallies.setdefault(block.source, Tally())
        lines = block.data.count(b"\n")
        tally.lines += lines
        tally.events += len(events)
        tally.last_event_at = now if events else tally.last_event_at
        self._floods.hear(block.source, block.data, lines, now)
        if block.kind != "memory":
            services = self._services_in(block.source)
            self.drift.heard(block.source, block.data, events, lines=lines, services=services, now=now)

    def _tally(self, source: str) -> Tally:
        return self._tallies.get(source, Tally())

    def _calendar_at(self, now: float) -> Calendar:
        """The calendar to read stamps by; the same for a while, because it remembers stamps."""
        if not 0 <= now - self._calendar.reference < CALENDAR_SECONDS:
            self._calendar = Calendar(now, time.localtime(now).tm_gmtoff)
        return self._calendar

    def _follow(self, path: str, now: float) -> None:
        if path in self._services or len(self._files) >= FILES_MAX:
            return
        self._services[path] = self._services_of(path)
        saved = self._saved.get(f"file:{path}")
        file = self._files.follow(path, (), self._position(path), now=now, appeared=self._listed_at > 0)
        if not self._opening.connected:
            self._begin_later(path, saved)
        self._files.follow(path, self._opening.watches.get(path, ()), None, now=now)
        problem = self._opening.problems.get(path) or file.problem
        if problem and not problem.endswith(ABSENT):
            say(f"{path} is not read: {problem}")

    def _begin_later(self, path: str, saved: str | None) -> None:
        """The enforcer went in between: whether the file was there is not known, so it must not count as new later."""
        self._files.forget(path)
        del self._services[path]
        if saved is not None:
            self._saved[f"file:{path}"] = saved
        raise ChannelError("the enforcer went while a log was being opened")

    def _take_watches(self, path: str, now: float) -> None:
        try:
            descriptor = self._opening.open(path)
        except NotNowError as error:
            raise ChannelError(str(error)) from None
        if descriptor is not None:
            os.close(descriptor)
        self._files.follow(path, self._opening.watches.get(path, ()), None, now=now)

    def _position(self, path: str) -> Position | None:
        text = self._saved.pop(f"file:{path}", None)
        try:
            return Position.from_text(text) if text else None
        except SourceError as error:
            say(f"{path}: {error}; it is read from its end")
            return None

    def _present(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The logs that are there, and the services that write to them."""
        for file in self._files:
            if not (file.problem or "").endswith(ABSENT):
                yield file.path, self._services.get(file.path, frozenset())

    def _log_of(self, source: str) -> str:
        """What a source is one of: the logs of several sites tell of different things."""
        path = source.removeprefix("file:")
        return next((glob for glob in self._globs if fnmatch.fnmatchcase(path, glob)), path)

    def _services_in(self, source: str) -> frozenset[str]:
        return self._journal.services if source == journal.NAME else self._services[source.removeprefix("file:")]

    def _services_of(self, path: str) -> frozenset[str]:
        return frozenset(
            service for glob, services in self._globs.items() if fnmatch.fnmatchcase(path, glob) for service in services
        )


def _unexplained(loaded: Loaded) -> Unexplained:
    """What collects lines. Patterns of the site that cannot be used ignore nothing: no log goes unread for them."""
    try:
        return Unexplained(loaded.settings.sources, loaded.services, time.time())
    except ProblemsError as error:
        say(f"lines that nothing explains are all collected: {error}")
        settings = replace(loaded.settings.sources, unexplained_ignored=())
        return Unexplained(settings, loaded.services, time.time())


def _lost(file: LogFile) -> str:
    """What of a log was not read, or only in part."""
    told = [
        f"{file.overlong:,} lines were too long, and only their beginnings were read" if file.overlong else "",
        f"{file.lost_bytes:,} bytes were cut away before they were read" if file.lost_bytes else "",
        f"{file.lost_files:,} rotated files were gone before they were read" if file.lost_files else "",
    ]
    return "; ".join(filter(None, told))


def read_anyway(settings: Settings) -> tuple[str, ...]:
    """The logs that are read although no service writes to them."""
    return () if settings.sources.unexplained == "off" else settings.sources.unexplained_files


def _globs(loaded: Loaded) -> dict[str, set[str]]:
    globs: dict[str, set[str]] = {}
    for card in loaded.services:
        for glob in loaded.settings.services[card.id].files:
            globs.setdefault(glob, set()).add(card.id)
    for glob in read_anyway(loaded.settings):
        globs.setdefault(glob, set())
    return globs


def _at_its_own_time(event: Event, now: float) -> Event:
    return event._replace(observed_at=event.at) if event.at <= now + CLOCK_SLACK_SECONDS else event
