"""Drift: a service that gives no more events while lines like failures keep coming; its format may have changed."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from durward.catalog.service_card import ServiceCard
from durward.model import Event, Finding
from durward.scan.suspects import Suspects

CHECK = "drift"
SAMPLES_MAX = 3
SAMPLE_CHARACTERS_MAX = 160
SUSPECTS_MIN = 10  # so many lines that look like failures are no accident
SUSPECTS_MAX = 1000  # are counted; then nothing more has to be looked at
TIMES_USUAL = 20  # a quiet stretch so many times as long as usual is unusual: e⁻²⁰ where attempts come by chance
EVENTS_MIN = 5  # fewer say nothing of what is usual
LINES_MIN, UNKNOWN_LINES_MIN = 100, 1000  # without an event: at least, and where nothing is known of what is usual
QUIET_SECONDS_MIN = 3600.0
LOOK_SECONDS = 1.0  # between two looks at the lines of one source
LOOK_BYTES_MAX = 64 * 1024  # of a block are looked at
SOURCES_MAX = 10_000  # more are not followed here


@dataclass(slots=True)
class Habit:
    """What a service usually gives in one source, and what came since. Times are epoch seconds.

    `lines_before` are the lines of the source up to the last event.
    """

    events: int = 0
    last_event_at: float = 0.0
    lines_before: int = 0
    suspects: int = 0
    samples: list[str] = field(default_factory=list)

    def is_quiet(self, lines: int, began_at: float, now: float) -> bool:
        """Whether there was no event for unusually long, in lines of the source and in time."""
        if self.events < EVENTS_MIN:
            since = max(began_at, self.last_event_at)
            return lines - self.lines_before > UNKNOWN_LINES_MIN and now - since > QUIET_SECONDS_MIN
        usual_lines = TIMES_USUAL * self.lines_before / self.events
        usual_seconds = TIMES_USUAL * (self.last_event_at - began_at) / self.events
        quiet_lines, quiet_seconds = lines - self.lines_before, now - self.last_event_at
        return quiet_lines > max(LINES_MIN, usual_lines) and quiet_seconds > max(QUIET_SECONDS_MIN, usual_seconds)


@dataclass(slots=True)
class Habits:
    """One source: its lines, since when they are counted, and the habits of the services in it."""

    began_at: float
    lines: int = 0
    services: dict[str, Habit] = field(default_factory=dict)
    looked_at: float = 0.0


class Drift:
    """The habits of all sources."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        self._suspects = Suspects(cards)
        self._sources: dict[str, Habits] = {}

    def restore(self, habits: Mapping[str, str]) -> None:
        """Go on with what an earlier engine knew; what is damaged is left out."""
        for source, text in habits.items():
            try:
                self._sources[source] = _habits(json.loads(text))
            except (ValueError, TypeError, KeyError, RecursionError):
                continue

    def habits(self) -> dict[str, str]:
        """What is known of each source of which anything is, for the store."""
        return {source: json.dumps(asdict(one)) for source, one in self._sources.items() if one.services}

    def heard(
        self, source: str, data: bytes, events: Sequence[Event], *, lines: int, services: Collection[str], now: float
    ) -> None:
        """Take note of a block and its events. Lines are looked at only for services that are quiet, once a second."""
        habits = self._sources.get(source)
        if habits is None:
            if len(self._sources) >= SOURCES_MAX:
                return
            habits = self._sources[source] = Habits(now)
        habits.lines += lines
        if events:
            for service in {event.service for event in events if event.hits}:
                count = sum(event.service == service for event in events)
                known = habits.services.get(service, Habit()).events
                habits.services[service] = Habit(known + count, now, habits.lines)
        if habits.lines <= LINES_MIN or 0 <= now - habits.looked_at < LOOK_SECONDS:
            return
        habits.looked_at = now
        self._look(habits, data, events, services, now)

    def _look(
        self, habits: Habits, data: bytes, events: Sequence[Event], services: Collection[str], now: float
    ) -> None:
        nothing = Habit()
        known = {service: habits.services.get(service, nothing) for service in services}
        quiet = [
            service
            for service, habit in known.items()
            if habit.suspects < SUSPECTS_MAX and habit.is_quiet(habits.lines, habits.began_at, now)
        ]
        if not quiet:
            return
        understood = {event.line.rstrip(b"\r\n") for event in events}
        for line, of in self._suspects.among(data[:LOOK_BYTES_MAX], quiet):
            if line.rstrip(b"\r") not in understood:
                for service in of:
                    _suspect(habits.services.setdefault(service, Habit()), line)

    def findings(self) -> list[Finding]:
        """The services that may have changed their format, by source."""
        found = []
        for source, habits in sorted(self._sources.items()):
            for service, habit in sorted(habits.services.items()):
                if habit.suspects >= SUSPECTS_MIN:
                    found.append(Finding(CHECK, f"{service} in {source}", "fail", _detail(habit)))
        return found


def _detail(habit: Habit) -> str:
    count = f"{habit.suspects}{' or more' if habit.suspects >= SUSPECTS_MAX else ''}"
    before = f"after {habit.events} that were" if habit.events else "and none was before"
    return f"{count} lines look like failures and none was an event, {before}: {' | '.join(habit.samples)}"


def _suspect(habit: Habit, line: bytes) -> None:
    """Count the line, and keep it if it is unlike those that are kept."""
    habit.suspects += 1
    text = line.decode("utf-8", "backslashreplace")[:SAMPLE_CHARACTERS_MAX]
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(habit.samples) < SAMPLES_MAX and text not in habit.samples:
        habit.samples.append(text)


def _habits(stored: Any) -> Habits:
    """Habits as they were stored. Raises ValueError, TypeError, KeyError."""
    services = {str(service): _habit(one) for service, one in stored["services"].items()}
    return Habits(float(stored["began_at"]), int(stored["lines"]), services)


def _habit(stored: Any) -> Habit:
    samples = [str(one)[:SAMPLE_CHARACTERS_MAX] for one in list(stored["samples"])[:SAMPLES_MAX]]
    numbers = (int(stored["events"]), float(stored["last_event_at"]), int(stored["lines_before"]))
    return Habit(*numbers, int(stored["suspects"]), samples)
