"""Many addresses work on one account: each has few tries, all together have too many.

Whoever logs in well to that account is its owner, and is left alone: from where he always does, and wherever he came in
after he had mistyped.
"""

from collections.abc import Sequence
from typing import NamedTuple

from durward.engine.oldest import forget_oldest
from durward.engine.policy import DetectorPolicy, Threshold
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.model import Event, Incident, Subject

ACCOUNTS_MAX = 30_000  # watched at once; beyond it those that were tried first are forgotten
TRIES_MAX = 1000  # of one account are kept; beyond it the oldest are forgotten
BATCH_MAX = 200  # addresses that one incident accuses; the others go on and are accused by the next

Account = tuple[str, str]  # a service and an account


class Try(NamedTuple):
    """One try, by its mark in the recollection, and the text of its subject: a hundred thousand of these are kept."""

    mark: int
    source: str


class Detector:
    """Counts the tries on each account, whoever makes them. What it hears of says whether they are failures or not."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._tries: dict[Account, list[Try]] = {}
        self._tells_familiar = "auth.success" not in policy.hears  # else the good logins are what it is about

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count `event`; accuse every address that took part when there are too many tries from enough addresses."""
        if subject is None or not event.user_name or (event.hits <= 0 and event.kind == "auth.failure"):
            return ()
        if event.kind == "auth.failure" and self._room.familiar.knows(subject, event.user_name, at):
            return ()
        threshold = self._policy.threshold(event.service)
        account = (event.service, event.user_name)
        tries = self._tries.get(account)
        if tries is None:
            if len(self._tries) >= ACCOUNTS_MAX:
                forget_oldest(self._tries)
            tries = self._tries[account] = []
        tries.append(Try(self._room.recollection.mark(event, at), subject.value))
        if len(tries) < threshold.count:
            return ()
        _let_go(tries, at - threshold.within_seconds)
        if not _are_enough(tries, threshold):
            return ()
        if self._tells_familiar:
            familiar, name = self._room.familiar, event.user_name
            tries[:] = [one for one in tries if not familiar.knows(Subject.parse(one.source), name, at)]
            if not _are_enough(tries, threshold):
                return ()
        del self._tries[account]
        return self._incidents(account, tries, threshold)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`: its tries are taken out of every account's."""
        for account, tries in list(self._tries.items()):
            if any(one.source == subject.value for one in tries):
                self._tries[account] = [one for one in tries if one.source != subject.value]

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of accounts that nobody tries any more."""
        for account, tries in list(self._tries.items()):
            _let_go(tries, now - self._policy.threshold(account[0]).within_seconds)
            if not tries:
                del self._tries[account]
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:  # noqa: ARG002 — of the protocol
        """No address is near to anything by itself."""
        return 0, self._policy.default.count

    def _incidents(self, account: Account, tries: Sequence[Try], threshold: Threshold) -> list[Incident]:
        by_source: dict[str, list[int]] = {}
        for one in tries:
            by_source.setdefault(one.source, []).append(one.mark)
        first_at, last_at = seconds_of(tries[0].mark), seconds_of(tries[-1].mark)
        service, name = account
        what = f"{len(tries)} {threshold.name or service} logins"
        reason = f"one of {len(by_source)} addresses with {what} on one account in {span(last_at - first_at)}"
        return [
            Incident(
                detector=self._detector,
                service=service,
                subject=subject,
                first_at=first_at,
                last_at=last_at,
                count=len(tries),
                threshold=threshold.count,
                within_seconds=threshold.within_seconds,
                evidence=self._room.recollection.evidence(marks, subject),
                reason=reason,
                account=name,
                familiar=self._tells_familiar and self._room.familiar.is_familiar(subject, last_at),
            )
            for subject, marks in [(Subject.parse(one), by_source[one]) for one in list(by_source)[-BATCH_MAX:]]
        ]


def _are_enough(tries: Sequence[Try], threshold: Threshold) -> bool:
    return len(tries) >= threshold.count and len({one.source for one in tries}) >= threshold.distinct


def _let_go(tries: list[Try], before: float) -> None:
    """Forget the tries before then, and the oldest of those that are more than TRIES_MAX."""
    young = next((place for place, one in enumerate(tries) if seconds_of(one.mark) > before), len(tries))
    del tries[: max(young, len(tries) - TRIES_MAX)]
