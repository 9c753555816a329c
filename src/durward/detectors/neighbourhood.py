"""A neighbourhood: so many addresses of one network were blocked that all of it is.

IPv6 climbs: from blocked /64 networks to their /56, and from those to their /48, by how many different ones there are;
so somebody's many addresses in one network count for no more than one.
"""

from collections.abc import Sequence
from ipaddress import ip_network

from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Event, Incident, Network, Subject

STEPS_V6 = (56, 48)


class Detector:
    """Hears of the engine's own blocks, and counts the different ones in each network around."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        threshold = policy.default
        self._detector = detector
        self._policy = policy
        self._room = room
        self._prefix_v4: int = policy.values.get("prefix_v4", 24)
        self._prefix_v6_min: int = policy.values.get("prefix_v6", 48)
        self._blocked = Tally(threshold.within_seconds, threshold.count)
        self._marks = Window(threshold.within_seconds, max(threshold.count, 1) * 4)

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count a block of `subject`; give the incident of the widest network that has enough of them."""
        if subject is None:
            return ()
        mark = self._room.recollection.mark(event, at)
        found: Incident | None = None
        inner = subject.network
        for bits in self._steps(inner):
            around = Subject.of(ip_network((inner.network_address, bits), strict=False))
            self._marks.add(around.value, mark)
            if self._blocked.add(around.value, str(inner), at) < self._policy.default.count:
                break
            found = self._incident(event.service, around, self._marks.marks(around.value))
            inner = around.network
        if found is None:
            return ()
        self.forget(found.subject)
        return (found,)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for the network `subject`."""
        self._blocked.forget(subject.value)
        self._marks.forget(subject.value)

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter."""
        self._blocked.expire(now)
        self._marks.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """The blocks in the network `subject`, and how many are too many."""
        return len(self._blocked.values(subject.value)), self._policy.default.count

    def _steps(self, network: Network) -> Sequence[int]:
        if network.version == 4:
            return (self._prefix_v4,) if network.prefixlen > self._prefix_v4 else ()
        return [bits for bits in STEPS_V6 if self._prefix_v6_min <= bits < network.prefixlen]

    def _incident(self, service: str, around: Subject, marks: list[int]) -> Incident:
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        count = len(self._blocked.values(around.value))
        return Incident(
            detector=self._detector,
            service=service,
            subject=around,
            first_at=first_at,
            last_at=last_at,
            count=count,
            threshold=self._policy.default.count,
            within_seconds=self._policy.default.within_seconds,
            evidence=self._room.recollection.lines(marks),
            reason=f"{count} sources in {around.value} were blocked in {span(last_at - first_at)}",
        )
