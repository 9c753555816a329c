"""When much happens at once: ten thousand attackers in one burst, and a restart while a hundred thousand are blocked.

    PYTHONPATH=. .venv/bin/python -m bench.storm [--attackers 10000] [--blocks 100000] [--restarts 3]

Burst: all attackers have failed four times; then each writes its fifth line, all in one write(). Clocked until the
kernel has the last one, and until `status` counts every block in the database. Restart: from the start of `durward run`
until `status` says that it protects (from then on lines are read and new attackers blocked), and until all blocks have
been compared with the kernel's, which goes on between lines. Some of the blocked send packets all the time, also while
nothing of durward runs; none may pass.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from arena.errors import ArenaError, require_programs
from arena.namespace import inside
from bench.fill import fill, subject_of
from bench.lines import failures
from bench.measure import await_quiet, cpu_seconds, table, verdict
from bench.stage import Stage

from durward.privileged.sets import Sets
from durward.ruleset.elements import ElementKey

FIRST = int(IPv4Address("10.2.0.0"))
THRESHOLD = 5
BURST_SECONDS_MAX, RESTART_SECONDS_MAX = 1.0, 2.0
BLOCK_LINES = 1000  # of the first four failures in one write()
LOOK_SECONDS = 0.005
GIVE_UP_SECONDS = 60.0
WATCHED = 20  # blocked addresses that send packets during the restarts
SET = "block4_32"

Row = tuple[str, ...]


def burst(count: int) -> list[Row]:
    """So many attackers at once. Gives rows of the table."""
    addresses = [str(IPv4Address(FIRST + number)) for number in range(count)]
    with Stage() as stage:
        stage.start()
        stage.warm_up("10.1.0.0")
        for start in range(0, count, BLOCK_LINES):
            stage.append(b"".join(failures(one, THRESHOLD - 1) for one in addresses[start : start + BLOCK_LINES]))
        stage.await_lines(THRESHOLD + count * (THRESHOLD - 1))
        time.sleep(1.0)
        fifth = b"".join(failures(one, 1, first_pid=2000) for one in addresses)
        pids = stage.processes()
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        began = time.monotonic()
        stage.append(fifth)
        enforced = _enforced(stage, addresses) - began
        stored = _stored(stage, count + 1) - began
        _require_all(stage, addresses)
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    what = f"{count:,} attackers at once"
    return [
        (what, "enforced", f"{enforced:.2f}", verdict(enforced, BURST_SECONDS_MAX)),
        (what, "stored and answered for", f"{stored:.2f}", verdict(stored, BURST_SECONDS_MAX)),
        *((what, f"CPU of the {name}", f"{spent[name]:.2f}", "") for name in ("engine", "enforcer")),
    ]


def _enforced(stage: Stage, addresses: list[str]) -> float:
    """Wait until the kernel has the first, the middle and the last attacker; give when that was. Raises ArenaError.

    Blocks go into the kernel in the order of the lines. All are asked for when the clock stands: that is slow.
    """
    keys = _keys([addresses[0], addresses[len(addresses) // 2], addresses[-1]])
    deadline = time.monotonic() + GIVE_UP_SECONDS
    with inside(stage.network.door, Sets) as sets:
        while None in sets.read(keys):
            if time.monotonic() > deadline:
                raise ArenaError(f"the last of {len(addresses)} attackers is not blocked after {GIVE_UP_SECONDS} s")
            time.sleep(LOOK_SECONDS)
    return time.monotonic()


def _require_all(stage: Stage, addresses: list[str]) -> None:
    """Raise ArenaError unless the kernel has every attacker."""
    with inside(stage.network.door, Sets) as sets:
        missing = sets.read(_keys(addresses)).count(None)
    if missing:
        raise ArenaError(f"{missing} of {len(addresses)} attackers were not blocked")


def _keys(addresses: list[str]) -> list[ElementKey]:
    return [ElementKey(SET, IPv4Address(address).packed) for address in addresses]


def _stored(stage: Stage, count: int) -> float:
    """Wait until the engine's database stands at so many blocks; it answers between two commits."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while (blocks := stage.ask("status")["blocks"]) < count:
        if time.monotonic() > deadline:
            raise ArenaError(f"{blocks} of {count} blocks were stored after {GIVE_UP_SECONDS} s")
        time.sleep(LOOK_SECONDS)
    return time.monotonic()


