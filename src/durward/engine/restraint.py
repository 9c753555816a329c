"""Restraint: a detector that suddenly blocks people who log in well is more likely wrong than they are, and is held."""

from collections import deque

LOOK_SECONDS = 600.0  # blocks of so long are looked at together
HOLD_SECONDS = 600.0  # so long a detector that went wrong is held; then it has another chance
BLOCKS_MIN = 10  # fewer are no share of anything
BLOCKS_MAX = 1000  # of one detector are remembered; beyond it the oldest are forgotten


class Restraint:
    """Judges each detector by whom it blocked lately; so large a share of them may log in well (0 to 1)."""

    def __init__(self, share_max: float) -> None:
        self._share_max = share_max
        self._blocks: dict[str, deque[tuple[float, bool]]] = {}
        self._held_until: dict[str, float] = {}

    def reason(self, detector: str, at: float, *, familiar: bool) -> str:
        """Note that `detector` wants to block somebody; give why that must not happen, or nothing."""
        blocks = self._blocks.setdefault(detector, deque(maxlen=BLOCKS_MAX))
        blocks.append((at, familiar))
        while blocks and at - blocks[0][0] > LOOK_SECONDS:
            blocks.popleft()
        known = sum(1 for _, one in blocks if one)
        if len(blocks) >= BLOCKS_MIN and known > self._share_max * len(blocks):
            self._held_until[detector] = at + HOLD_SECONDS
        if at >= self._held_until.get(detector, 0.0):
            return ""
        return f"{detector} is held: {self.finding(detector)}"

    def finding(self, detector: str) -> str:
        """What is odd about those whom `detector` wants to block."""
        blocks = self._blocks.get(detector, ())
        known = sum(1 for _, one in blocks if one)
        return f"{known} of the {len(blocks)} that it would block have logged in well of late"

    def held(self, now: float) -> dict[str, float]:
        """The detectors that are held, and until when (epoch seconds)."""
        return {name: until for name, until in self._held_until.items() if until > now}
