"""What durward costs while nothing happens: memory, idle CPU, and how long the verbs that people type take.

    PYTHONPATH=. .venv/bin/python -m bench.footprint [--idle-seconds 60] [--decisions 500000] [--runs 20]

Memory is the proportional set size: a page that several processes share counts in parts. The verbs are clocked as
whole commands, the start of Python included, with so many decisions in the database.
"""

import argparse
import statistics
import subprocess
import sys
import time

from arena.errors import require_programs
from bench.fill import fill, subject_of
from bench.lines import failures
from bench.measure import await_quiet, cpu_seconds, milliseconds, pss_kib, table, verdict
from bench.stage import DURWARD, Stage

MEMORY_MIB_MAX = 45.0
IDLE_SHARE_MAX = 0.001  # of one processor
VERB_SECONDS_MAX = 0.150
SETTLE_SECONDS = 5.0
LIVE = 1_000  # of the decisions still stand
PROTECTORS = ("enforcer", "engine")

Row = tuple[str, ...]


def idle(seconds: float) -> list[Row]:
    """Memory after the start and a first block, and CPU while nothing happens."""
    with Stage() as stage:
        stage.start()
        stage.warm_up("203.0.113.1")
        time.sleep(SETTLE_SECONDS)
        pids = stage.processes()
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        shares = {name: (cpu_seconds(pid) - before[name]) / seconds for name, pid in pids.items()}
        sizes = {name: pss_kib(pid) / 1024 for name, pid in pids.items()}
    rows = [_row(name, sizes[name], shares[name]) for name in (*PROTECTORS, "supervisor")]
    size, share = (sum(values[name] for name in PROTECTORS) for values in (sizes, shares))
    met = f"{verdict(size, MEMORY_MIB_MAX)}, {verdict(share, IDLE_SHARE_MAX)}"
    return [*rows, (*_row("enforcer + engine", size, share)[:-1], met)]


def _row(name: str, size_mib: float, share: float) -> Row:
    return (name, f"{size_mib:.1f}", f"{share:.3%}", "")


def verbs(count: int, runs: int) -> list[Row]:
    """How long verbs take with so many decisions, beside what Python alone takes."""
    with Stage() as stage:
        fill(stage.database, count, min(LIVE, count))
        stage.start()
        stage.append(failures("203.0.113.1", 5))
        time.sleep(SETTLE_SECONDS)
        blocked, ended = subject_of(count - 1), subject_of(0)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "durward --version": [DURWARD, "--version"],
            f"durward why {blocked} (blocked)": [DURWARD, "why", blocked],
            f"durward why {ended} (was blocked)": [DURWARD, "why", ended],
            "durward why 192.0.2.77 (never seen)": [DURWARD, "why", "192.0.2.77"],
            "durward status": [DURWARD, "status"],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):  # in turn, so that a noisy moment hits all of them
            for name, words in commands.items():
                began = time.monotonic()
                subprocess.run(words, env=stage.environment, stdout=subprocess.DEVNULL, check=False)
                taken[name].append(time.monotonic() - began)
        asked = _asked(stage, blocked, runs)
    rows = [_times(name, seconds, is_verb=DURWARD in commands[name][:1]) for name, seconds in taken.items()]
    return [*rows, _times("of it, the engine's answer to why", asked, is_verb=False)]


def _asked(stage: Stage, address: str, runs: int) -> list[float]:
    """The same question without a command."""
    taken = []
    for _ in range(runs):
        began = time.monotonic()
        stage.ask("why", subject=address)
        taken.append(time.monotonic() - began)
    return taken


def _times(name: str, seconds: list[float], *, is_verb: bool) -> Row:
    median = statistics.median(seconds)
    met = verdict(median, VERB_SECONDS_MAX) if is_verb else ""
    return (name, milliseconds(median), milliseconds(max(seconds)), met)


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--decisions", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    require_programs(["ip", "nft"])
    await_quiet()
    target = f"{MEMORY_MIB_MAX:.0f} MiB, {IDLE_SHARE_MAX:.1%}"
    rows = [("", "PSS MiB", "CPU of one core", target), *idle(arguments.idle_seconds)]
    print(table(f"While nothing happens, for {arguments.idle_seconds:.0f} s", rows), flush=True)
    head = ("", "median ms", "max ms", f"{VERB_SECONDS_MAX * 1000:.0f} ms")
    rows = [head, *verbs(arguments.decisions, arguments.runs)]
    print(table(f"Whole commands with {arguments.decisions:,} decisions stored, {arguments.runs} runs", rows))


if __name__ == "__main__":
    main()
