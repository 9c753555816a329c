"""What happened to a file while we watched it: who came after it, and where the bytes went that it lost."""

from durward.sources.content import Plain
from durward.sources.copies import Copies
from durward.sources.opening import Opener
from durward.sources.tail import Tail

SEARCH_FREE_BYTES = 4 << 20  # unpacked in one search without calling it a lot of work
SAME_BYTES = 4096  # compared to tell a file that was copied over itself from a new one


def newer_than(
    opener: Opener, path: str, old: Tail, fresh: Tail, *, now: float, held: set[tuple[int, int]]
) -> list[Tail] | None:
    """Give the copies that were rotated away between `old` and `fresh`, unseen, oldest first.

    None: `fresh` is `old` written anew with what we read of it (an editor did so), and is to be read on from there.
    """
    with Copies(opener, path) as copies:
        index = copies.same_file(old.position)
        if index is None and _same_bytes(old, fresh):
            return None
        if index is None:
            index = copies.same_bytes(old.position, modified_from=old.modified_at - 1)
        newer = [] if index is None else copies.newer(index, held | {fresh.identity})
        return [copies.take(at, None, now, backlog=False) for at in newer]


def rest_of(
    opener: Opener, path: str, cut: Tail, *, now: float, held: set[tuple[int, int]], packed: bool
) -> tuple[list[Tail], bool]:
    """Find what `cut`, a truncated file, held behind its offset: in the copy that was made of it, and newer ones.

    `packed`: in compressed copies too. Tells also whether that was a lot of work.
    """
    position = cut.position
    backlog = cut.offset < cut.backlog_until
    with Copies(opener, path) as copies:
        index = copies.same_bytes(position, packed=packed)
        if index is None:
            return [], copies.unpacked > SEARCH_FREE_BYTES
        newer = copies.newer(index, held)
        rest = copies.take(index, position, now, backlog=backlog)
        rest.fixed = True
        tails = [rest, *(copies.take(at, None, now, backlog=backlog) for at in newer)]
        return tails, copies.unpacked > SEARCH_FREE_BYTES


def _same_bytes(old: Tail, fresh: Tail) -> bool:
    """Whether `fresh` holds what was read last of `old`, at the same place."""
    length = min(SAME_BYTES, old.offset)
    if length == 0 or not isinstance(old.content, Plain):
        return False
    start = old.offset - length
    try:
        read = old.content.window(start, length)
        return len(read) == length and fresh.content.window(start, length) == read
    except OSError:
        return False
