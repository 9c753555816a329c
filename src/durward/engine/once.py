"""Who was seen once: the marks of a million keys in sixteen bytes each. An attack from everywhere is mostly that.

A key is known by a hash of 64 bits, which nobody outside can choose: Python's hash of a text has a secret of its own in
each process. It may stand in one of eight places; where all are taken, the oldest goes.
"""

WAYS = 8
PLACES = 1 << 21  # in all; memory is taken as they fill
WORD_BYTES = 8


class Once:
    """One mark for each key. `newest` is the highest that was ever kept."""

    def __init__(self, places: int = PLACES) -> None:
        self._last = places - WAYS
        # A bytearray of zeros takes no memory until something is written to it.
        self._hashes = memoryview(bytearray(places * WORD_BYTES)).cast("q")
        self._marks = memoryview(bytearray(places * WORD_BYTES)).cast("q")
        self._count = 0
        self.newest = 0

    def note(self, key: str, mark: int, outdated: int) -> int | None:
        """Give and forget the mark of `key`, if it has one that is above `outdated`; else keep `mark` for it."""
        name = hash(key) or 1
        start = name % self._last
        known = self._hashes[start : start + WAYS].tolist()
        self.newest = max(self.newest, mark)
        if name in known:
            place = start + known.index(name)
            before = self._marks[place]
            if before > outdated:
                self._hashes[place] = 0
                self._count -= 1
                return before
            self._marks[place] = mark
            return None
        if 0 in known:
            place = start + known.index(0)
            self._count += 1
        else:
            marks = self._marks[start : start + WAYS].tolist()
            place = start + marks.index(min(marks))
        self._hashes[place] = name
        self._marks[place] = mark
        return None

    def get(self, key: str) -> int | None:
        """The mark of `key`."""
        place = self._place(key)
        return None if place is None else self._marks[place]

    def take(self, key: str) -> int | None:
        """Give and forget the mark of `key`."""
        place = self._place(key)
        if place is None:
            return None
        self._hashes[place] = 0
        self._count -= 1
        return self._marks[place]

    def __len__(self) -> int:
        return self._count

    def _place(self, key: str) -> int | None:
        name = hash(key) or 1
        start = name % self._last
        known = self._hashes[start : start + WAYS].tolist()
        return start + known.index(name) if name in known else None
