"""Marks: when which offset was reached, so that after a restart the last window can be read again."""

from durward.sources.block import MARKS_MAX

MARK_SECONDS = 60.0  # between two marks

Marks = tuple[tuple[float, int], ...]


def noted(marks: Marks, now: float, offset: int) -> Marks:
    """Add that all before `offset` was read before `now` (epoch seconds), if the last mark is old enough.

    At MARKS_MAX every second mark of the older half goes: the span doubles where it matters least.
    """
    if marks and 0 <= now - marks[-1][0] < MARK_SECONDS:
        return marks
    if len(marks) >= MARKS_MAX:
        half = MARKS_MAX // 2
        marks = marks[:half:2] + marks[half:]
    return (*marks, (now, offset))


def memory_begins(marks: Marks, horizon: float) -> int:
    """Give the offset before which nothing is younger than `horizon` (epoch seconds): 0 where no mark tells."""
    return max((offset for at, offset in marks if at <= horizon), default=0)
