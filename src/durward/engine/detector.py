"""What a detector is to the engine: it hears events with their subject and time, and answers with incidents."""

from typing import Protocol

from durward.engine.policy import DetectorPolicy
from durward.engine.recollection import Recollection
from durward.model import Event, Incident, Subject


class Detector(Protocol):
    """One way of misbehaving. Pure: the time is an argument."""

    def __init__(self, detector: str, policy: DetectorPolicy, recollection: Recollection) -> None: ...

    def feed(self, event: Event, subject: Subject, at: float) -> Incident | None:
        """Hear `event` of `subject`, which counts at `at` (epoch seconds); give an incident when it is one too many."""

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""

    def tick(self, now: float) -> None:
        """Let go of what is too old to matter."""

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many hits `subject` has at present, and how many are too many, where it is nearest to that."""
