"""Somebody guesses passwords: too many failed logins to one service from one address within a while.

People are told from programs by what they do next. Who fails and then gets in to the same account mistyped: that does
not count. A source that lately logged in to an account and fails there again and again is a phone with an old password,
and has many tries. But one that fails on different accounts guesses, whatever the service allows a single one.
"""

from collections.abc import Sequence

from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject

ALL = "all services"


class Detector:
    """Counts the failures of each subject per service; the failure that reaches the threshold makes an incident."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._total: int = policy.values.get("total", 0)
        self._own_count: int = policy.values.get("own_count", 0)
        self._accounts: int = policy.values.get("accounts", 0)
        self._strangers: dict[str, Window] = {}  # by service
        self._owners: dict[str, Window] = {}  # by service too, and each account of each source apart

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count `event` against `subject`; give the incident when the threshold of its service is reached."""
        if subject is None:
            return ()
        if event.kind == "auth.success":
            self._withdraw(subject, event.user_name)
            return ()
        if event.hits <= 0:
            return ()
        service = ALL if self._total else event.service
        threshold = self._policy.threshold(event.service)
        windows, key, count = self._strangers, subject.value, self._total or threshold.count
        if self._own_count and self._room.familiar.knows(subject, event.user_name, at):
            windows, key, count = self._owners, f"{subject.value}\0{event.user_name}", max(self._own_count, count)
        window = windows.get(service)
        if window is None:
            window = windows[service] = Window(threshold.within_seconds, count)
        hits = window.add(key, self._room.recollection.mark(event, at), event.hits)
        if hits < count and not (0 < self._accounts <= hits and self._guesses(window.marks(key))):
            return ()
        marks = window.marks(key)
        window.forget(key)
        return (self._incident(event.service, subject, marks, count),)

    def _guesses(self, marks: list[int]) -> bool:
        """Whether these failures are of so many accounts that it is no person with a wrong password."""
        accounts = self._room.recollection.accounts(marks)
        return len({account for account in accounts if account}) >= self._accounts

    def _withdraw(self, subject: Subject, account: str | None) -> None:
        """Somebody got in: what failed on that account from there before was mistyped."""
        for window in self._strangers.values() if account else ():
            if marks := window.marks(subject.value):
                accounts = self._room.recollection.accounts(marks)
                window.keep(subject.value, [mark for mark, one in zip(marks, accounts, strict=True) if one != account])

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`, in every service."""
        for window in self._strangers.values():
            window.forget(subject.value)
        for window in self._owners.values():
            window.forget_beginning(f"{subject.value}\0")

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of subjects whose failures are all too old to matter."""
        for window in (*self._strangers.values(), *self._owners.values()):
            window.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The failures that `subject` has with the service where it is nearest to a block, and that one's threshold."""
        counts = [
            (len(window.marks(subject.value)), self._total or self._policy.threshold(service).count)
            for service, window in self._strangers.items()
        ]
        return max(counts, key=lambda count: count[0] / count[1], default=(0, self._policy.default.count))

    def _incident(self, service: str, subject: Subject, marks: list[int], count: int) -> Incident:
        threshold = self._policy.threshold(service)
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        name = "" if self._total else f" {threshold.name or service}"
        return Incident(
            detector=self._detector,
            service=service,
            subject=subject,
            first_at=first_at,
            last_at=last_at,
            count=len(marks),
            threshold=count,
            within_seconds=threshold.within_seconds,
            evidence=self._room.recollection.evidence(marks, subject),
            reason=f"{len(marks)} failed{name} logins in {span(last_at - first_at)}",
            familiar=self._room.familiar.is_familiar(subject, last_at),
        )
