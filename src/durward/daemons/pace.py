"""When to read: the first line on a quiet host at once; under load after a gap, so that many lines cost one wake."""

GAP_SECONDS_MIN = 0.001  # the first gap once lines keep coming; it doubles with every read
GAP_SECONDS_MAX = 0.04  # what a line waits at most because of others
QUIET_SECONDS = 0.2  # without a line, and the next one is read at once again


class Pace:
    """Times are monotonic seconds."""

    def __init__(self) -> None:
        self.read_at = 0.0
        self._last_read = float("-inf")
        self._gap = 0.0

    def has_read(self, now: float) -> None:
        """Something was read at `now`: the next read is due after the gap."""
        if now - self._last_read > QUIET_SECONDS:
            self._gap = 0.0
        else:
            self._gap = min(max(self._gap * 2, GAP_SECONDS_MIN), GAP_SECONDS_MAX)
        self._last_read = now
        self.read_at = now + self._gap

    def wait(self, now: float) -> float:
        """How long it is until reading is due (seconds); 0 when it is."""
        return max(0.0, self.read_at - now)
