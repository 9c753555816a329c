"""Somebody guesses passwords: too many failed logins to one service from one address within a while."""

from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import Recollection, seconds_of
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject


class Detector:
    """Counts the failures of each subject per service; the failure that reaches the threshold makes an incident."""

    def __init__(self, detector: str, policy: DetectorPolicy, recollection: Recollection) -> None:
        self._detector = detector
        self._policy = policy
        self._recollection = recollection
        self._windows: dict[str, Window] = {}

    def feed(self, event: Event, subject: Subject, at: float) -> Incident | None:
        """Count `event` against `subject`; give the incident when the threshold of its service is reached."""
        threshold = self._policy.threshold(event.service)
        window = self._windows.get(event.service)
        if window is None:
            window = self._windows[event.service] = Window(threshold.within_seconds, threshold.count)
        if window.add(subject.value, self._recollection.mark(event, at), event.hits) < threshold.count:
            return None
        marks = window.marks(subject.value)
        window.forget(subject.value)
        return self._incident(event.service, subject, marks)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`, in every service."""
        for window in self._windows.values():
            window.forget(subject.value)

    def tick(self, now: float) -> None:
        """Let go of subjects whose failures are all too old to matter."""
        for window in self._windows.values():
            window.expire(now)

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The failures that `subject` has with the service where it is nearest to a block, and that one's threshold."""
        counts = [
            (len(window.marks(subject.value)), self._policy.threshold(service).count)
            for service, window in self._windows.items()
        ]
        return max(counts, key=lambda count: count[0] / count[1], default=(0, self._policy.default.count))

    def _incident(self, service: str, subject: Subject, marks: list[int]) -> Incident:
        threshold = self._policy.threshold(service)
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
            evidence=self._recollection.evidence(marks, subject),
            reason=f"{len(marks)} failed {name} logins in {_span(last_at - first_at)}",
        )


def _span(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"
