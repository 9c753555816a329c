"""Counting: the detector that data can say. So many events of a kind by one key within a while are an incident."""

from collections.abc import Mapping, Sequence

from durward.catalog.counting import Counting as Card
from durward.catalog.counting import said
from durward.engine.networks import network_around
from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject

SERVICES_MAX = 1024  # counted apart; beyond it those that come later are counted together
TOGETHER = ""


class Counting:
    """Counts what a card's `[counting]` says."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._card = policy.counting or Card()
        self._windows: dict[str, Window] = {}
        self._tallies: dict[str, Tally] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count `event`; give an incident when it is the one too many of its key."""
        hits = 1 if self._card.unit == "events" else event.hits
        if hits <= 0 or (self._card.only_about and event.about not in self._card.only_about):
            return ()
        who = self._who(event, subject)
        if who is None:
            return ()
        threshold = self._policy.threshold(event.service)
        service = self._service(event.service)
        key = f"{who.value}\0{self._second(event)}"
        window = self._windows.get(service)
        if window is None:
            window = self._windows[service] = Window(threshold.within_seconds, threshold.count)
        mark = self._room.recollection.mark(event, at)
        enough = window.add(key, mark, hits) >= threshold.count
        if self._card.distinct:
            tally = self._tallies.get(service)
            if tally is None:
                tally = self._tallies[service] = Tally(threshold.within_seconds, threshold.distinct)
            enough = tally.add(key, self._told_apart(event, subject), at) >= threshold.distinct and enough
        if not enough:
            return ()
        marks = window.marks(key)
        window.forget(key)
        distinct = self._tallies[service].forget(key) if self._card.distinct else 0
        return (self._incident(event, subject, who, marks, distinct),)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""
        for tally in self._tallies.values() if self._card.key == "source" else ():
            tally.forget(f"{subject.value}\0")
        for window in self._windows.values():
            if self._card.key == "source":
                window.forget(f"{subject.value}\0")
            elif "source" in self._card.key:
                window.forget_beginning(f"{subject.value}\0")

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter."""
        for window in self._windows.values():
            window.expire(now)
        for tally in self._tallies.values():
            tally.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The hits that `subject` has where it is nearest to an incident, and how many are too many.

        Whoever lacks nothing but different ones is one hit from it.
        """
        key = f"{subject.value}\0"
        thresholds = [(window, self._policy.threshold(service).count) for service, window in self._windows.items()]
        counts = [(min(len(window.marks(key)), max(count - 1, 0)), count) for window, count in thresholds]
        return max(counts, key=lambda count: count[0] / (count[1] or 1), default=(0, self._policy.default.count))

    def _service(self, service: str) -> str:
        if not self._card.apart or (service not in self._windows and len(self._windows) >= SERVICES_MAX):
            return TOGETHER
        return service

    def _who(self, event: Event, subject: Subject | None) -> Subject | None:
        """Whom an incident would be about; None where the event does not say."""
        match self._card.key:
            case "source" | "source+account" | "source+about":
                return subject
            case "network":
                return None if subject is None else network_around(subject)
            case "account":
                return Subject("user", event.user_name) if event.user_name else None
            case "about":
                return Subject("file", event.about) if event.about else None

    def _second(self, event: Event) -> str:
        if self._card.key == "source+account":
            return event.user_name or ""
        return event.about or "" if self._card.key == "source+about" else ""

    def _told_apart(self, event: Event, subject: Subject | None) -> str:
        values: Mapping[str, str | None] = {
            "source": subject.value if subject else None,
            "account": event.user_name,
            "about": event.about,
            "service": event.service,
        }
        return values[self._card.distinct] or ""

    def _incident(
        self, event: Event, subject: Subject | None, who: Subject, marks: list[int], distinct: int
    ) -> Incident:
        threshold = self._policy.threshold(event.service)
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        knows_the_way = event.kind != "auth.success"  # else the good logins are what it is about
        familiar = knows_the_way and subject is not None and self._room.familiar.is_familiar(subject, last_at)
        return Incident(
            detector=self._detector,
            service=event.service,
            subject=who,
            first_at=first_at,
            last_at=last_at,
            count=len(marks),
            threshold=threshold.count,
            within_seconds=threshold.within_seconds,
            evidence=self._room.recollection.lines(marks),
            reason=said(
                self._card.says,
                {
                    "count": str(len(marks)),
                    "distinct": str(distinct),
                    "service": threshold.name or event.service,
                    "source": subject.value if subject else "",
                    "account": event.user_name or "",
                    "about": event.about or "",
                    "span": span(last_at - first_at),
                    "threshold": str(threshold.count),
                },
            ),
            account=event.user_name if "account" in self._card.key else None,
            familiar=familiar,
            about=event.about,
        )
