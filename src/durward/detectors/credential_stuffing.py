"""Stolen passwords are tried out: many accounts fail from many addresses, each of which has one or two tries.

No single address reaches a threshold, so what tells is the service as a whole. While such a wave lasts, an address that
nobody knows and that fails on different accounts is part of it.
"""

from collections.abc import Sequence

from durward.engine.policy import DetectorPolicy, Threshold
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject

SOURCES_MAX = 50_000  # told apart at once; beyond it those that came first are forgotten
TRIES_MAX = 64  # of one source that are kept as evidence
ALL = "all"  # the one key of what is counted for a service as a whole


class Service:
    """What one service has seen of strangers lately."""

    def __init__(self, threshold: Threshold, accounts_max: int) -> None:
        self.accounts = Tally(threshold.within_seconds, accounts_max)
        self.sources = Tally(threshold.within_seconds, threshold.distinct)
        self.by_source = Tally(threshold.within_seconds, threshold.count, SOURCES_MAX)
        self.tries = Window(threshold.within_seconds, TRIES_MAX, SOURCES_MAX)


class Detector:
    """Watches each service: `accounts` failing from `distinct` sources are a wave; then `count` accounts of one do."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._accounts: int = policy.values.get("accounts", 50)
        self._services: dict[str, Service] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count the failure of a stranger; accuse him while there is a wave and he tries one account after another."""
        if subject is None or event.hits <= 0 or not event.user_name:
            return ()
        if self._room.familiar.is_familiar(subject, at):
            return ()
        threshold = self._policy.threshold(event.service)
        seen = self._services.get(event.service)
        if seen is None:
            seen = self._services[event.service] = Service(threshold, self._accounts)
        mark = self._room.recollection.mark(event, at)
        seen.tries.add(subject.value, mark)
        is_wave = seen.accounts.add(ALL, event.user_name, at) >= self._accounts
        is_wave = seen.sources.add(ALL, subject.value, at) >= threshold.distinct and is_wave
        if seen.by_source.add(subject.value, event.user_name, at) < threshold.count or not is_wave:
            return ()
        marks = seen.tries.marks(subject.value)
        self.forget(subject)
        return (self._incident(event.service, subject, marks, threshold),)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""
        for seen in self._services.values():
            seen.by_source.forget(subject.value)
            seen.tries.forget(subject.value)

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter."""
        for seen in self._services.values():
            for tally in (seen.accounts, seen.sources, seen.by_source):
                tally.expire(now)
            seen.tries.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The accounts that `subject` has failed on where there is a wave, and how many are too many then."""
        waves = [
            seen
            for service, seen in self._services.items()
            if len(seen.accounts.values(ALL)) >= self._accounts
            and len(seen.sources.values(ALL)) >= self._policy.threshold(service).distinct
        ]
        tried = max((len(seen.by_source.values(subject.value)) for seen in waves), default=0)
        return tried, self._policy.default.count

    def _incident(self, service: str, subject: Subject, marks: list[int], threshold: Threshold) -> Incident:
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        name = threshold.name or service
        return Incident(
            detector=self._detector,
            service=service,
            subject=subject,
            first_at=first_at,
            last_at=last_at,
            count=len(marks),
            threshold=threshold.count,
            within_seconds=threshold.within_seconds,
            evidence=self._room.recollection.evidence(marks, subject),
            reason=f"{threshold.count} {name} accounts tried in {span(last_at - first_at)}, in a wave of failures",
        )
