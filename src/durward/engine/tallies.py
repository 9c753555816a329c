"""How many different values each key has had in the last while; both are bounded."""

from durward.engine.oldest import forget_oldest

KEYS_MAX = 200_000  # beyond it the keys that were first seen longest ago are forgotten, a tenth at a time
VALUES_MAX = 1024  # of one key; beyond it a new one takes the place of the oldest
VALUES_IN_ALL_MAX = 500_000  # looked at by `expire`; beyond it keys are forgotten as above


class Tally:
    """Different values per key within `seconds`, as far as `most` of them: more need not be told apart."""

    def __init__(self, seconds: float, most: int, keys_max: int = KEYS_MAX) -> None:
        self._seconds = seconds
        self._most = min(max(most, 1), VALUES_MAX)
        self._keys_max = keys_max
        self._values: dict[str, dict[str, float]] = {}

    def add(self, key: str, value: str, at: float) -> int:
        """Note `value` of `key` at `at` (epoch seconds); give how many different ones there are within the span."""
        values = self._values.get(key)
        if values is None:
            if len(self._values) >= self._keys_max:
                self._make_room(at)
            values = self._values[key] = {}
        values.pop(value, None)
        values[value] = at
        oldest = next(iter(values))
        while values[oldest] <= at - self._seconds or len(values) > self._most:
            del values[oldest]
            oldest = next(iter(values))
        return len(values)

    def forget(self, key: str) -> int:
        """Begin again at nothing for `key`; give how many different values it had."""
        return len(self._values.pop(key, ()))

    def values(self, key: str) -> list[str]:
        """The different values of `key`, the one noted longest ago first."""
        return list(self._values.get(key, ()))

    def expire(self, now: float) -> None:
        """Let go of every key whose newest value lies before the span. `now` is epoch seconds."""
        before = now - self._seconds
        for key in [key for key, values in self._values.items() if values[next(reversed(values))] <= before]:
            del self._values[key]
        while sum(map(len, self._values.values())) > VALUES_IN_ALL_MAX:
            forget_oldest(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _make_room(self, now: float) -> None:
        self.expire(now)
        if len(self._values) >= self._keys_max:
            forget_oldest(self._values)
