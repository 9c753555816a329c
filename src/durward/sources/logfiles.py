"""LogFiles: all followed paths. Only what changed is touched, so thousands of idle files cost nothing."""

import os
from collections.abc import Iterable, Iterator

from durward.sources.block import Block, Position
from durward.sources.logfile import LogFile
from durward.sources.opening import Opener
from durward.sources.watching import RENAMED, Change

TURN_BYTES_MAX = 1 << 20  # of one file before it is the next one's turn
TURN_BYTES = 1024  # that a turn counts for at least, so that a call ends though thousands of files have nothing
CALL_BYTES_MAX = 8 << 20  # of all files in one call; `waiting` then says that there is more
SWEEP_FILES = 8  # looked at per call of `sweep`, and that at most every …
SWEEP_SECONDS = 2.0
UNWATCHED_FILES = 64  # files without a watch that are looked at per call of `read`
RETRY_SECONDS = 5.0  # until a file that could not be read is opened again
NAME_CUTS_MAX = 8  # a rotated copy's name is traced back to its log over so many dots and dashes


class LogFiles:
    """The collection. `changed` marks, `read` reads what is marked in turn, `sweep` looks whether a mark was missed."""

    def __init__(self, opener: Opener, *, memory_seconds: float) -> None:
        self._opener = opener
        self._memory_seconds = memory_seconds
        self._files: dict[str, LogFile] = {}
        self._watched: dict[tuple[int, bytes], list[LogFile]] = {}
        self._watches: dict[str, list[tuple[int, bytes]]] = {}
        self._unread: dict[LogFile, None] = {}  # a queue without duplicates
        self._renamed: dict[LogFile, None] = {}
        self._restless: set[LogFile] = set()
        self._failed: dict[LogFile, float] = {}
        self._moved: set[LogFile] = set()
        self._told: dict[LogFile, Position] = {}
        self._round: dict[LogFile, None] = {}  # the order of the sweep
        self._unwatched: dict[LogFile, None] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[LogFile]:
        return iter(self._files.values())

    def follow(
        self,
        path: str,
        watches: Iterable[tuple[int, str | bytes]],
        saved: Position | None,
        *,
        now: float,
        appeared: bool = False,
    ) -> LogFile:
        """Follow one more path, behind `saved` or from its end. A path that is followed already is only watched anew.

        `appeared`: the file was not there when we started, so it is new from its first byte.
        """
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = LogFile(path, self._opener, memory_seconds=self._memory_seconds)
            file.start(now, saved, appeared=appeared)
            self._unread[file] = self._round[file] = None
            self._moved.add(file)
        self.watch(path, watches)
        return file

    def watch(self, path: str, watches: Iterable[tuple[int, str | bytes]]) -> None:
        """Say by which (watch number, name) changes of a followed path are told: in place of those known so far.

        The name is empty for a watch on the file itself. Without any watch the file is looked at on every `read`.
        """
        if path in self._files:
            self._watch(self._files[path], [(number, os.fsencode(name)) for number, name in watches])

    def forget(self, path: str) -> None:
        """Stop following a path. Nothing happens if nobody follows it."""
        file = self._files.pop(path, None)
        if file is None:
            return
        self._watch(file, ())
        for queue in (self._unread, self._renamed, self._failed, self._round, self._unwatched, self._told):
            queue.pop(file, None)
        self._restless.discard(file)
        self._moved.discard(file)
        file.close()

    def close(self) -> None:
        """Forget everything."""
        for path in list(self._files):
            self.forget(path)

    def changed(self, changes: Iterable[Change]) -> None:
        """Mark the files that these changes are about."""
        for change in changes:
            if change.overflow:
                self.changed_all()
                continue
            renamed = bool(change.mask & RENAMED)
            for file in self._watched.get((change.watch, change.name), ()):
                self._mark(file, renamed=renamed)
            if renamed:
                for file in self._log_of(change.watch, change.name):
                    self._mark(file, renamed=False)

    def changed_all(self) -> None:
        """Mark everything: what changed is not known."""
        for file in self._files.values():
            self._mark(file, renamed=True)

    def read(self, now: float) -> Iterator[Block]:
        """Give what the marked files have, in turn, up to CALL_BYTES_MAX bytes in all."""
        self._look_again(now)
        left = CALL_BYTES_MAX
        while self._unread and left > 0:
            file = next(iter(self._unread))
            del self._unread[file]
            self._unread[file] = None  # behind all others, until it is read to its end
            left -= TURN_BYTES
            if file in self._renamed:
                del self._renamed[file]
                file.reopen(now)
            for block in file.read(now, min(TURN_BYTES_MAX, max(left, TURN_BYTES))):
                left -= len(block.data)
                self._moved.add(file)
                yield block
            self._moved.add(file)
            if not file.waiting:
                self._unread.pop(file, None)
                self._note(file, now)

    def sweep(self, now: float) -> None:
        """Mark the next SWEEP_FILES files as if renamed, at most every SWEEP_SECONDS: notices get lost."""
        if 0 <= now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for _ in range(min(SWEEP_FILES, len(self._round))):
            file = next(iter(self._round))
            del self._round[file]
            self._round[file] = None
            self._mark(file, renamed=True)

    @property
    def waiting(self) -> bool:
        """Whether there is something to read at once."""
        return bool(self._unread)

    @property
    def restless(self) -> bool:
        """Whether `read` is to be called some times a second although nothing is `waiting`: rotated files drain."""
        return bool(self._restless)

    def positions(self) -> dict[str, Position]:
        """Give the positions that changed since the last call, by path."""
        positions: dict[str, Position] = {}
        for file in self._moved:
            position = file.position
            if position is not None and self._told.get(file) != position:
                self._told[file] = positions[file.path] = position
        self._moved.clear()
        return positions

    def lag_seconds(self, now: float) -> float:
        """The longest lag of any file (seconds)."""
        return max((file.lag_seconds(now) for file in self._unread), default=0.0)

    def _watch(self, file: LogFile, watches: Iterable[tuple[int, bytes]]) -> None:
        """Replace the watches of a file."""
        for key in self._watches.pop(file.path, []):
            others = [other for other in self._watched[key] if other is not file]
            if others:
                self._watched[key] = others
            else:
                del self._watched[key]
        keys = list(dict.fromkeys(watches))
        for key in keys:
            self._watched.setdefault(key, []).append(file)
        self._watches[file.path] = keys
        if keys:
            self._unwatched.pop(file, None)
        else:
            self._unwatched[file] = None

    def _mark(self, file: LogFile, *, renamed: bool) -> None:
        self._unread[file] = None
        if renamed:
            self._renamed[file] = None

    def _note(self, file: LogFile, now: float) -> None:
        """Remember whether a file that was read to its end needs looking after."""
        if file.restless(now):
            self._restless.add(file)
        else:
            self._restless.discard(file)
        if file.failed:
            self._failed[file] = now
        else:
            self._failed.pop(file, None)

    def _look_again(self, now: float) -> None:
        """Mark what nobody tells us about: drained files, failed files, files without a watch."""
        for file in self._restless:
            self._mark(file, renamed=False)
        for file, failed_at in self._failed.items():
            if not 0 <= now - failed_at < RETRY_SECONDS:
                self._mark(file, renamed=True)
        for _ in range(min(UNWATCHED_FILES, len(self._unwatched))):
            file = next(iter(self._unwatched))
            del self._unwatched[file]
            self._unwatched[file] = None
            self._mark(file, renamed=False)

    def _log_of(self, watch: int, name: bytes) -> list[LogFile]:
        """The log that a new name is probably a rotated copy of: `auth.log.1` is about `auth.log`.

        It is read at once then, before a copytruncate cuts it.
        """
        for _ in range(NAME_CUTS_MAX):
            cut = max(name.rfind(b"."), name.rfind(b"-"))
            if cut <= 0:
                break
            name = name[:cut]
            if found := self._watched.get((watch, name)):
                return found
        return []
