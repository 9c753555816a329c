"""Floods: how fast each source grows, and who writes most of it, for when it cannot be read as fast as that."""

from collections import Counter
from dataclasses import dataclass

from durward.scan.envelope import program_of, shape_of

SPAN_SECONDS = 60.0
SAMPLE_BYTES_MAX = 32 * 1024  # of the last large block are kept, to see who writes
LARGE_BYTES = 64 * 1024  # a smaller block is no sign of a flood
SOURCES_MAX = 10_000  # more are not measured


@dataclass(slots=True)
class Growth:
    """What one source gave since `since` (epoch seconds), and in the span before."""

    since: float
    lines: int = 0
    size_bytes: int = 0
    before_lines: int = 0
    before_bytes: int = 0
    sample: bytes = b""


class Floods:
    """The growth of all sources."""

    def __init__(self) -> None:
        self._growth: dict[str, Growth] = {}

    def hear(self, source: str, data: bytes, lines: int, now: float) -> None:
        """Count a block."""
        growth = self._growth.get(source)
        if growth is None:
            if len(self._growth) >= SOURCES_MAX:
                return
            growth = self._growth[source] = Growth(now)
        if not 0 <= now - growth.since < SPAN_SECONDS:
            growth.before_lines, growth.before_bytes = growth.lines, growth.size_bytes
            growth.since, growth.lines, growth.size_bytes = now, 0, 0
        growth.lines += lines
        growth.size_bytes += len(data)
        if len(data) >= LARGE_BYTES:
            growth.sample = data[-SAMPLE_BYTES_MAX:]

    def told(self, source: str) -> str:
        """How much was read within a minute or two, and of whom most of it is; "" where nothing was."""
        growth = self._growth.get(source)
        if growth is None or not growth.lines + growth.before_lines:
            return ""
        lines, size = max((growth.lines, growth.size_bytes), (growth.before_lines, growth.before_bytes))
        return f"{lines:,} lines ({size / 1e6:,.1f} MB) were read in a minute{_writer(growth.sample)}"


def _writer(sample: bytes) -> str:
    lines = sample.splitlines()[1:]
    programs = Counter(filter(None, (program_of(line, shape_of(line)) for line in lines)))
    if not programs:
        return ""
    (program, count), *_ = programs.most_common(1)
    return f", {count / len(lines):.0%} of them of {program.decode('ascii', 'backslashreplace')}"
