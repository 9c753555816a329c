"""Guessing slowly: one source fails on one account after the other, so rarely that no hour of it is conspicuous.

People have few accounts and get in to them at last: an account that the source logs in to counts for nothing.
"""

from collections.abc import Sequence

from durward.engine.oldest import forget_oldest
from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.model import Event, Incident, Subject

SOURCES_MAX = 20_000  # watched at once; beyond it those that came first are forgotten

Tries = dict[str, int]  # by account the mark of the last failure, the oldest first


class Detector:
    """Counts the different accounts on which each source failed, with all services together."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._sources: dict[str, Tries] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count the account of a failure; accuse its source when it is one too many."""
        if subject is None or not event.user_name:
            return ()
        account = event.user_name.casefold()
        tries = self._sources.get(subject.value)
        if event.kind == "auth.success":
            if tries and tries.pop(account, None) and not tries:
                del self._sources[subject.value]
            return ()
        if event.hits <= 0 or self._room.familiar.knows(subject, event.user_name, at):
            return ()
        if tries is None:
            if len(self._sources) >= SOURCES_MAX:
                forget_oldest(self._sources)
            tries = self._sources[subject.value] = {}
        threshold = self._policy.threshold(event.service)
        tries.pop(account, None)
        tries[account] = self._room.recollection.mark(event, at)
        _let_go(tries, at - threshold.within_seconds)
        if len(tries) < threshold.count:
            return ()
        marks = sorted(self._sources.pop(subject.value).values())
        return (self._incident(event.service, subject, marks),)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""
        self._sources.pop(subject.value, None)

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of sources whose failures are all too old to matter."""
        before = now - self._policy.longest_seconds
        for source in [one for one, tries in self._sources.items() if seconds_of(max(tries.values())) <= before]:
            del self._sources[source]
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """On how many accounts `subject` failed, and how many are too many."""
        return len(self._sources.get(subject.value, ())), self._policy.default.count

    def _incident(self, service: str, subject: Subject, marks: list[int]) -> Incident:
        threshold = self._policy.threshold(service)
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
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
            reason=f"failed logins to {len(marks)} different accounts in {span(last_at - first_at)}",
            familiar=self._room.familiar.is_familiar(subject, last_at),
        )


def _let_go(tries: Tries, before: float) -> None:
    """Forget the accounts that were last tried before then."""
    oldest = next(iter(tries))
    while len(tries) > 1 and seconds_of(tries[oldest]) <= before:
        del tries[oldest]
        oldest = next(iter(tries))
