"""Journal: systemd's journal as lines, one an entry, and only entries whose trusted fields say whose they are."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

from durward.sources.block import BLOCK_BYTES_MAX, Block, Kind
from durward.sources.libsystemd import FIELD_BYTES_MAX, Handle
from durward.sources.opening import SourceError
from durward.sources.parts import Parts
from durward.sources.posing import Posing
from durward.sources.trust import Trust, Want

READ_ENTRIES_MAX = 2000  # per call; `waiting` then says that there is more
BATCH_ENTRIES_MAX = 500  # in one block
LINE_BYTES_MAX = FIELD_BYTES_MAX + 512  # of one rendered line
MEMORY_ENTRIES_MAX = 100_000  # re-read at most; the oldest are left out
NAME_BYTES_MAX = 64  # of a host's or program's name
RETRY_SECONDS = 10.0  # until a file that was not ready is asked for again
HEARD_MAX = 1024  # names of programs that are remembered to have been admitted; no more are beyond that
HELD_ENTRIES_MAX = 10_000  # are looked through for one of a service's own; beyond it there is none
TAIL_OFFSET, TAIL_BYTES = 192, 8  # of the time of the last entry, whosever it is (microseconds), in a file's header
STATE_OFFSET, ARCHIVED = 16, b"\2"  # in a journal file's header: nobody writes to it any more

CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
UNUSUAL = re.compile(rb"[^A-Za-z0-9_./@+-]")


class Journal:
    """The journal files behind `descriptors`, which become ours to close. `start` once, then `read` every 50 ms.

    Waiting for journald's own notices would cost up to 400 ms, so nothing here waits. Each Block holds a batch of
    entries: give its lines to the scanner with position 0 and ask `block.place_of` for an entry's cursor. After a
    rotation (`stale`) get the descriptors anew and `replace` them.
    """

    source = "journal"

    def __init__(
        self,
        descriptors: Sequence[int],
        wants: Sequence[Want],
        *,
        memory_seconds: float,
        ours: tuple[str, int] | None = None,
    ) -> None:
        """`ours`: see Trust. Raises SourceError."""
        self.lines = self.bytes = self.refused = 0
        self.problem: str | None = None
        self.waiting = False
        self._descriptors = tuple(descriptors)
        self._trust = Trust(wants, ours)
        self._parts = Parts()
        self.posing = Posing()
        self.heard: set[bytes] = set()  # names of programs whose entries were admitted
        self._memory_seconds = memory_seconds
        self._cursor: str | None = None
        self._memory_until: str | None = None  # the last entry that an earlier engine had
        self._memory_end = 0  # its time (microseconds)
        self._backlog_until = 0  # microseconds
        self._caught_up_at = 0.0
        self._handle: Handle | None = None
        self._online: tuple[int, ...] = ()
        self._unreadable = 0
        self._opened_at = 0.0
        try:
            self._open(tuple(descriptors))
        except SourceError:
            self.close()
            raise

    def start(self, now: float, cursor: str | None = None) -> None:
        """Begin behind `cursor`, else at the end; what is up to memory_seconds older is memory. Raises SourceError.

        `now` is epoch seconds. A cursor that libsystemd does not understand counts as none.
        """
        self._caught_up_at = self._opened_at = now
        self.waiting = True
        handle = self._open_handle()
        found = cursor is not None and _seek(handle, cursor)
        self._cursor = cursor
        self._backlog_until = int(now * 1e6) if found else 0
        if found and cursor is not None and not handle.is_at(cursor):
            _go_behind(handle, cursor)  # the entry was removed, and whatever came before it
        elif found or handle.seek_tail():
            self._cursor = self._memory_until = handle.cursor()
            self._memory_end = handle.microseconds()
            self._seek_memory(handle, (self._memory_end / 1e6 if found else now) - self._memory_seconds)
        else:
            handle.seek_time(0)  # there is no entry yet; at the tail it would stay behind those to come

    def read(self, now: float) -> Iterator[Block]:
        """Give the entries that are there, up to READ_ENTRIES_MAX; `waiting` tells afterwards whether there are more.

        A journal that cannot be read gives nothing; `problem` says why.
        """
        self.waiting = True
        try:
            for _ in range(READ_ENTRIES_MAX // BATCH_ENTRIES_MAX):
                block, more = self._batch()
                if block is not None:
                    yield block
                if not more:
                    self.waiting = False
                    self._caught_up_at = now
                    break
        except SourceError as error:
            self.problem = str(error)
            self.waiting = False

    def replace(self, descriptors: Sequence[int], now: float) -> None:
        """Go on in these files behind the last entry that was given. Raises SourceError; the old ones stay then."""
        old, old_descriptors = self._handle, self._descriptors
        try:
            handle = self._open(tuple(descriptors))
        except SourceError:
            _close(descriptors)
            raise
        if old is not None:
            old.close()
        _close(old_descriptors)
        self._opened_at = now
        self._memory_until = None
        if self._cursor is not None:
            _go_behind(handle, self._cursor)
        self.waiting = True

    def close(self) -> None:
        """Give all descriptors back."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        _close(self._descriptors)
        self._descriptors = ()

    @property
    def position(self) -> str | None:
        """The cursor behind which a later engine goes on; None while there was no entry."""
        return self._cursor

    def stale(self, now: float) -> bool:
        """Whether to get the descriptors anew: a file was archived, so there is a new one, or one was not ready."""
        if self._unreadable and not 0 <= now - self._opened_at < RETRY_SECONDS:
            return True
        return len(_online(self._online)) < len(self._online)

    def lag_seconds(self, now: float) -> float:
        """How long ago everything was read, while something is waiting; else 0."""
        return max(0.0, now - self._caught_up_at) if self.waiting else 0.0

    def written_at(self) -> float:
        """When anybody last wrote to the journal (epoch seconds); 0 where that is not known."""
        return max((_tail(number) for number in self._descriptors), default=0) / 1e6

    def holds(self, want: Want) -> bool:
        """Whether the journal has an entry of a service's own, however old."""
        if any(program.encode() in self.heard for program in want.programs):
            return True
        trust = Trust([want])
        try:
            handle = Handle(tuple(filter(_is_readable, self._descriptors)), trust.matches(posing=False))
        except SourceError:
            return False
        try:
            more = handle.seek_tail()
            for _ in range(HELD_ENTRIES_MAX):
                if not more or trust.admits(_name(handle), handle.field):
                    return more
                more = handle.back(1) > 0
        except SourceError:
            pass
        finally:
            handle.close()
        return False

    def _open(self, descriptors: tuple[int, ...]) -> Handle:
        """Open these files, without those that are damaged or not ready if need be. Raises SourceError."""
        matches = self._trust.matches()
        readable = descriptors
        try:
            handle = Handle(descriptors, matches)
        except SourceError as error:
            readable = tuple(number for number in descriptors if _is_readable(number))
            if not readable:
                raise
            handle = Handle(readable, matches)
            self.problem = str(error)
        else:
            self.problem = None
        self._handle, self._descriptors = handle, descriptors
        self._online = _online(readable)
        self._unreadable = len(descriptors) - len(readable)
        return handle

    def _open_handle(self) -> Handle:
        if self._handle is None:
            raise SourceError("the journal is closed")
        return self._handle

    def _seek_memory(self, handle: Handle, horizon: float) -> None:
        """Go from the last known entry back to `horizon` (epoch seconds), by MEMORY_ENTRIES_MAX entries at most."""
        if handle.back(MEMORY_ENTRIES_MAX) == MEMORY_ENTRIES_MAX and handle.microseconds() > horizon * 1e6:
            handle.seek_cursor(handle.cursor())
        else:
            handle.seek_time(horizon)

    def _batch(self) -> tuple[Block | None, bool]:
        """The next entries of one kind, and whether there may be more."""
        handle = self._open_handle()
        lines: list[bytes] = []
        places: list[tuple[int, str]] = []
        kind: Kind | None = None
        size, passed, more = 0, 0, True
        while more and passed < BATCH_ENTRIES_MAX and size <= BLOCK_BYTES_MAX - LINE_BYTES_MAX:
            more = handle.next()
            if not more or self._is_past_memory(handle):
                break
            passed += 1
            kind = kind or self._kind(handle)
            line = self._line(handle)
            if line is not None:
                lines.append(line)
                places.append((size, handle.cursor()))
                size += len(line)
            if self._memory_until is not None and handle.is_at(self._memory_until):
                self._memory_until = None
                break
        if passed and kind != "memory":
            self._cursor = handle.cursor()
            self.lines += len(lines)
            self.bytes += size
        block = Block(self.source, 0, b"".join(lines), kind, tuple(places)) if lines and kind else None
        return block, more

    def _is_past_memory(self, handle: Handle) -> bool:
        """Whether the last known entry cannot come any more (the clock was set back): go on behind it."""
        if self._memory_until is None or handle.microseconds() <= self._memory_end:
            return False
        _go_behind(handle, self._memory_until)
        self._memory_until = None
        return True

    def _kind(self, handle: Handle) -> Kind:
        if self._memory_until is not None:
            return "memory"
        return "backlog" if handle.microseconds() < self._backlog_until else "live"

    def _line(self, handle: Handle) -> bytes | None:
        """The entry as a line; None when it is not trusted, says nothing, or is a part of a line that goes on."""
        name = _name(handle)
        broken, message = handle.field("_LINE_BREAK"), handle.field("MESSAGE")
        admitted = self._trust.admits(name, handle.field)
        if broken is not None or self._parts:
            message = self._parts.whole(handle.field("_STREAM_ID"), broken, message if admitted else None)
        if not admitted:
            self.refused += 1
            writer = self._trust.poser(name, handle.field)
            if writer is not None:
                self.posing.note(writer, handle.microseconds() / 1e6, message or handle.field("MESSAGE") or b"")
            return None
        if len(self.heard) < HEARD_MAX:
            self.heard.add(name)
        if message is None:
            return None
        return render(
            handle.microseconds(), handle.field("_HOSTNAME") or b"localhost", name, handle.field("_PID"), message
        )


