"""What one pass over the connections of a busy host costs: real sockets in a network namespace, counted as live.

The sockets are made by TCP_REPAIR, so they have no other ends that would cost memory and be counted too. Run as root:
`PYTHONPATH=. .venv/bin/python -m bench.connections [--connections 100000] [--passes 20]`.
"""

import argparse
import ctypes
import os
import resource
import socket
import subprocess
import time
from collections.abc import Callable

from bench.measure import await_quiet, milliseconds, percentile, table, verdict

from durward.daemons.connections import Limits, crowds_of
from durward.privileged.flows import ConnectionTables
from durward.sources import sockets
from durward.sources.sockets import Counts, Sockets, Wanted

CLONE_NEWNET = 0x40000000
TCP_REPAIR, REPAIR_ON, REPAIR_OFF = 19, 1, -1
OWN, FIRST_PORT, PORTS = (
    "192.0.2.1",
    10_000,
    500,
)  # few sockets at each port: the kernel looks through them at each bind
PEERS = 60_000  # addresses that the connections are of
SPARE_DESCRIPTORS = 600
TARGET_SECONDS = 0.1
SETUP = f"""\
ip link set lo up
ip addr add {OWN}/32 dev lo
ip route add local 198.18.0.0/15 dev lo
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=100_000)
    parser.add_argument("--passes", type=int, default=20)
    chosen = parser.parse_args()
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        raise SystemExit("root is needed")
    subprocess.run(["sh", "-ec", SETUP], check=True)
    listeners = [_listener(FIRST_PORT + number) for number in range(PORTS)]
    holders = _hold(chosen.connections)
    try:
        await_quiet()
        rows = [("a pass", "p50 CPU ms", "p95 CPU ms", "p50 ms", "found", "aimed at 100 ms")]
        rows.append(_row("counted, all of one size", chosen.passes, lambda: _pass(Wanted())))
        rows.append(_row("counted and judged", chosen.passes, lambda: _pass(Wanted(), judge=True)))
        rows.append(_row("counted one by one (sizes mixed)", chosen.passes, _pass_of_mixed))
        print(table(f"{chosen.connections:,} connections of {PEERS:,} addresses", rows))
    finally:
        for ending in holders:
            os.close(ending)
        for listener in listeners:
            listener.close()


def _row(name: str, passes: int, act: Callable[[], int]) -> tuple[str, ...]:
    cpu, wall, found = [], [], 0
    for _ in range(passes):
        began_at, used = time.perf_counter(), time.process_time()
        found = act()
        cpu.append(time.process_time() - used)
        wall.append(time.perf_counter() - began_at)
    half = percentile(cpu, 0.5)
    shown = (milliseconds(half), milliseconds(percentile(cpu, 0.95)), milliseconds(percentile(wall, 0.5)))
    return name, *shown, f"{found:,}", verdict(half, TARGET_SECONDS)


def _pass(wanted: Wanted, *, judge: bool = False) -> int:
    tables = ConnectionTables()
    descriptor, flows = tables.descriptors()
    os.close(flows)
    source, counts = Sockets(descriptor), Counts()
    for _ in source.count(wanted, counts):
        pass
    if judge:
        crowds_of(counts.hosts, Limits(300, 2000), (), lambda _address: None)
    source.close()
    tables.close()
    return counts.hosts.total()


def _pass_of_mixed() -> int:
    """As where connections that end are listed between the others, whose messages are shorter."""
    at_once, sockets.uniform = sockets.uniform, lambda _buffer, _length: 0
    try:
        return _pass(Wanted())
    finally:
        sockets.uniform = at_once


def _listener(port: int) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((OWN, port))
    opened.listen()
    return opened


def _hold(number: int) -> list[int]:
    """Have processes hold so many connections, until the descriptors given here are closed."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    room, holders = most - SPARE_DESCRIPTORS, []
    for first in range(0, number, room):
        ready, ready_end = os.pipe()
        ending_end, ending = os.pipe()
        if os.fork() == 0:
            os.close(ending)
            for descriptor in holders:
                os.close(descriptor)
            kept = [_connection(one) for one in range(first, min(number, first + room))]
            os.write(ready_end, b"x")
            os.read(ending_end, 1)  # ends when the parent closes or dies
            os._exit(len(kept) & 0)
        for descriptor in (ready_end, ending_end):
            os.close(descriptor)
        if os.read(ready, 1) != b"x":
            raise SystemExit("the connections could not be made")
        os.close(ready)
        holders.append(ending)
    return holders


def _connection(number: int) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_ON)
    opened.bind((OWN, FIRST_PORT + number % PORTS))
    peer = number % PEERS
    opened.connect((f"198.{18 + (peer >> 16)}.{peer >> 8 & 255}.{peer & 255}", 1024 + number // PEERS))
    opened.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF)
    return opened


if __name__ == "__main__":
    main()
