"""Makes room in a full table, a tenth at a time: taking the first out of a dict one by one scans what was there."""

from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def forget_oldest(table: dict[Key, Value]) -> list[tuple[Key, Value]]:
    """Take out the tenth that was put in first; give it."""
    oldest = list(islice(table.items(), len(table) // 10 + 1))
    for key, _ in oldest:
        del table[key]
    return oldest
