"""What the benches share: CPU and memory of a process, percentiles, small tables, and whether the machine is quiet."""

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

NANOSECONDS = 1e9
BUSY_SHARE_MAX = 0.25  # of all processors, by others, before a bench begins
QUIET_SECONDS_MAX = 60.0  # how long a quieter moment is waited for
LOOK_SECONDS = 2.0


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have run so far: the scheduler's own count, finer than the ticks of `stat`.

    Raises OSError where the process has ended.
    """
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / NANOSECONDS


def pss_kib(pid: int) -> int:
    """The memory of a process (KiB), a page that several share divided among them. Raises OSError, KeyError."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return int(dict(line.split(":", 1) for line in lines)["Pss"].split()[0])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; not a number where there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of which is the heading, as columns: the first one to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join(["", title, *(f"  {line.rstrip()}" for line in lines)])


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds with as many digits as mean something; nothing where there is no number."""
    if math.isnan(seconds):
        return ""
    shown = seconds * 1000
    return f"{shown:,.2f}" if shown < 10 else f"{shown:,.1f}" if shown < 100 else f"{shown:,.0f}"


def verdict(value: float, target: float) -> str:
    """Whether a target was met."""
    return "met" if value <= target else "MISSED"


def await_quiet() -> None:
    """Wait a while until others leave most of the processors alone; say how busy it is when measuring begins."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while (share := _busy_share()) > BUSY_SHARE_MAX and time.monotonic() < deadline:
        pass
    warning = "; WARNING: figures are of a busy machine" if share > BUSY_SHARE_MAX else ""
    print(f"others use {share:.0%} of {os.cpu_count()} processors{warning}", flush=True)


def _busy_share() -> float:
    """How much of all processors is in use during the next LOOK_SECONDS."""
    idle, total = _ticks()
    time.sleep(LOOK_SECONDS)
    idle_later, total_later = _ticks()
    return 1 - (idle_later - idle) / max(1, total_later - total)


def _ticks() -> tuple[int, int]:
    """Ticks of all processors since the start: idle ones (with waiting for disks), and all."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
