"""Too many connections at once: the count of one address, or network, as each pass over the connections gives it.

An event is what one pass found of somebody: `hits` connections, `line` some of them in words, one a line; and `about`
the network, where it is about one.
"""

from collections.abc import Sequence
from typing import Any

from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Event, Evidence, Incident, Subject

# Connections that are over are listed for up to two minutes more: whoever was let in again has so long to be rid of
# them, and whom a guard does not let us block is not tried again at each pass.
GRACE_SECONDS = 180.0
SUBJECTS_MAX = 10_000  # of whom it is remembered when they may be accused again; the oldest are forgotten beyond it


class Detector:
    """Compares, and says it once as long as it lasts."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector, self._policy, self._room = detector, policy, room
        self._values: Any = policy.values
        self._quiet_until: dict[str, float] = {}
        self._let_in: dict[str, None] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Give an incident if these are too many."""
        threshold = self._policy.threshold(event.service)
        limit = self._values["network_count"] if event.about else threshold.count
        if subject is None or not 0 < limit < event.hits:
            return ()
        who = Subject.parse(event.about) if event.about else subject
        if who.value in self._let_in:
            self._rest(at)
        if at < self._quiet_until.get(who.value, 0.0):
            return ()
        self._keep_quiet(who.value, at + threshold.block_seconds)
        return (
            Incident(
                detector=self._detector,
                service=event.service,
                subject=who,
                first_at=at,
                last_at=at,
                count=event.hits,
                threshold=limit,
                within_seconds=0.0,
                evidence=_evidence(event, at),
                reason=f"{event.hits} connections at once{' from the network' if event.about else ''}",
                familiar=self._room.familiar.is_familiar(subject, at),
            ),
        )

    def forget(self, subject: Subject) -> None:
        """Say nothing of `subject` for a while: its connections of before are still listed."""
        self._let_in[subject.value] = None
        while len(self._let_in) > SUBJECTS_MAX:
            del self._let_in[next(iter(self._let_in))]

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is over."""
        self._rest(now)
        self._quiet_until = {value: until for value, until in self._quiet_until.items() if until > now}
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:  # noqa: ARG002 — of the protocol
        """Nothing is kept of anybody between two passes."""
        return 0, 0

    def _rest(self, now: float) -> None:
        """Whoever was let in lately is quiet for a while from now on."""
        for value in self._let_in:
            self._keep_quiet(value, now + GRACE_SECONDS)
        self._let_in.clear()

    def _keep_quiet(self, value: str, until: float) -> None:
        self._quiet_until.pop(value, None)
        self._quiet_until[value] = until
        while len(self._quiet_until) > SUBJECTS_MAX:
            del self._quiet_until[next(iter(self._quiet_until))]


def _evidence(event: Event, at: float) -> tuple[Evidence, ...]:
    lines = event.line.decode("utf-8", "backslashreplace").splitlines()
    return tuple(Evidence(event.source, f"{event.position}.{number}", at, line) for number, line in enumerate(lines, 1))
