"""What a merged list costs: a million networks from text to the kernel, beside nft, and the blocks that wait meanwhile.

    sudo .venv/bin/python -m bench.lists [--networks 1000000] [--beside 200000]

In a network namespace of its own; nothing of the host is touched. Each way runs in a process of its own and reads the
same text; its time includes the start of Python. The processes beside it block single addresses one after the other,
as the enforcer does, and say how long each took. nft gets a shorter list, because its time grows faster than the list.
"""

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.blocks import isolate
from bench.measure import await_quiet, milliseconds, percentile, table, verdict

from durward.privileged.loading import run_nft
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element
from durward.ruleset.skeleton import skeleton

LENGTHS, SHARES = (32, 24, 22, 20, 16, 28), (40, 40, 8, 4, 1, 7)  # of a usual mixture of feeds and countries
ROUNDS = 3
WALL_SHARE_MAX, MEBIBYTES_MAX, WAITING_SECONDS_MAX = 0.4, 60.0, 0.010
PAUSE_SECONDS = 0.002
CHANGED_SHARE = 250  # one network in so many is another one the next day


def networks(count: int, day: int = 0) -> Iterator[str]:
    """Different networks, the same ones each time; on another day a few are others."""
    source, other = random.Random(11), random.Random(day)
    for number in range(count):
        length = source.choices(LENGTHS, SHARES)[0]
        value = source.randrange(1 << 24, 224 << 24)
        if day and not number % CHANGED_SHARE:
            value = other.randrange(1 << 24, 224 << 24)
        value = value >> (32 - length) << (32 - length)
        yield f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}/{length}\n"


def ours(path: Path) -> None:
    """Our way: streamed from the file."""
    from durward.privileged.merged import MergedSets, Refused, reading
    from durward.ruleset.merged import MergedList
    from durward.ruleset.prefixes import Prefixes

    prefixes, refused = Prefixes(), Refused()
    with path.open() as texts, MergedSets() as sets:
        for _ in reading(texts, prefixes, refused):
            pass
        filling = prefixes.filling(1)
        for _ in sets.fill("bench", filling, prefixes):
            pass
        sets.swap(MergedList("bench", "deny"), filling, ["a"])


def refreshed(old_path: Path, new_path: Path) -> None:
    """Our way the next day: both texts are read, and what is different is changed in place."""
    from durward.privileged.merged import MergedSets, Refused, reading
    from durward.ruleset.prefixes import Prefixes

    lists = []
    for path in (old_path, new_path):
        lists.append(Prefixes())
        with path.open() as texts:
            for _ in reading(texts, lists[-1], Refused()):
                pass
    old, new = lists
    with MergedSets() as sets:
        began = time.perf_counter()
        count = sets.change("bench", old.filling(1), old, new)
        print(f"  {count:,} elements changed in {milliseconds(time.perf_counter() - began)} ms, reading not counted")


def measured(words: list[str]) -> tuple[float, float, float]:
    """Run a program: seconds, seconds of CPU, peak of memory in MiB."""
    began = time.perf_counter()
    child = subprocess.Popen(words)
    _, status, used = os.wait4(child.pid, 0)
    taken = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{words[:3]} ended with {child.returncode}")
    return taken, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def blocking(stop: "multiprocessing.synchronize.Event", told: "multiprocessing.connection.Connection") -> None:
    """Block one address after the other; tell how long each took."""
    taken = []
    with Sets() as sets:
        number = 0
        while not stop.is_set():
            element = Element("block4_32", (0x0A000000 + number).to_bytes(4), 3600, "decision 1")
            began = time.perf_counter()
            sets.add([element])
            taken.append(time.perf_counter() - began)
            number += 1
            time.sleep(PAUSE_SECONDS)
    told.send(taken)


def waiting(words: list[str]) -> tuple[tuple[float, float, float], list[float]]:
    """Run a program while single addresses are blocked."""
    stop = multiprocessing.Event()
    heard, told = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=blocking, args=(stop, told))
    process.start()
    try:
        used = measured(words)
    finally:
        stop.set()
    taken = heard.recv()
    process.join()
    return used, taken


def fresh() -> None:
    """A table with nothing in it but what the list needs."""
    run_nft(f"table inet durward\ndelete table inet durward\n{skeleton()}")
    run_nft("table inet durward {\n\tchain listed_bench_a { }\n}\n")


def write(path: Path, count: int, day: int = 0) -> None:
    """A list as it is downloaded."""
    with path.open("w") as file:
        file.writelines(networks(count, day))


def write_rules(path: Path, count: int) -> None:
    """The same list as nft wants it: one set of intervals."""
    texts = ",".join(text.strip() for text in networks(count))
    path.write_text(
        "table inet bench {\n\tset listed { type ipv4_addr; flags interval; auto-merge;\n"
        f"\t\telements = {{ {texts} }}\n\t}}\n\tchain listed {{ ip saddr @listed drop\n\t}}\n}}\n"
    )


def beside(folder: Path, count: int) -> list[tuple[str, ...]]:
    """Ours and nft with the same list, in turns; the best round of each."""
    write(folder / "texts", count)
    write_rules(folder / "rules", count)
    program = [sys.executable, "-m", "bench.lists"]
    mine, others = [], []
    for _ in range(ROUNDS):
        fresh()
        mine.append(measured([*program, "--ours", str(folder / "texts")]))
        others.append(measured(["nft", "-f", str(folder / "rules")]))
        run_nft("delete table inet bench\n")
    share = min(mine)[0] / min(others)[0]
    what = f"{count:,} networks"
    return [
        row(what, "durward", min(mine), verdict(share, WALL_SHARE_MAX) + f", {share:.2f} of nft"),
        row(what, "nft -f", min(others), ""),
    ]


def row(what: str, way: str, used: tuple[float, float, float], judged: str) -> tuple[str, ...]:
    """One line of the table."""
    return what, way, f"{used[0]:.2f}", f"{used[1]:.2f}", f"{used[2]:.0f}", judged


def large(folder: Path, count: int) -> list[tuple[str, ...]]:
    """The large list by our way, with and without single blocks at the same time."""
    write(folder / "large", count)
    write(folder / "next", count, day=1)
    words = [sys.executable, "-m", "bench.lists", "--ours", str(folder / "large")]
    rows = []
    fresh()
    used = measured(words)
    rows.append(row(f"{count:,} networks", "durward", used, verdict(used[2], MEBIBYTES_MAX) + " memory"))
    fresh()
    used, taken = waiting(words)
    rows.append(row("", "with blocks beside", used, ""))
    worst = max(taken)
    shown = (
        f"{len(taken):,}; p50 {milliseconds(percentile(taken, 0.5))}, p99 {milliseconds(percentile(taken, 0.99))} ms"
    )
    rows.append(
        ("single blocks", shown, milliseconds(worst), "", "", verdict(worst, WAITING_SECONDS_MAX) + " (worst, ms)")
    )
    used = measured([*words[:3], "--refreshed", str(folder / "large"), str(folder / "next")])
    rows.append(row("the next day", "durward", used, ""))
    return rows


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=1_000_000)
    parser.add_argument("--beside", type=int, default=200_000)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--refreshed", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        ours(options.ours)
    elif options.refreshed:
        refreshed(*options.refreshed)
    else:
        isolate()
        await_quiet()
        heading = [("", "way", "seconds", "CPU", "MiB", "")]
        with tempfile.TemporaryDirectory() as folder:
            rows = [*beside(Path(folder), options.beside), *large(Path(folder), options.networks)]
        print(table("Lists, from text to the kernel", [*heading, *rows]))


if __name__ == "__main__":
    main()