def render(microseconds: int, host: bytes, name: bytes, process: bytes | None, message: bytes) -> bytes:
    """Write an entry as rsyslog would, in exactly one line: control characters become `#012` and the like."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    tag = _word(name) + (b"[%b]" % _word(process) if process else b"")
    text = CONTROL.sub(_escape, message.rstrip(b"\n"))[:FIELD_BYTES_MAX]
    return b"%b.%06d+00:00 %b %b: %b\n" % (_stamp(seconds), fraction, _word(host), tag, text)


@lru_cache(maxsize=4)
def _stamp(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _escape(match: re.Match[bytes]) -> bytes:
    return b"#%03o" % match[0][0]


@lru_cache(maxsize=256)
def _word(text: bytes) -> bytes:
    """A name that cannot be taken for anything else in the line."""
    return UNUSUAL.sub(b"_", text[:NAME_BYTES_MAX]) or b"_"


def _seek(handle: Handle, cursor: str) -> bool:
    """Go to an entry, or to the one that stands where it would. False: there is none, or that is no cursor."""
    try:
        handle.seek_cursor(cursor)
    except SourceError:
        return False
    return handle.next()


def _go_behind(handle: Handle, cursor: str) -> None:
    """Go to where the next entry is the one behind `cursor`, whether that entry is still there or not."""
    handle.seek_cursor(cursor)
    if not (handle.next() and handle.is_at(cursor)):
        handle.seek_cursor(cursor)


def _is_readable(descriptor: int) -> bool:
    """Whether libsystemd takes this file; one bad file makes it refuse all."""
    try:
        Handle((descriptor,), ()).close()
    except SourceError:
        return False
    return True


def _name(handle: Handle) -> bytes:
    return handle.field("SYSLOG_IDENTIFIER") or handle.field("_COMM") or b"unknown"


def _tail(descriptor: int) -> int:
    try:
        return int.from_bytes(os.pread(descriptor, TAIL_BYTES, TAIL_OFFSET), "little")
    except OSError:
        return 0


def _online(descriptors: Iterable[int]) -> tuple[int, ...]:
    """Those of the journal files that are still written to."""
    return tuple(number for number in descriptors if _state(number) != ARCHIVED)


def _state(descriptor: int) -> bytes:
    try:
        return os.pread(descriptor, 1, STATE_OFFSET)
    except OSError:
        return ARCHIVED


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)
