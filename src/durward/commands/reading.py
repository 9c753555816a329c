"""How scan and replay read log files: plain or compressed, or standard input, in blocks of whole lines."""

import bz2
import gzip
import lzma
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from durward.commands.verb import Exit, fail
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

BLOCK_BYTES = 256 * 1024
LINE_BYTES_MAX = 64 * 1024  # of a longer line only the beginning is looked at
OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, slots=True)
class Found:
    """An event and the number of its line, counted from 1."""

    file: str
    line: int
    event: Event


def read_events(files: tuple[str, ...], scanner: Scanner, services: frozenset[str] | None) -> Iterator[Found]:
    """The events of each file in turn, each as if the file had been followed while it was written.

    A stamp without a year belongs to the last year before the file was changed; one without a zone to this host's.
    """
    for file in files:
        with ExitStack() as stack:
            stream, written_at = _open(file, stack)
            calendar = Calendar(written_at, time.localtime(written_at).tm_gmtoff)
            yield from _events(file, stream, scanner, calendar, services)


def _events(
    file: str, stream: BinaryIO, scanner: Scanner, calendar: Calendar, services: frozenset[str] | None
) -> Iterator[Found]:
    sessions = Sessions()
    position, line = 0, 1
    for block, begins in _blocks(file, stream):
        events: list[Event] = []
        if begins:
            events = scanner.events(
                block,
                source=f"file:{file}",
                position=position,
                observed_at=calendar.reference,
                calendar=calendar,
                services=services,
            )
        counted = 0
        for event in sessions.settle(events):
            start = cast("int", event.position) - position
            line += block.count(b"\n", counted, start)
            counted = start
            yield Found(file, line, event._replace(observed_at=event.at))
        line += block.count(b"\n", counted)
        position += len(block)


def _blocks(file: str, stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Blocks, and whether a line begins where the block does: what is left of a line that is far too long is none."""
    rest, begins = b"", True
    try:
        while chunk := stream.read(BLOCK_BYTES):
            block = rest + chunk
            end = (block.rfind(b"\n") if begins else block.find(b"\n")) + 1
            if end == 0 and begins and len(block) < LINE_BYTES_MAX:
                rest = block
                continue
            yield block[: end or None], begins
            rest, begins = (block[end:], True) if end else (b"", False)
    except BROKEN as error:
        fail(Exit.WRONG, f"{file}: {error}")
    if rest:
        yield rest, begins


def _open(file: str, stack: ExitStack) -> tuple[BinaryIO, float]:
    if file == "-":
        return sys.stdin.buffer, time.time()
    path = Path(file)
    try:
        written_at = path.stat().st_mtime
        stream = OPENERS.get(path.suffix, _plain)(path)
    except OSError as error:
        fail(Exit.WRONG, f"{file}: {error.strerror}")
    return stack.enter_context(stream), written_at


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")
