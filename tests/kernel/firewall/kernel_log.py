"""The real kernel log, and the switch that lets rules in network namespaces write to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ALL_NAMESPACES = Path("/proc/sys/net/netfilter/nf_log_all_netns")
LOG = Path("/dev/kmsg")
RECORD_BYTES_MAX = 8192


class Line(NamedTuple):
    """One record: who wrote it (0 is the kernel), how grave it is (4 is a warning), and its text."""

    facility: int
    level: int
    text: str


class KernelLog:
    """What is written while the context is."""

    def __init__(self) -> None:
        self._file = os.open(LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._file, 0, os.SEEK_END)

    def close(self) -> None:
        os.close(self._file)

    def lines(self, beginning: str) -> list[Line]:
        """The lines since the last call whose text begins so."""
        return [line for line in self._all() if line.text.startswith(beginning)]

    def _all(self) -> Iterator[Line]:
        with suppress(BlockingIOError):
            while True:
                with suppress(BrokenPipeError):  # what was overwritten before it was read
                    head, _, text = os.read(self._file, RECORD_BYTES_MAX).decode(errors="replace").partition(";")
                    priority = int(head.split(",")[0])
                    yield Line(priority >> 3, priority & 7, text.splitlines()[0])


@contextmanager
def kernel_log() -> Iterator[KernelLog]:
    """Rules of all network namespaces write to the kernel log; afterwards it is as it was."""
    before = ALL_NAMESPACES.read_text(encoding="ascii")
    log = KernelLog()
    ALL_NAMESPACES.write_text("1", encoding="ascii")
    try:
        yield log
    finally:
        ALL_NAMESPACES.write_text(before, encoding="ascii")
        log.close()
