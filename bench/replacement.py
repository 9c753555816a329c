"""A deny list of a million is replaced under traffic: what gets in, and how long an accepted connection waits.

    PYTHONPATH=. .venv/bin/python -m bench.replacement [--networks 1000000] [--rounds 3] [--rate 1000] [--apart]

A door and a street in namespaces of their own; the door has a firewall with a deny list, which one process fills by the
enforcer's own way (new sets are filled while no rule knows them, one transaction leads the rules to them). Meanwhile
sources that are in both the old and the new list knock over UDP and TCP, and the kernel counts what is left of that
when all rules have been asked. Two connections that are let in send a byte back and forth; round trips while the list
is replaced are compared with those of quiet seconds before and after, in the same run, with the same knocking. On few
processors they are mostly about who is let run; with --apart those who talk have a processor that whoever fills and
knocks leaves alone, so that what is left is what the kernel makes packets wait.
"""

import argparse
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from arena.attacker import Attacker
from arena.errors import require_programs
from arena.namespace import open_socket
from arena.network import DOOR_IPV4, DOOR_IPV6, Network
from bench.lists import networks
from bench.measure import await_quiet, milliseconds, percentile, table, verdict
from tests.kernel.replaced import FREE, FREE6, pressure, replace, replacing, write
from tests.kernel.replacing import OPEN

QUIET_SECONDS = 5.0
PAUSE_SECONDS = 0.001  # between two round trips
TALKING, FILLING = 0, 1  # processors, with --apart
SHARE_MAX = 2.0  # of the p99 of quiet seconds
Trip = tuple[float, float]  # when it began, and how long it took


def asking(street: str, source: str, to: str) -> None:
    """The client: one byte there and back, until standard input ends; then tells how long each took."""
    trips: list[Trip] = []
    with open_socket(street, socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_STREAM) as talking:
        talking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talking.bind((source, 0))
        talking.connect((to, OPEN))
        talking.settimeout(5.0)
        sys.stdout.write("talking\n")
        sys.stdout.flush()
        while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
            began = time.monotonic()
            talking.send(b"?")
            talking.recv(1)
            trips.append((began, time.monotonic() - began))
    sys.stdout.writelines(f"{began:.6f} {taken:.9f}\n" for began, taken in trips)


def answering(door: str, to: str) -> None:
    """The server: gives every byte back to the one who came."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with open_socket(door, family, socket.SOCK_STREAM) as listening:
        listening.bind((to, OPEN))
        listening.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        talking, _ = listening.accept()
        talking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with talking, suppress(ConnectionError):
            while byte := talking.recv(1):
                talking.send(byte)


class Talk:
    """A connection that is let in, between two processes."""

    def __init__(self, network: Network, source: str, to: str) -> None:
        Attacker(network, source)
        self._server = _begin("--answer", network.door, to)
        assert self._server.stdout.readline() == "listening\n"
        self._client = _begin("--ask", network.street, source, to)
        assert self._client.stdout.readline() == "talking\n"

    def trips(self) -> list[Trip]:
        """End it; give all round trips."""
        out, _ = self._client.communicate("\n", timeout=30)
        self._server.communicate(timeout=30)
        return [(float(began), float(taken)) for began, taken in map(str.split, out.splitlines())]


def _begin(*words: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "bench.replacement", *words]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def measure(network: Network, folder: Path, options: argparse.Namespace) -> None:
    """Replace, knock and talk, and print what was seen."""
    count, rounds, rate = options.networks, options.rounds, options.rate
    paths = [folder / "old", folder / "new"]
    for day, path in enumerate(paths):
        write(path, networks(count, day))
    if options.apart:
        os.sched_setaffinity(0, {FILLING})
    with replacing(network, paths) as process, pressure(network, rate) as pressed:
        if options.apart:
            os.sched_setaffinity(0, {TALKING})
        talks = [Talk(network, *ends) for ends in ((FREE, DOOR_IPV4), (FREE6, DOOR_IPV6))]
        busy: list[tuple[float, float]] = []
        rows = [("replacement", "elements", "seconds")]
        for number in range(1, rounds + 1):
            time.sleep(QUIET_SECONDS)
            began = time.monotonic()
            elements, seconds = replace(process)
            busy.append((began, time.monotonic()))
            rows.append((f"{number}", f"{elements:,}", f"{seconds:.2f}"))
        time.sleep(QUIET_SECONDS)
        counts = pressed.counts()
        trips = [trip for talk in talks for trip in talk.trips()]
    print(table(f"A deny list of {count:,} networks is replaced", rows))
    during = [taken for began, taken in trips if any(start <= began <= end for start, end in busy)]
    quiet = [taken for began, taken in trips if not any(start - 0.5 <= began <= end + 1.0 for start, end in busy)]
    report(during, quiet)
    proof = sum(one.got_in for name, one in counts.items() if name.startswith("open"))
    denied = [one for name, one in counts.items() if not name.startswith("open")]
    print(f"\n  from sources in both lists {sum(one.came for one in denied):,} packets came,", end=" ")
    print(f"{sum(one.got_in for one in denied):,} got in; of others {proof:,} got in")


def report(during: list[float], quiet: list[float]) -> None:
    """Print the table of round trips."""
    rows = [("round trips (ms)", "count", "p50", "p99", "p99.9", "longest")]
    for name, taken in (("quiet", quiet), ("while it is replaced", during)):
        shown = [milliseconds(percentile(taken, share)) for share in (0.5, 0.99, 0.999, 1.0)]
        rows.append((name, f"{len(taken):,}", *shown))
    share = percentile(during, 0.99) / percentile(quiet, 0.99)
    print(table("Accepted connections meanwhile, one of each family", rows))
    print(f"  p99: {share:.2f} of quiet; {SHARE_MAX} wanted: {verdict(share, SHARE_MAX)}")


def main() -> None:
    """Measure, or be one of the two who talk."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--networks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1_000.0, help="packets a second of those who knock")
    parser.add_argument("--apart", action="store_true", help="on a processor each")
    parser.add_argument("--ask", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--answer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        asking(*options.ask)
    elif options.answer:
        answering(*options.answer)
    else:
        require_programs(["ip", "nft"])
        await_quiet()
        with Network() as network, tempfile.TemporaryDirectory() as folder:
            measure(network, Path(folder), options)


if __name__ == "__main__":
    main()
