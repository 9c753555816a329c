"""A log's whole life in any order: written, rotated in every way, compressed, read, restarted; each line comes once."""

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.sources.opener import ROTATED, DirectOpener

from durward.sources.block import Position
from durward.sources.logfile import DRAIN_SECONDS, LogFile

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
ROTATIONS_MAX = 4  # between two readings: an opener gives five copies


class Stretch:
    """What was written to one file from its creation or truncation to its end."""

    def __init__(self, skipped: int = 0) -> None:
        self.written = bytearray()
        self.skipped = skipped
        self.listed = True  # found under the log's name or a rotated one
        self.closed = False  # nothing will be appended
        self.optional = False  # may be lost, as documented

    def lines(self) -> list[bytes]:
        lines = bytes(self.written).split(b"\n")
        rest = lines.pop()
        return lines[self.skipped :] + ([rest] if rest and self.closed else [])


class LogLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="durward-life-"))
        self.path = self.directory / "app.log"
        self.opener = DirectOpener()
        self.now = time.time()
        self.count = 0
        self.given: Counter[bytes] = Counter()
        self.optional: set[bytes] = set()
        self.stretches: list[Stretch] = []
        self.late: tuple[int, Stretch] | None = None  # a descriptor of a renamed file that is written to yet
        self.file: LogFile | None = None
        self.saved: str | None = None
        self.rotations = 0
        self.targets = 0
        self.traceable = True  # the engine knows the current file, or one whose successors can be told

    # What the writer does.

    @initialize(linked=st.booleans())
    def begin(self, linked: bool) -> None:
        self.linked = linked
        self.create()
        self.append(2, partial=False)
        self.stretches[-1].skipped = 2
        self.start()

    def create(self) -> None:
        if self.linked:
            self.targets += 1
            target = self.directory / f"target-{self.targets}"
            target.touch()
            self.path.symlink_to(target)
        else:
            self.path.touch(exist_ok=False)
        self.stretches.append(Stretch())

    def text(self, lines: int, *, partial: bool) -> bytes:
        self.count += lines + 1
        whole = b"".join(b"line %d of the log\n" % (self.count - number) for number in range(lines, 0, -1))
        return whole + (b"begun %d" % self.count if partial else b"")

    @rule(lines=st.integers(0, 3), partial=st.booleans())
    def append(self, lines: int, partial: bool) -> None:
        text = self.text(lines, partial=partial)
        with self.path.open("ab") as file:
            file.write(text)
        self.stretches[-1].written += text

    @precondition(lambda self: self.late is not None)
    @rule(lines=st.integers(1, 2))
    def append_late(self, lines: int) -> None:
        assert self.late is not None
        text = self.text(lines, partial=False)
        os.write(self.late[0], text)
        self.late[1].written += text

    def shift(self) -> None:
        """Make room for `.1`."""
        numbered = []
        for entry in self.directory.iterdir():
            match = ROTATED.fullmatch(entry.name, len("app.log")) if entry.name.startswith("app.log") else None
            if match:
                numbered.append((int(match[1]), match[2] or "", entry))
        for number, suffix, entry in sorted(numbered, reverse=True):
            entry.rename(self.directory / f"app.log.{number + 1}{suffix}")
        self.rotations += 1

    def retire(self, *, late: bool) -> None:
        """The current file loses its name."""
        self.hush()
        stretch = self.stretches[-1]
        stretch.closed = True
        stretch.optional |= not self.traceable and not self.is_open()
        if late:
            self.late = os.open(self.path, os.O_WRONLY | os.O_APPEND), stretch

    def hush(self) -> None:
        """The late writer ends."""
        if self.late is not None:
            os.close(self.late[0])
            self.late = None

    @precondition(lambda self: self.rotations < ROTATIONS_MAX)
    @rule(late=st.booleans(), notice=st.booleans(), between=st.booleans())
    def rename_create(self, late: bool, notice: bool, between: bool) -> None:
        self.retire(late=late)
        self.shift()
        self.path.rename(self.directory / "app.log.1")
        if between:
            self.notice()
        self.create()
        if notice:
            self.notice()

    @precondition(lambda self: self.rotations < ROTATIONS_MAX)
    @rule(notice=st.booleans())
    def copytruncate(self, notice: bool) -> None:
        stretch = self.stretches[-1]
        stretch.optional |= not self.has_read_of_current() or not (self.traceable or self.is_open())
        self.shift()
        shutil.copyfile(self.path, self.directory / "app.log.1")
        os.truncate(self.path, 0)
        stretch.closed = True
        self.stretches.append(Stretch())
        if notice:
            self.read()

    @rule(between=st.booleans(), notice=st.booleans())
    def delete_create(self, between: bool, notice: bool) -> None:
        self.unlist()
        self.path.unlink()
        if between:
            self.notice()
        self.create()
        if notice:
            self.notice()

    @precondition(lambda self: self.linked)
    @rule(notice=st.booleans())
    def swap_symlink(self, notice: bool) -> None:
        self.unlist()
        self.path.rename(self.directory / "swapped")
        (self.directory / "swapped").unlink()
        self.create()
        if notice:
            self.notice()

    def unlist(self) -> None:
        """The current file goes where nobody finds it: only an engine that has it open can read it."""
        self.retire(late=False)
        stretch = self.stretches[-1]
        stretch.listed = False
        stretch.optional |= not self.is_open()
        self.traceable = False

    @rule(suffix=st.sampled_from(sorted(PACKERS)), which=st.integers(0, 4))
    def compress(self, suffix: str, which: int) -> None:
        plain = sorted(entry for entry in self.directory.glob("app.log.*") if entry.suffix not in PACKERS)
        position = self.position()
        assert position is not None
        if not plain or self.late is not None or position.offset == 0:
            return  # of a file that was never read nothing is known by which its compressed copy could be told
        entry = plain[which % len(plain)]
        text = entry.read_bytes()
        if any(known.inode == entry.stat().st_ino and known.offset == 0 for known in position.older):
            self.optional |= {line for line in text.split(b"\n") if line}
        packed = entry.with_name(entry.name + suffix)
        packed.write_bytes(PACKERS[suffix](text))
        os.utime(packed, ns=(entry.stat().st_atime_ns, entry.stat().st_mtime_ns))
        entry.unlink()

    # What the engine does.

    @precondition(lambda self: self.file is None)
    @rule()
    def start(self) -> None:
        self.file = LogFile(str(self.path), self.opener, memory_seconds=3600)
        self.file.start(self.now, Position.from_text(self.saved) if self.saved else None)

    @precondition(lambda self: self.file is not None)
    @rule()
    def stop(self) -> None:
        assert self.file is not None
        position = self.file.position
        self.saved = position.to_text() if position else None
        self.file.close()
        self.file = None
        for stretch in self.stretches:
            stretch.optional |= not stretch.listed

    @precondition(lambda self: self.file is not None)
    @rule()
    def notice(self) -> None:
        if self.file is not None:
            self.file.reopen(self.now)
            self.read()

    @precondition(lambda self: self.file is not None)
    @rule(bytes_max=st.sampled_from([1, 64, 8 << 20]))
    def read(self, bytes_max: int = 8 << 20) -> None:
        if self.file is None:
            return
        for block in self.file.read(self.now, bytes_max):
            assert block.data.endswith(b"\n")
            assert any(stretch.written[block.position :].startswith(block.data[:-1]) for stretch in self.stretches), (
                block
            )
            if block.kind != "memory":
                self.given.update(block.data[:-1].split(b"\n"))
        if self.is_open():
            self.traceable = True
            self.rotations *= self.file.waiting or len(self.file._tails) > 1

    @precondition(lambda self: self.file is not None)
    @rule()
    def wait(self) -> None:
        """Time goes by; whoever wrote late does not any more."""
        self.hush()
        self.notice()
        for _ in range(2):
            self.now += DRAIN_SECONDS + 1
            self.read()

    # What is known of the engine.

    def position(self) -> Position | None:
        if self.file is not None:
            return self.file.position
        return Position.from_text(self.saved) if self.saved else None

    def is_open(self) -> bool:
        """Whether the engine has the current file."""
        return self.file is not None and self.current_inode() in {tail.inode for tail in self.file._tails}

    def current_inode(self) -> int:
        return self.path.stat().st_ino if self.path.exists() else 0

    def has_read_of_current(self) -> bool:
        position = self.position()
        assert position is not None
        return not self.stretches[-1].written or any(
            known.inode == self.current_inode() and known.offset > 0 for known in (position, *position.older)
        )

    def teardown(self) -> None:
        try:
            if self.stretches:
                if self.file is None:
                    self.start()
                self.wait()
                self.check()
        finally:
            self.hush()
            if self.file is not None:
                self.file.close()
            shutil.rmtree(self.directory)

    def check(self) -> None:
        required = {line for stretch in self.stretches if not stretch.optional for line in stretch.lines()}
        required -= self.optional
        assert required - set(self.given) == set(), "lost"
        assert {line: count for line, count in self.given.items() if count > 1} == {}, "twice"


LogLife.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLogLife = LogLife.TestCase
