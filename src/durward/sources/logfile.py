"""LogFile: one followed path, through rotation, truncation and restarts; each line given once."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from durward.sources.block import Block, Position
from durward.sources.marks import Marks, noted
from durward.sources.opening import NotNowError, Opener, SourceError
from durward.sources.resuming import from_end, from_saved, open_tail
from durward.sources.succession import newer_than, rest_of
from durward.sources.tail import ChangedError, Piece, Tail

READ_BYTES_MAX = 8 << 20  # per call; `waiting` then says that there is more
DRAIN_SECONDS = 5.0  # a rotated file is read on until it was quiet for so long: daemons write on into it
OLDER_MAX = 16  # files being drained at once; beyond it the oldest are read to their end and left
SEARCH_GAP_SECONDS = 60.0  # between costly searches in compressed copies: whoever truncates could keep us busy
AGAIN = Piece(0, b"", 0, overlong=False)  # nothing yet, but look again


class LogFile:
    """One path. `start` once, `read` whenever something may have been written, `reopen` when the name may have changed.

    A copytruncate whose copy cannot be found, and a file deleted while nobody watched, lose what was not read yet
    (`lost_bytes` as far as we saw it, `lost_files`). NULs at the very start of a file are passed over.
    """

    def __init__(self, path: str, opener: Opener, *, memory_seconds: float) -> None:
        self.path = path
        self.source = f"file:{path}"
        self.lines = self.bytes = self.overlong = self.rotations = self.lost_bytes = self.lost_files = 0
        self.problem: str | None = None
        self.waiting = False
        self._opener = opener
        self._memory_seconds = memory_seconds
        self._tails: list[Tail] = []  # in the order in which they are read; the current file is the last one
        self._current: Tail | None = None
        self._begun = False
        self._beginning: tuple[Position | None, bool] = None, False
        self._postponed = False
        self._left: Position | None = None  # where the current file was given up
        self._marks: Marks = ()
        self._caught_up_at = 0.0
        self._searched_at = 0.0

    def start(self, now: float, saved: Position | None = None, *, appeared: bool = False) -> None:
        """Begin: behind `saved`, else at the end, else (it `appeared` while we watch) at 0. `now` is epoch seconds."""
        self._caught_up_at = now
        self._beginning = saved, appeared
        horizon = now - self._memory_seconds
        current = None
        try:
            current = self._open(now)
            if saved is not None:
                self._go_on(current, saved, now, horizon)
            elif current is not None and appeared:
                self._tails = [current]
            elif current is not None:
                self._tails = from_end(self._opener, self.path, current, now=now, horizon=horizon)
            self._current, self._begun = current, True
        except (OSError, NotNowError) as error:
            self._postpone(current, error)
        self.waiting = bool(self._tails)

    def read(self, now: float, bytes_max: int = READ_BYTES_MAX) -> Iterator[Block]:
        """Give what is there, up to about `bytes_max` bytes; `waiting` tells afterwards whether there is more.

        A block counts as dealt with once it was given: `position` lies behind it.
        """
        self.waiting = True
        index = 0
        while index < len(self._tails):
            tail = self._tails[index]
            over = self._over(tail, now)
            piece = self._piece(tail, now, final=over and not tail.memory)
            if piece is not None:
                self._note(tail, piece, now)
                if piece.data:
                    yield Block(self.source, piece.position, piece.data, tail.kind_at(piece.position))
                bytes_max -= piece.taken
                if bytes_max <= 0:
                    return
            elif over and not self._postponed:
                self._remove(tail)
            else:
                index += 1
        self.waiting = False
        self._caught_up_at = now

    def reopen(self, now: float) -> None:
        """Look which file bears the name now. The one that bore it is read on for DRAIN_SECONDS."""
        self._postponed = False
        if not self._begun:
            self.start(now, self._beginning[0], appeared=self._beginning[1])
            return
        fresh = None
        try:
            fresh = self._open(now)
            held = None if fresh is None else self._held(fresh)
            if fresh is None:
                self._depart(now)
            elif held is not None:
                fresh.close()
                self._promote(held, now)
            elif self._left is not None:
                self._go_on(fresh, self._left, now, None)
            else:
                self._succeed(fresh, now)
        except (OSError, NotNowError) as error:
            self._postpone(fresh, error)
        self.waiting = True

    def close(self) -> None:
        """Give all descriptors back."""
        for tail in self._tails:
            tail.close()
        self._tails, self._current = [], None

    @property
    def position(self) -> Position | None:
        """Where a later engine goes on; None while nothing was ever there."""
        if not self._begun:
            return self._beginning[0]
        tails = [tail for tail in self._tails if not tail.memory]
        while len(tails) > 1 and not tails[-1].touched:
            tails.pop()  # nothing is known of it yet, but it will be found again behind the one before
        main = self._left or (tails.pop().position if tails else None)
        if main is None:
            return None
        return replace(main, marks=self._marks, older=tuple(tail.position for tail in tails))

    def lag_seconds(self, now: float) -> float:
        """How long ago everything was read, while something is waiting; else 0."""
        return max(0.0, now - self._caught_up_at) if self.waiting else 0.0

    def restless(self, now: float) -> bool:
        """Whether it is to be read again soon although nobody says so: a file that lost its name is not watched."""
        return any(
            tail is not self._current and (self._current is not None or now - tail.quiet_since <= DRAIN_SECONDS)
            for tail in self._tails
        )

    @property
    def failed(self) -> bool:
        """Whether something could not be read or asked for, so that `reopen` has to be called again soon."""
        return not self._begun or self._postponed or (self._current is None and self._left is not None)

    def _open(self, now: float) -> Tail | None:
        """The file that bears the name now; None, and `problem` says why, when there is none. Raises NotNowError."""
        try:
            tail = open_tail(self._opener, self.path, now)
        except NotNowError:
            raise
        except SourceError as error:
            self.problem = str(error)
            return None
        self.problem = None
        return tail

    def _held(self, fresh: Tail) -> Tail | None:
        """The same file, if we have it open."""
        return next((tail for tail in self._tails if tail.identity == fresh.identity and not tail.memory), None)

    def _postpone(self, tail: Tail | None, error: OSError | NotNowError) -> None:
        """Leave all as it is while a file cannot even be looked at; `reopen` tries again."""
        self._postponed = True
        self.problem = f"{self.path}: {error.strerror if isinstance(error, OSError) else error}"
        if tail is not None:
            tail.close()

    def _go_on(self, current: Tail | None, saved: Position, now: float, horizon: float | None) -> None:
        """Go on behind `saved`, wherever that is now, and then with `current`."""
        found = from_saved(self._opener, self.path, current, saved, now=now, horizon=horizon)
        self._tails += found.tails
        if current is not None and current is not found.main:
            self._tails.append(current)
            self.rotations += 1
            self.lost_files += found.main is None
        self._marks = saved.marks if current is None or current is found.main else ()
        self._left = saved if current is None and found.main is None else None
        self._current = current

    def _depart(self, now: float) -> None:
        """Nobody bears the name now: a rotation between its two steps, or the file is gone."""
        if self._current is not None:
            self._current.quiet_since = now
            self._current = None

    def _promote(self, tail: Tail, now: float) -> None:
        """Make a tail that we have the current one (again)."""
        if tail is self._current:
            return
        if self._current is not None:
            self._current.quiet_since = now
            self._marks = ()
        tail.fixed = False
        self._tails.remove(tail)
        self._tails.append(tail)
        self._current, self._left = tail, None

    def _succeed(self, fresh: Tail, now: float) -> None:
        """Follow a new file from its start, behind the one that bore the name before and any that we never saw."""
        old = next((tail for tail in reversed(self._tails) if not tail.memory), None)
        if old is not None:
            newer = newer_than(self._opener, self.path, old, fresh, now=now, held=self._identities())
            if newer is None:
                fresh.move(old.offset)
                self._remove(old)
            else:
                self._tails += newer
                self.rotations += 1
        self._tails.append(fresh)
        self._promote(fresh, now)
        drained = [tail for tail in self._tails if not tail.memory and tail is not fresh]
        for tail in drained[:-OLDER_MAX]:
            tail.fixed = True

    def _piece(self, tail: Tail, now: float, *, final: bool) -> Piece | None:
        """The next step of one tail, None when there is none; whatever befell the file is dealt with here."""
        try:
            return tail.read(final=final)
        except ChangedError:
            if not self._truncated(tail, now):
                return None
        except OSError as error:
            self._fail(tail, error)
        return AGAIN

    def _truncated(self, tail: Tail, now: float) -> bool:
        """The file was cut to nothing (copytruncate), and may have grown again: read what is left of it in its copy.

        False: that cannot be found out now.
        """
        if tail.memory or tail.fixed:
            self._remove(tail)
            return True
        packed = now - self._searched_at >= SEARCH_GAP_SECONDS
        held = self._identities()
        try:
            rest, costly = rest_of(self._opener, self.path, tail, now=now, held=held, packed=packed)
        except NotNowError as error:
            self._postpone(None, error)
            return False
        self._searched_at = now if costly else self._searched_at
        self.lost_bytes += 0 if rest else tail.seen - tail.offset
        index = self._tails.index(tail)
        self._tails[index:index] = rest
        tail.restart()
        self._marks = () if tail is self._current else self._marks
        self.rotations += 1
        return True

    def _fail(self, tail: Tail, error: OSError) -> None:
        """Give up a file that cannot be read; the current one is opened again later."""
        self.problem = f"{self.path}: {error.strerror}"
        if tail is self._current:
            self._left = replace(tail.position, marks=self._marks)
        elif not tail.memory:
            self.lost_files += 1
        self._remove(tail)

    def _note(self, tail: Tail, piece: Piece, now: float) -> None:
        if tail.memory:
            return
        if tail.before.endswith(b"\n"):  # else a last line was given as it was, and the file is done with
            tail.quiet_since = now
        if tail is self._current and piece.data:
            self._marks = noted(self._marks, now, piece.position)
        self.bytes += piece.taken
        self.lines += piece.data.count(b"\n")
        self.overlong += piece.overlong

    def _over(self, tail: Tail, now: float) -> bool:
        """Whether a tail is done with once it gives nothing."""
        if tail.memory or tail.fixed:
            return True
        if tail is self._current or now - tail.quiet_since < DRAIN_SECONDS:
            return False
        return self._current is not None or tail.nameless

    def _remove(self, tail: Tail) -> None:
        self._tails.remove(tail)
        self._current = None if tail is self._current else self._current
        with suppress(OSError):
            tail.close()

    def _identities(self) -> set[tuple[int, int]]:
        return {tail.identity for tail in self._tails if not tail.memory}
