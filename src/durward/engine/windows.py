"""How many hits each subject has in the last while: exact, and one integer for who has only one."""

from bisect import insort
from itertools import islice

from durward.engine.recollection import RECORD_BITS, RECORDS_MAX

KEYS_MAX = 1_000_000  # beyond it the keys that were first seen longest ago are forgotten, a tenth at a time


class Window:
    """The marks of each key that lie within `seconds` of its newest one, at most `keep` of them."""

    def __init__(self, seconds: float, keep: int, keys_max: int = KEYS_MAX) -> None:
        self._span = int(seconds * 1000) << RECORD_BITS
        self._keep = keep
        self._keys_max = keys_max
        self._marks: dict[str, int | list[int]] = {}

    def add(self, key: str, mark: int, hits: int = 1) -> int:
        """Note `hits` of `key` at the time of `mark`; give how many it has within the span now."""
        marks = self._marks.get(key)
        if marks is None:
            if len(self._marks) >= self._keys_max:
                self._make_room(mark)
            self._marks[key] = mark if hits == 1 else [mark] * min(hits, self._keep)
            return hits
        if isinstance(marks, int):
            marks = self._marks[key] = [marks]
        for _ in range(min(hits, self._keep)):
            insort(marks, mark) if mark < marks[-1] else marks.append(mark)
        last_outside = marks[-1] - self._span | RECORDS_MAX - 1  # of that millisecond, whatever its record
        if marks[0] <= last_outside:
            marks[:] = [earlier for earlier in marks if earlier > last_outside]
        del marks[: -self._keep]
        return len(marks)

    def marks(self, key: str) -> list[int]:
        """The marks of `key` within the span, oldest first."""
        marks = self._marks.get(key, [])
        return [marks] if isinstance(marks, int) else list(marks)

    def forget(self, key: str) -> None:
        """Begin again at nothing for `key`."""
        self._marks.pop(key, None)

    def expire(self, now: float) -> None:
        """Let go of every key whose newest mark lies before the span. `now` is epoch seconds."""
        oldest = (int(now * 1000) << RECORD_BITS) - self._span | RECORDS_MAX - 1
        gone = [key for key, marks in self._marks.items() if (marks if isinstance(marks, int) else marks[-1]) <= oldest]
        for key in gone:
            del self._marks[key]

    def __len__(self) -> int:
        return len(self._marks)

    def _make_room(self, mark: int) -> None:
        self.expire((mark >> RECORD_BITS) / 1000)
        if len(self._marks) >= self._keys_max:
            for key in list(islice(self._marks, self._keys_max // 10 + 1)):
                del self._marks[key]