class Starts:
    """Starts durward with so many blocks, and notes what each start took."""

    def __init__(self, stage: Stage, blocks: int) -> None:
        self._stage, self._blocks = stage, blocks
        self._seconds: dict[str, list[float]] = {}
        self._spent: dict[str, list[float]] = {}

    def start(self, when: str) -> None:
        """Start it once. Raises ArenaError where fewer blocks stand than before."""
        protects = self._stage.start()
        began = time.monotonic()
        self._await_compared()
        self._seconds.setdefault(when, []).append(protects)
        self._seconds.setdefault(f"{when}, all compared", []).append(protects + time.monotonic() - began)
        for name, pid in self._stage.processes().items():
            self._spent.setdefault(name, []).append(cpu_seconds(pid))
        if (found := self._stage.ask("status")["blocks"]) != self._blocks:
            raise ArenaError(f"{found} of {self._blocks} blocks stand after a start")

    def _await_compared(self) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while any("compared" in said for said in self._stage.ask("status")["degraded"]):
            if time.monotonic() > deadline:
                raise ArenaError(f"the kernel was not compared with the database within {GIVE_UP_SECONDS} s")
            time.sleep(LOOK_SECONDS * 10)

    def rows(self) -> list[Row]:
        """The medians: until it protects, and the CPU of each process by then, in all starts."""
        what = f"start with {self._blocks:,} blocks"
        medians = {when: statistics.median(seconds) for when, seconds in self._seconds.items()}
        rows = [
            (what, when, f"{taken:.2f}", "" if when.endswith("compared") else verdict(taken, RESTART_SECONDS_MAX))
            for when, taken in medians.items()
        ]
        spent = {name: statistics.median(self._spent[name]) for name in ("engine", "enforcer")}
        return [*rows, *((what, f"CPU of the {name}", f"{seconds:.2f}", "") for name, seconds in spent.items())]


def restarts(blocks: int, count: int) -> list[Row]:
    """Start with so many blocks in the database, and again after a crash and after a clean stop. Gives rows."""
    with Stage() as stage:
        fill(stage.database, blocks, blocks)
        starts = Starts(stage, blocks)
        starts.start("the kernel knew none")
        with _watching(stage, [subject_of(number * (blocks // WATCHED)) for number in range(WATCHED)]) as passed:
            for _ in range(count):
                stage.kill()
                starts.start("after kill -9")
                stage.stop()
                starts.start("after a clean stop")
        stage.stop()
    sent, accepted = passed
    return [*starts.rows(), (f"{sent:,} packets of the blocked", "accepted", f"{accepted}", verdict(accepted, 0))]


@contextmanager
def _watching(stage: Stage, addresses: list[str]) -> Iterator[list[int]]:
    """Send packets from blocked addresses meanwhile. The list has packets sent and passed, when it is over."""
    words = [sys.executable, "-m", "bench.stream", stage.network.street, stage.network.door]
    counted: list[int] = []
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stream:
        assert stream.stdin is not None, "started with a pipe"
        stream.stdin.write(f"600 {' '.join(addresses)}\n")
        stream.stdin.flush()
        time.sleep(0.5)
        yield counted
        said, _ = stream.communicate("\n")
    counted += map(int, said.split())


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--attackers", type=int, default=10_000)
    parser.add_argument("--blocks", type=int, default=100_000)
    parser.add_argument("--restarts", type=int, default=3)
    arguments = parser.parse_args()
    require_programs(["ip", "nft"])
    await_quiet()
    rows: list[Row] = [("", "until", "seconds", f"target {BURST_SECONDS_MAX:.0f} s / {RESTART_SECONDS_MAX:.0f} s")]
    rows += burst(arguments.attackers)
    rows += restarts(arguments.blocks, arguments.restarts)
    print(table("Storms: medians", rows))


if __name__ == "__main__":
    main()
