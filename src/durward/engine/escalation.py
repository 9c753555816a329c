"""How long the next block of a subject is: each one longer than the last, up to a ceiling, and forgotten in the end."""

from durward.engine.oldest import forget_oldest
from durward.engine.policy import Threshold
from durward.model import FOREVER, Subject

SUBJECTS_MAX = 500_000  # beyond it the subjects whose last block lies longest back begin again at the shortest block
STEPS_MAX = 40  # doublings beyond this cannot be told apart from the ceiling


class Escalation:
    """The earlier blocks of each subject: how many, and when the last one was made (epoch seconds)."""

    def __init__(self, earlier: dict[str, tuple[int, float]] | None = None) -> None:
        self._earlier = dict(earlier or {})

    def count(self, subject: Subject, at: float, remember_seconds: float) -> int:
        """How many earlier blocks of `subject` still lengthen the next one."""
        count, last_at = self._earlier.get(subject.value, (0, 0.0))
        return count if at - last_at <= remember_seconds else 0

    def seconds(self, subject: Subject, at: float, threshold: Threshold) -> float:
        """The length of the block that `subject` gets at `at`, in seconds."""
        earlier = min(self.count(subject, at, threshold.remember_seconds), STEPS_MAX)
        if 0 < threshold.permanent_after <= earlier:
            return FOREVER
        longer: float = threshold.block_seconds * threshold.escalate**earlier
        return max(threshold.block_seconds, min(longer, threshold.block_seconds_max))

    def note(self, subject: Subject, at: float, remember_seconds: float) -> None:
        """A block of `subject` was made at `at`."""
        count = self.count(subject, at, remember_seconds)
        self._earlier.pop(subject.value, None)
        self._earlier[subject.value] = (count + 1, at)
        if len(self._earlier) > SUBJECTS_MAX:
            forget_oldest(self._earlier)

    def forgive(self, subject: Subject) -> None:
        """The last block of `subject` was a mistake: it does not lengthen the next one."""
        count, last_at = self._earlier.pop(subject.value, (0, 0.0))
        if count > 1:
            self._earlier[subject.value] = (count - 1, last_at)
