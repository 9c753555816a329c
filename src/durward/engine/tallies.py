"""How many different values each key has had in the last while; both are bounded."""

from durward.engine.oldest import forget_oldest

KEYS_MAX = 200_000  # beyond it the keys that were first seen longest ago are forgotten, a tenth at a time
VALUES_MAX = 1024  # of one key; beyond it a new one takes the place of the oldest
VALUES_IN_ALL_MAX = 500_000  # looked at by `expire`; beyond it keys are forgotten as above

Lone = tuple[str, float]  # the one value of a key and its time: in an attack from everywhere most keys have no other
Values = dict[str, float]


class Tally:
    """Different values per key within `seconds`, as far as `most` of them: more need not be told apart."""

    def __init__(self, seconds: float, most: int, keys_max: int = KEYS_MAX) -> None:
        self._seconds = seconds
        self._most = min(max(most, 1), VALUES_MAX)
        self._keys_max = keys_max
        self._values: dict[str, Lone | Values] = {}

    def add(self, key: str, value: str, at: float) -> int:
        """Note `value` of `key` at `at` (epoch seconds); give how many different ones there are within the span."""
        values = self._values.get(key)
        if values is None:
            if len(self._values) >= self._keys_max:
                self._make_room(at)
            self._values[key] = (value, at)
            return 1
        if isinstance(values, tuple):
            lone, noted_at = values
            if lone == value or noted_at <= at - self._seconds:
                self._values[key] = (value, at)
                return 1
            values = self._values[key] = {lone: noted_at}
        values.pop(value, None)
        values[value] = at
        oldest = next(iter(values))
        while values[oldest] <= at - self._seconds or len(values) > self._most:
            del values[oldest]
            oldest = next(iter(values))
        return len(values)

    def forget(self, key: str) -> int:
        """Begin again at nothing for `key`; give how many different values it had."""
        return _size(self._values.pop(key, {}))

    def values(self, key: str) -> list[str]:
        """The different values of `key`, the one noted longest ago first."""
        values = self._values.get(key, {})
        return [values[0]] if isinstance(values, tuple) else list(values)

    def expire(self, now: float) -> None:
        """Let go of every key whose newest value lies before the span. `now` is epoch seconds."""
        before = now - self._seconds
        for key in [key for key, values in self._values.items() if _newest_at(values) <= before]:
            del self._values[key]
        while sum(map(_size, self._values.values())) > VALUES_IN_ALL_MAX:
            forget_oldest(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _make_room(self, now: float) -> None:
        self.expire(now)
        if len(self._values) >= self._keys_max:
            forget_oldest(self._values)


def _size(values: Lone | Values) -> int:
    return 1 if isinstance(values, tuple) else len(values)


def _newest_at(values: Lone | Values) -> float:
    return values[1] if isinstance(values, tuple) else values[next(reversed(values))]
