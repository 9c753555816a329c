"""Where reading begins: at the end of a file, or where an earlier engine stopped, in whichever file that is now."""

import os
import stat
from dataclasses import dataclass, field

from durward.sources.block import Position
from durward.sources.content import Content, Plain
from durward.sources.copies import Copies
from durward.sources.lines import LINE_BYTES_MAX
from durward.sources.marks import Marks, memory_begins
from durward.sources.opening import ABSENT, NotNowError, Opener, SourceError
from durward.sources.tail import Tail

MEMORY_BYTES_MAX = 1 << 20  # re-read before the end of a file of which nothing is known; the oldest are left out
MEMORY_KNOWN_BYTES_MAX = 16 << 20  # re-read before a saved position: its marks say that these bytes are young enough


@dataclass(slots=True)
class Found:
    """The tails to read, in order. `main` goes on behind the saved position; None: no file holds it any more."""

    main: Tail | None = None
    tails: list[Tail] = field(default_factory=list)


def open_tail(opener: Opener, path: str, now: float) -> Tail:
    """Open the file that bears the name now, from its start. Raises SourceError."""
    descriptor = opener.open(path)
    if descriptor is None:
        raise SourceError(f"{path} {ABSENT}")
    problem = f"{path} is not a regular file"
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Tail(Plain(descriptor), now=now)
    except OSError as error:
        problem = f"{path}: {error.strerror}"
    os.close(descriptor)
    raise SourceError(problem)


def from_end(opener: Opener, path: str, current: Tail, *, now: float, horizon: float) -> list[Tail]:
    """Follow `current` from its end, a begun line included; what may be younger than `horizon` is memory.

    Raises OSError.
    """
    size = os.fstat(current.content.descriptor).st_size
    start = max(0, size - LINE_BYTES_MAX - 1)
    window = current.content.window(start, size - start)
    newline = window.rfind(b"\n")
    current.move(start + newline + 1 if newline >= 0 or start == 0 else size)
    with Copies(opener, path) as copies:
        return [*_memory(copies, None, current, None, now=now, horizon=horizon), current]


def from_saved(
    opener: Opener, path: str, current: Tail | None, saved: Position, *, now: float, horizon: float | None
) -> Found:
    """Find the file that `saved` is about and whatever came after it; move `current` on if it is the one.

    `horizon` (epoch seconds) is how far back memory reaches; None: we were watching all the time, so nothing is
    memory or backlog. Raises OSError where `current` cannot be read, so that nothing is known of it.
    """
    backlog = horizon is not None
    with Copies(opener, path) as copies:
        main, index = _main(copies, current, saved, now=now, backlog=backlog)
        older = [tail for position in saved.older if (tail := _rest(copies, position, now=now, backlog=backlog))]
        held = {tail.identity for tail in (*older, main, current) if tail is not None}
        newer = [] if index is None else copies.newer(index, held)
        tails = [*older, *([main] if main else []), *(copies.take(at, None, now, backlog=backlog) for at in newer)]
        if current is not None and backlog:
            current.backlog_until = os.fstat(current.content.descriptor).st_size
        if main is not None and horizon is not None:
            before = older[-1] if older else None
            tails[:0] = _memory(copies, index, main, before, marks=saved.marks, now=now, horizon=horizon)
    return Found(main, tails)


def _main(
    copies: Copies, current: Tail | None, saved: Position, *, now: float, backlog: bool
) -> tuple[Tail | None, int | None]:
    """The tail that goes on behind `saved`, and which copy it is: the same file, else the same bytes."""
    if current is not None and current.identity == (saved.device, saved.inode) and current.holds(saved):
        current.move(saved.offset)
        return current, None
    index = copies.same_file(saved)
    if index is not None:
        return copies.take(index, saved, now, backlog=backlog), index
    if current is not None and saved.before and current.holds(saved):
        current.move(saved.offset)
        return current, None
    index = copies.same_bytes(saved)
    if index is None:
        return None, None
    tail = copies.take(index, saved, now, backlog=backlog)
    tail.fixed = True
    return tail, index


def _rest(copies: Copies, position: Position, *, now: float, backlog: bool) -> Tail | None:
    """What was left of a file that was being drained."""
    index = copies.same_file(position)
    if index is None:
        index = copies.same_bytes(position)
    return None if index is None else copies.take(index, position, now, backlog=backlog)


def _memory(
    copies: Copies,
    index: int | None,
    main: Tail,
    before: Tail | None,
    *,
    marks: Marks | None = None,
    now: float,
    horizon: float,
) -> list[Tail]:
    """What to re-read before `main`, which is the copy at `index`, oldest first; `before` is the file before it."""
    if main.modified_at < horizon:
        return []
    if marks is None:
        begin = main.offset - MEMORY_BYTES_MAX
    else:
        begin = max(memory_begins(marks, horizon), main.offset - MEMORY_KNOWN_BYTES_MAX)
    tails = _memory_of(main.content, begin, main.offset, now)
    if begin > 0:
        return tails
    if before is not None:
        return [*_memory_of(before.content, before.offset - MEMORY_BYTES_MAX, before.offset, now), *tails]
    try:
        earlier = copies.older(index, horizon)
    except NotNowError:
        earlier = None
    if earlier is not None:
        content = copies.content(earlier)
        size = os.fstat(content.descriptor).st_size
        return [*_memory_of(content, size - MEMORY_BYTES_MAX, size, now), *tails]
    return tails


def _memory_of(content: Content, begin: int, end: int, now: float) -> list[Tail]:
    """Make a tail, on a descriptor of its own, that gives the whole lines between two offsets as memory.

    Memory that cannot be read is forgone.
    """
    twin = content.twin()
    try:
        tail = Tail(twin, now=now)
        tail.move(max(0, begin))
    except OSError:
        os.close(twin.descriptor)
        return []
    tail.end, tail.memory = end, True
    return [tail]
