"""Attempts: what several logs tell of the same thing that happened is told apart from what happened twice.

Each log is one way to hear of it. An attempt that is new to every way counts; what another way tells of the same source
and account at about the same time is that attempt again. So of several ways as many pass as the busiest one tells of.
"""

WITHIN_SECONDS = 3.0  # of log time between what two logs say of the same attempt
ENTRIES_MAX = 1024  # attempts of one source on one account that another log may still tell of; then the older half goes


class Attempts:
    """What is known of one source's attempts of one kind on one account, in the order in which they were heard of."""

    __slots__ = ("_entries", "_next")

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, str]] = []  # when, how many hits, which way it was heard of first
        self._next: dict[str, int] = {}  # by way, the first attempt that it may not have told of

    def __len__(self) -> int:
        return len(self._entries)

    def heard(self, way: str, at: float, hits: int, *, only_known: bool = False) -> int | None:
        """How many of `hits` are new. None, with `only_known`, where no other way has told of such an attempt."""
        entries = self._entries
        place = self._next.get(way, 0)
        while place < len(entries) and (entries[place][2] == way or entries[place][0] < at - WITHIN_SECONDS):
            place += 1
        self._next[way] = place
        if place < len(entries) and entries[place][0] <= at + WITHIN_SECONDS:
            then, known, first = entries[place]
            entries[place] = (then, max(known, hits), first)
            self._next[way] = place + 1
            return max(0, hits - known)
        if only_known:
            return None
        if len(entries) >= ENTRIES_MAX:
            self._forget(ENTRIES_MAX // 2)
        entries.append((at, hits, way))
        return hits

    def _forget(self, count: int) -> None:
        del self._entries[:count]
        self._next = {way: max(0, place - count) for way, place in self._next.items()}
