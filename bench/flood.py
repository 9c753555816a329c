"""Whether clients that were never seen before get in while SYNs with false sources flood the port they want.

    PYTHONPATH=. .venv/bin/python -m bench.flood [--rate 200000] [--clients 250] [--json FILE]

Other processes put the SYNs into the driver's queue (see injection.py), each from any of 2^29 sources, in lots of
LOT_PACKETS, and say which rate they reached. Each client has an address of its own, connects once, and counts when a
byte has come back within CLIENT_SECONDS. The kernel remembers nothing of clients between two rule sets.
"""

import argparse
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

from bench.injection import GATEWAY, SERVER, Injector
from bench.interleaved import Judged, command, judgements, write_json
from bench.measure import await_quiet, milliseconds, percentile, table
from bench.peers import csf, durward, plain
from tests.kernel.namespaces import Namespace

PORT = 80
# Of networks that are given out, so that no rule about impossible sources makes it easy; none leaves the namespaces.
FALSE, FALSE_SOURCES = str(IPv4Address(1 << 30)), 1 << 29
FLOODERS = 2  # processes, as a card has several queues
LOT_PACKETS = 10_000  # at once, as fast as they are taken: after each lot the call waits 30 ms for the kernel
LATE_LOTS_MAX = 5  # that are made up for; what is later than that is not sent
CLIENTS = "203.0.113"
CLIENT_SECONDS, PACE_SECONDS, HANDS = 3.0, 0.04, 24
BEFORE_SECONDS, LOOK_SECONDS = 1.5, 0.1
CONNECTED_SHARE_MIN, TRACKED_MAX, RATE_SHARE_MIN = 0.99, 5_000, 0.95
PROXY, COOKIES = "durward, SYN proxy", "durward, SYN cookies"
Load = Callable[[Namespace], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the clients. `seconds` of each that connected; `tracked` is the most at any moment."""

    clients: int
    seconds: tuple[float, ...]
    tracked: int
    rate: float


def proxied(server: Namespace) -> None:
    """Our high profile on a host that has tracked whole connections since it started (nf_conntrack_tcp_loose=0)."""
    durward.protect(server, durward.high_policy(server))


def unproxied(server: Namespace) -> None:
    """The same on a host that has not (nf_conntrack_tcp_loose=1), where no connection may be asked to prove itself."""
    durward.protect(server, replace(durward.high_policy(server), syn_proxy=False))


CONTEST: dict[str, Load] = {
    PROXY: proxied,
    COOKIES: unproxied,
    "smallest stateful": lambda server: plain.stateful(server, PORT),
    "CSF, nft": lambda server: csf.protect(server, "nft", range(0x0A000000, 0x0A0000C8)),
    "CSF, nft, SYNFLOOD=1": lambda server: csf.protect(
        server, "nft", range(0x0A000000, 0x0A0000C8), with_syn_flood=True
    ),
}


def flooding(injector: Injector, rate: int, sent: "multiprocessing.sharedctypes.Synchronized[int]") -> None:
    """Send our part until we are ended; what we are late by is made up for, up to a point."""
    pause = LOT_PACKETS * FLOODERS / rate
    due = time.monotonic()
    while True:
        injector.inject(FALSE, FALSE_SOURCES, LOT_PACKETS, PORT)
        with sent.get_lock():
            sent.value += LOT_PACKETS
        due = max(due + pause, time.monotonic() - LATE_LOTS_MAX * pause)
        time.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def flooded(injector: Injector, rate: int) -> Iterator[Callable[[], float]]:
    """A flood beside us; gives how many a second there have been since this was last asked."""
    sent = multiprocessing.Value("q", 0)
    processes = [multiprocessing.Process(target=flooding, args=(injector, rate, sent)) for _ in range(FLOODERS)]
    for process in processes:
        process.start()
    seen = [0.0, time.monotonic()]

    def rate_since() -> float:
        now, count = time.monotonic(), sent.value
        reached = (count - seen[0]) / (now - seen[1])
        seen[:] = count, now
        return reached

    try:
        yield rate_since
    finally:
        for process in processes:
            process.kill()
            process.join()


@contextmanager
def answering(server: Namespace) -> Iterator[None]:
    """A service that gives back the byte it gets."""
    with server.inside():
        listening = socket.create_server((SERVER, PORT), backlog=1024)

    def serve() -> None:
        with suppress(OSError), ThreadPoolExecutor(HANDS) as hands:
            while True:
                hands.submit(_answer, listening.accept()[0])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()


def _answer(opened: socket.socket) -> None:
    with opened, suppress(OSError):
        opened.settimeout(CLIENT_SECONDS)
        opened.send(opened.recv(1))


def connect(street: Namespace, source: str) -> float | None:
    """How long it took until a byte had come back, in seconds; None where none did."""
    with street.inside():
        opened = socket.socket()
    with opened:
        opened.settimeout(CLIENT_SECONDS)
        began = time.monotonic()
        try:
            opened.bind((source, 0))
            opened.connect((SERVER, PORT))
            opened.send(b"x")
            came = opened.recv(1)
        except OSError:
            return None
        taken = time.monotonic() - began
        return taken if came and taken <= CLIENT_SECONDS else None


def attempt(load: Load, rate: int, clients: int) -> Outcome:
    """One rule set in a flood."""
    with ExitStack() as places:
        injector = places.enter_context(Injector())
        street, server = injector.street, injector.server
        street.ip(f"route add local {CLIENTS}.0/24 dev lo")
        for name, value in (("ipv4/tcp_no_metrics_save", 1), ("ipv4/tcp_syncookies", 1)):
            server.run("sh", "-c", f"echo {value} > /proc/sys/net/{name}")
        load(server)
        places.enter_context(answering(server))
        if connect(street, GATEWAY) is None:
            raise SystemExit("nobody gets in even without a flood")
        rate_since = places.enter_context(flooded(injector, rate))
        time.sleep(BEFORE_SECONDS)
        rate_since()
        done = threading.Event()
        hands = places.enter_context(ThreadPoolExecutor(HANDS))
        most = hands.submit(_most_tracked, server, done)
        taken = []
        for number in range(clients):
            taken.append(hands.submit(connect, street, f"{CLIENTS}.{number % 250 + 1}"))
            time.sleep(PACE_SECONDS)
        seconds = [one.result() for one in taken]
        reached = rate_since()
        done.set()
        return Outcome(clients, tuple(one for one in seconds if one is not None), most.result(), reached)


def _most_tracked(server: Namespace, done: threading.Event) -> int:
    """The largest number of entries in the connection tracking until `done`."""
    most = 0
    while not done.wait(LOOK_SECONDS):
        most = max(most, int(server.run("cat", "/proc/sys/net/netfilter/nf_conntrack_count")))
    return most


def row(name: str, outcome: Outcome) -> tuple[str, ...]:
    """One line of the table."""
    share = len(outcome.seconds) / outcome.clients
    return (
        name,
        f"{outcome.rate:,.0f}",
        f"{len(outcome.seconds)} of {outcome.clients}",
        f"{share:.1%}",
        milliseconds(percentile(outcome.seconds, 0.5)),
        milliseconds(percentile(outcome.seconds, 0.99)),
        f"{outcome.tracked:,}",
    )


def targets_of(outcomes: dict[str, Outcome], rate: int) -> list[Judged]:
    """Whether clients got in and tracking stayed small, with the proxy and without."""
    targets = []
    for name in (PROXY, COOKIES):
        outcome = outcomes[name]
        share = len(outcome.seconds) / outcome.clients
        targets.append(Judged(f"{name}: flood sent", outcome.rate, rate * RATE_SHARE_MIN, at_most=False))
        targets.append(Judged(f"{name}: clients connected", share, CONNECTED_SHARE_MIN, at_most=False))
        targets.append(Judged(f"{name}: connections tracked", outcome.tracked, TRACKED_MAX))
    return targets


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200_000, help="SYNs a second")
    parser.add_argument("--clients", type=int, default=250)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    await_quiet()
    print(command())
    outcomes = {name: attempt(load, options.rate, options.clients) for name, load in CONTEST.items()}
    targets = targets_of(outcomes, options.rate)
    heading = ("", "SYNs a second", "connected", "", "p50 ms", "p99 ms", "tracked at most")
    print(table("Clients never seen before, in a flood", [heading, *(row(*one) for one in outcomes.items())]))
    print(table("Targets", judgements(targets)))
    write_json(options.json, {name: asdict(outcome) for name, outcome in outcomes.items()}, targets)


if __name__ == "__main__":
    main()
