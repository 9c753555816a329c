"""How many hits each subject has in the last while: exact, and next to nothing for who has only one."""

from bisect import bisect_right, insort

from durward.engine.oldest import forget_oldest
from durward.engine.once import Once
from durward.engine.recollection import RECORD_BITS, RECORDS_MAX

KEYS_MAX = 1_000_000  # beyond it the keys that were first seen longest ago are forgotten, a tenth at a time
MARKS_MAX = 1_000_000  # of all keys that have several, looked at by `expire`; beyond it the same
FEW_KEYS = 20_000  # beyond so many, those with one hit are kept as Once does: in a tenth of the memory


class Window:
    """The marks of each key that lie within `seconds` of its newest one, at most `keep` of them."""

    def __init__(self, seconds: float, keep: int, keys_max: int = KEYS_MAX, few_keys: int = FEW_KEYS) -> None:
        self._span = int(seconds * 1000) << RECORD_BITS
        self._keep = keep
        self._keys_max = keys_max
        self._few_keys = few_keys
        self._marks: dict[str, int | list[int]] = {}
        self._once: Once | None = None

    def add(self, key: str, mark: int, hits: int = 1) -> int:
        """Note `hits` of `key` at the time of `mark`; give how many it has within the span now."""
        marks = self._marks.get(key)
        if marks is None:
            earlier = self._noted_once(key, mark, hits)
            if earlier is None:
                return hits
            marks = earlier
        if isinstance(marks, int):
            marks = self._marks[key] = [marks]
        for _ in range(min(hits, self._keep)):
            insort(marks, mark) if mark < marks[-1] else marks.append(mark)
        last_outside = self._last_outside(marks[-1])
        if marks[0] <= last_outside:
            del marks[: bisect_right(marks, last_outside)]
        del marks[: -self._keep]
        return len(marks)

    def marks(self, key: str) -> list[int]:
        """The marks of `key` within the span, oldest first."""
        marks = self._marks.get(key)
        if marks is None and self._once is not None:
            marks = self._once.get(key)
        if marks is None:
            return []
        return [marks] if isinstance(marks, int) else list(marks)

    def keep(self, key: str, marks: list[int]) -> None:
        """Let `key` have only these of its marks, which are in order."""
        self.forget(key)
        if marks:
            self._marks[key] = list(marks)

    def forget(self, key: str) -> None:
        """Begin again at nothing for `key`."""
        if self._marks.pop(key, None) is None and self._once is not None:
            self._once.take(key)

    def forget_beginning(self, text: str) -> None:
        """Begin again at nothing for every key that begins with `text`, but for those seen once among very many."""
        for key in [key for key in self._marks if key.startswith(text)]:
            del self._marks[key]

    def expire(self, now: float) -> None:
        """Let go of every key whose newest mark lies before the span. `now` is epoch seconds."""
        oldest = self._last_outside(int(now * 1000) << RECORD_BITS)
        gone = [key for key, marks in self._marks.items() if (marks if isinstance(marks, int) else marks[-1]) <= oldest]
        for key in gone:
            del self._marks[key]
        while sum(len(marks) for marks in self._marks.values() if not isinstance(marks, int)) > MARKS_MAX:
            forget_oldest(self._marks)
        if self._once is not None and self._once.newest <= oldest:
            self._once = None

    def __len__(self) -> int:
        return len(self._marks) + (0 if self._once is None else len(self._once))

    def _noted_once(self, key: str, mark: int, hits: int) -> int | None:
        """Note the first hits of a key, unless it was seen once before: then give the mark of that."""
        once, outdated = self._once, self._last_outside(mark)
        if hits == 1 and (once is not None or len(self._marks) >= self._few_keys):
            if once is None:
                once = self._once = Once()
            return once.note(key, mark, outdated)
        earlier = None if once is None else once.take(key)
        if earlier is not None and earlier > outdated:
            return earlier
        if len(self._marks) >= self._keys_max:
            self._make_room(mark)
        self._marks[key] = mark if hits == 1 else [mark] * min(hits, self._keep)
        return None

    def _last_outside(self, mark: int) -> int:
        """The last mark that lies before the span of `mark`: of that millisecond, whatever its record."""
        return mark - self._span | RECORDS_MAX - 1

    def _make_room(self, mark: int) -> None:
        self.expire((mark >> RECORD_BITS) / 1000)
        if len(self._marks) >= self._keys_max:
            forget_oldest(self._marks)
