"""What a detector is to the engine: it hears events with their subject and time, and answers with incidents."""

from collections.abc import Sequence
from typing import Protocol

from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Event, Incident, Subject


class Detector(Protocol):
    """One way of misbehaving. Pure: the time is an argument."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None: ...

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Hear `event` of `subject`, which counts at `at` (epoch seconds); give an incident when it is one too many.

        No subject: the event names no source, or one whose lines do not count; then it counts for an account at most.
        """

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter; give what is one too few: an incident because nothing happened."""

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many hits `subject` has at present, and how many are too many, where it is nearest to that."""
