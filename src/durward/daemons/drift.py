"""Drift: a service that gives no more events while lines like failures keep coming; its format may have changed."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
OWN_LINES_MIN, OWN_UNKNOWN_LINES_MIN = 20, 100  # the same of the service's own lines
QUIET_SECONDS_MIN = 3600.0
LOOK_SECONDS = 1.0  # between two looks at the lines of one source
LOOK_BYTES_MAX = 64 * 1024  # of a block are looked at
SOURCES_MAX = 10_000  # more are not followed here


@dataclass(slots=True)
class Habit:
    """What a service usually gives in one source, and what came since. Times are epoch seconds.

    `own` are its lines, as far as lines tell whose they are, and `own_before` those up to the last event;
    `lines_before` are the lines of the whole source up to then.
    """

    events: int = 0
    last_event_at: float = 0.0
    lines_before: int = 0
    suspects: int = 0
    samples: list[str] = field(default_factory=list)
    own: float = 0.0
    own_before: float = 0.0

    def is_quiet(self, lines: int, began_at: float, now: float) -> bool:
        """Whether there was no event for unusually long, in the service's own lines and in time.

        What others write to the same source says nothing of it; only at the very beginning that has to be some, too.
        """
        quiet_lines, quiet_own = lines - self.lines_before, self.own - self.own_before
        quiet_seconds = now - max(began_at, self.last_event_at)
        if self.events < EVENTS_MIN:
            enough = quiet_lines > UNKNOWN_LINES_MIN and quiet_own > OWN_UNKNOWN_LINES_MIN
            return enough and quiet_seconds > QUIET_SECONDS_MIN
        usual_own = TIMES_USUAL * self.own_before / self.events
        usual_seconds = TIMES_USUAL * (self.last_event_at - began_at) / self.events
        enough = quiet_lines > LINES_MIN and quiet_own > max(OWN_LINES_MIN, usual_own)
        return enough and quiet_seconds > max(QUIET_SECONDS_MIN, usual_seconds)

    def counted(self, events: int, lines: int, now: float) -> "Habit":
        """The habit with so many further events, and nothing after them."""
        return Habit(self.events + events, now, lines, own=self.own, own_before=self.own)


@dataclass(slots=True)
class Habits:
    """One source: its lines, since when they are counted, and the habits of the services in it.

    Whose the lines are is told by a sample, of which those that came since the last one, `unshared`, are taken to be.
    """

    began_at: float
    lines: int = 0
    services: dict[str, Habit] = field(default_factory=dict)
    looked_at: float = 0.0
    unshared: int = 0


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
        """What is known of each source of which anything is, for the store: of the services that gave or hide any."""
        kept = {}
        for source, one in self._sources.items():
            services = {name: habit for name, habit in one.services.items() if habit.events or habit.suspects}
            if services:
                kept[source] = json.dumps(asdict(replace(one, services=services)))
        return kept

    def heard(
        self, source: str, data: bytes, events: Sequence[Event], *, lines: int, services: Collection[str], now: float
    ) -> None:
        """Take note of a block and its events.

        Once a second some lines are looked at: whose they are, and for quiet services whether they look like failures.
        """
        habits = self._sources.get(source)
        if habits is None:
            if len(self._sources) >= SOURCES_MAX:
                return
            habits = self._sources[source] = Habits(now)
        habits.lines += lines
        habits.unshared += lines
        looks = not 0 <= now - habits.looked_at < LOOK_SECONDS
        if looks:
            habits.looked_at = now
            self._share(habits, data, services)
        for service, count in Counter(event.service for event in events if event.hits).items():
            habits.services[service] = habits.services.get(service, Habit()).counted(count, habits.lines, now)
        if looks and habits.lines > LINES_MIN:
            self._look(habits, data, events, services, now)

    def _share(self, habits: Habits, data: bytes, services: Collection[str]) -> None:
        """Count the lines since the last look for those who seem to have written them."""
        for service, share in self._suspects.shares(data[:LOOK_BYTES_MAX], services).items():
            habits.services.setdefault(service, Habit()).own += share * habits.unshared
        habits.unshared = 0

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
    own = float(stored.get("own", 0.0)), float(stored.get("own_before", 0.0))
    return Habit(*numbers, int(stored["suspects"]), samples, *own)
