"""What a block costs: from the decision to the kernel that drops, by us and by the usual command, side by side.

    sudo .venv/bin/python bench/blocks.py [--rounds 5] [--large 1000000]

In network namespaces of its own; nothing of the host is touched. Our figure begins with a standing in memory and ends
when the kernel has acknowledged the element: then packets see it. The command is what block daemons start for each
address: a shell that starts nft. Both do their turns in the same rounds.
"""

import argparse
import ctypes
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from durward.model import EVERYTHING, Standing, Subject
from durward.privileged.loading import load, run_nft, unload
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element, elements_of
from durward.ruleset.skeleton import skeleton

CLONE_NEWNET = 0x40000000
OURS_PER_ROUND, THEIRS_PER_ROUND = 400, 12
STORM = 10_000
FLOOD_SECONDS_MAX = 300  # after which the sender gives up, whatever happened to us
FLOODER, FLOODED = "192.0.2.2", "192.0.2.1"
HARDWARE = "02:00:00:00:00:01"
NOBODY = "198.51.100.1"  # blocked already: the flood is dropped where blocked packets are

Turn = Callable[[int], None]


def isolate() -> None:
    """Go into a network namespace of our own; it ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise SystemExit(f"needs root for a network namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def address(number: int) -> str:
    """A different address for each number."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def ours(sets: Sets, numbers: range) -> Turn:
    """Our way: a standing becomes an element, and a message of our own takes it to the kernel."""
    until = time.time() + 3600
    standings = {
        number: Standing("block", Subject("address", address(number)), EVERYTHING, until, number) for number in numbers
    }

    def block(number: int) -> None:
        sets.add(elements_of(standings[number], time.time()))

    return block


def theirs(number: int) -> None:
    """The usual way: a shell, and nft in it."""
    element = f"{{ {address(number)} timeout 1h }}"
    command = ["sh", "-c", f"nft add element inet durward block4_32 '{element}'"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def turns(turn: Turn, first: int, count: int) -> list[float]:
    """How many seconds each of `count` turns took."""
    taken = []
    for number in range(first, first + count):
        began = time.perf_counter()
        turn(number)
        taken.append(time.perf_counter() - began)
    return taken


def compare(title: str, sets: Sets, rounds: int, start: int) -> None:
    """Take turns, and print a line for each way."""
    mine: list[float] = []
    others: list[float] = []
    for number in range(rounds):
        first = start + number * 2 * OURS_PER_ROUND
        mine += turns(ours(sets, range(first, first + OURS_PER_ROUND)), first, OURS_PER_ROUND)
        others += turns(theirs, first + OURS_PER_ROUND, THEIRS_PER_ROUND)
    for name, taken in (("durward", mine), ('sh -c "nft add element"', others)):
        ratio = statistics.median(taken) / statistics.median(mine)
        print(f"{title:34} {name:24} {half(taken):>12} {most(taken):>12} {ratio:9.0f}x")
        title = ""


def half(taken: list[float]) -> str:
    """The median, in microseconds."""
    return f"{statistics.median(taken) * 1e6:,.1f} us"


def most(taken: list[float]) -> str:
    """What 95 in 100 stay below, in microseconds."""
    return f"{sorted(taken)[len(taken) * 95 // 100] * 1e6:,.1f} us"


def storm(sets: Sets) -> None:
    """Ten thousand at once: by us, and by one nft that reads them all from a file."""
    numbers = range(0xF00000, 0xF00000 + STORM)
    elements = [
        Element("block4_32", (0x0A000000 + number).to_bytes(4), 3600, f"decision {number}") for number in numbers
    ]
    listed = ",".join(f'{address(number + STORM)} timeout 1h comment "decision {number}"' for number in numbers)
    text = f"add element inet durward block4_32 {{ {listed} }}\n"
    steps: list[tuple[str, Callable[[], object]]] = [
        ("added in one go", lambda: sets.add(elements)),
        ("read back by key", lambda: sets.read([element.identity for element in elements])),
        ("added again, with other ends", lambda: sets.add(elements)),
        ("removed", lambda: sets.remove([element.identity for element in elements])),
        ("one nft -f for all", lambda: run_nft(text)),
    ]
    for name, step in steps:
        began = time.perf_counter()
        step()
        taken = time.perf_counter() - began
        print(f"{f'{STORM:,} {name}':59} {taken * 1e3:>9,.1f} ms {taken / STORM * 1e6:>9.2f} us each")


@contextmanager
def flood() -> Iterator[Callable[[], float]]:
    """Another namespace floods this one with packets of a blocked source; gives how many a second there have been."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    subprocess.run(
        ["ip", "link", "add", "outer", "address", HARDWARE, "type", "veth", "peer", "name", "near"], check=True
    )
    ready, told = os.pipe()
    begin, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        flooder(told, begin)
        os._exit(0)
    try:
        os.read(ready, 1)
        subprocess.run(["ip", "link", "set", "near", "netns", str(child)], check=True)
        subprocess.run(["ip", "addr", "add", f"{FLOODED}/24", "dev", "outer"], check=True)
        subprocess.run(["ip", "link", "set", "outer", "up"], check=True)
        os.write(go, b"x")
        os.read(ready, 1)
        began, before = time.perf_counter(), received()
        yield lambda: (received() - before) / (time.perf_counter() - began)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for descriptor in (home, ready, told, begin, go):
            os.close(descriptor)


def flooder(told: int, begin: int) -> None:
    """The other end: sends from one blocked source as fast as one process can."""
    isolate()
    os.write(told, b"x")
    os.read(begin, 1)
    for command in (
        "link set near up",
        f"addr add {FLOODER}/24 dev near",
        f"addr add {NOBODY}/32 dev lo",
        f"neigh replace {FLOODED} lladdr {HARDWARE} dev near nud permanent",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((NOBODY, 5000))
        sending.connect((FLOODED, 5000))
        os.write(told, b"x")
        end = time.monotonic() + FLOOD_SECONDS_MAX
        while time.monotonic() < end:
            for _ in range(500):
                sending.send(b"x")


def received() -> int:
    """Packets that came over the cable."""
    for line in Path("/proc/self/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "outer":
            return int(numbers.split()[1])
    return 0


def large_set(sets: Sets, count: int) -> None:
    """A plain hash set as large as a block list, in the same table."""
    run_nft(f"add set inet durward listed {{ type ipv4_addr; size {count * 5 // 4}; }}\n")
    for first in range(0, count, STORM):
        sets.add(Element("listed", (0xAC000000 + number).to_bytes(4), 0, "") for number in range(first, first + STORM))


def main() -> None:
    """Measure, and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--large", type=int, default=1_000_000)
    options = arguments.parse_args()
    isolate()
    load(skeleton())
    with Sets() as sets:
        print(f"{'one block, decision to kernel':34} {'way':24} {'p50':>12} {'p95':>12} {'ratio':>10}")
        compare("nothing else going on", sets, options.rounds, 1)
        sets.add([Element("block4_32", socket.inet_aton(NOBODY), 0, "decision 1")])
        with flood() as rate:
            compare("under a flood", sets, options.rounds, 1 << 18)
            per_second = rate()
        dropped = sets.read([Element("block4_32", socket.inet_aton(NOBODY), 0, "").identity])[0]
        print(f"{'':34} ({per_second:,.0f} packets a second; {dropped.packets if dropped else 0:,} dropped)")
        large_set(sets, options.large)
        compare(f"beside a set of {options.large:,}", sets, options.rounds, 1 << 19)
        storm(sets)
    unload()


if __name__ == "__main__":
    main()
