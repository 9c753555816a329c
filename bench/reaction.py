"""From a line to the drop: how long after the line that is one too many its sender's packets are dropped by the kernel.

    PYTHONPATH=. .venv/bin/python -m bench.reaction [--rounds 60] [--busy-rounds 120] [--peer-rounds 12]

Each round is an address of its own that sends some 4,000 packets a second, four failures in the log, and a fifth one.
"in kernel": the address is found in the kernel's set, which is asked for it all the time. "dropped": the first of its
packets that was dropped was sent. Both count from just before the write() of the fifth line.
"""

import argparse
import itertools
import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from ipaddress import IPv4Address
from typing import NamedTuple

from arena.errors import require_programs
from arena.namespace import inside
from bench.lines import failures
from bench.measure import await_quiet, milliseconds, percentile, table, verdict
from bench.stage import Stage, fail2ban_backends

from durward.privileged.messages import GET_ELEMENT, INET_BODY, LIST_ELEMENTS, LIST_SET, LIST_TABLE, key_text
from durward.privileged.netlink import ERROR, NESTED, NETFILTER, Netlink, attribute, request

FIRST = int(IPv4Address("10.1.0.0"))
THRESHOLD = 5
QUIET_GAP_SECONDS = (0.3, 0.4)  # between the fourth line and the fifth: the host is quiet again by then
BUSY_GAP_SECONDS = (0.06, 0.16)
PEER_GAP_SECONDS = (1.2, 2.2)  # fail2ban has read the first four by then
ASK_SECONDS = 0.0001  # between two questions to the kernel
BACKGROUND_PER_SECOND = 10_000
GIVE_UP_SECONDS = 15.0
CSF_SECONDS = 5.0  # LF_PARSE: how often lfd reads its logs
SHARES = (0.5, 0.95, 0.99, 1.0)
OUR_SET, THEIR_SET = ("durward", "block4_32"), ("f2b-table", "addr-set-sshd")
LOADS = {"quiet": "quiet", "calm": "10,000/s, calm", "spray": "10,000/s, 60 % attack"}


class Taken(NamedTuple):
    """What one round took, in seconds; not a number where it did not come to that."""

    in_kernel: float
    dropped: float


class Condition(NamedTuple):
    """Who is measured, under which load, and what half and 99 of a hundred rounds are not to exceed (seconds)."""

    contender: str
    load: str
    p50_max: float = math.inf
    p99_max: float = math.inf


Found = dict[Condition, list[Taken]]
OURS = (
    Condition("durward", "quiet", p50_max=0.001),
    Condition("durward", "calm", p50_max=0.030, p99_max=0.080),
    Condition("durward", "spray", p50_max=0.030, p99_max=0.080),
)


class Rounds:
    """Takes one address after the other. `place` names the table and the set in which the contender keeps them."""

    def __init__(self, stage: Stage, place: tuple[str, str]) -> None:
        self._stage = stage
        self._netlink = inside(stage.network.door, lambda: Netlink(NETFILTER))
        name, set_name = (f"{text}\0".encode() for text in place)
        self._place = INET_BODY + attribute(LIST_TABLE, name) + attribute(LIST_SET, set_name)
        words = [sys.executable, "-m", "bench.stream", stage.network.street, stage.network.door]
        self._stream = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """End the stream and give the socket back."""
        self._netlink.close()
        self._stream.communicate(timeout=60)

    def take(self, address: str, gap_seconds: tuple[float, float]) -> Taken:
        """One round."""
        self._stage.append(failures(address, THRESHOLD - 1))
        self._say(address)
        self._hear()
        time.sleep(random.uniform(*gap_seconds))
        fifth = failures(address, 1, first_pid=2000)
        written_at = time.monotonic()
        self._stage.append(fifth)
        found_at = self._found_at(IPv4Address(address).packed)
        _passed_at, dropped_at = map(float, self._hear().split())
        return Taken(found_at - written_at, dropped_at - written_at)

    def _say(self, line: str) -> None:
        assert self._stream.stdin is not None, "started with a pipe"
        self._stream.stdin.write(f"{line}\n")
        self._stream.stdin.flush()

    def _hear(self) -> str:
        assert self._stream.stdout is not None, "started with a pipe"
        return self._stream.stdout.readline()

    def _found_at(self, key: bytes) -> float:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while not self._is_in_kernel(key):
            if time.monotonic() > deadline:
                return math.nan
            time.sleep(ASK_SECONDS)
        return time.monotonic()

    def _is_in_kernel(self, key: bytes) -> bool:
        sequence = self._netlink.numbers()
        body = self._place + attribute(LIST_ELEMENTS | NESTED, key_text(key))
        self._netlink.send(request(GET_ELEMENT, 0, sequence, body))
        while True:
            for message in self._netlink.receive():
                if message.sequence == sequence:
                    return message.type != ERROR


def measure(stage: Stage, condition: Condition, count: int, addresses: Iterator[str]) -> list[Taken]:
    """So many rounds under one condition."""
    gap_seconds, place = PEER_GAP_SECONDS, THEIR_SET
    if condition.contender == "durward":
        gap_seconds, place = QUIET_GAP_SECONDS if condition.load == "quiet" else BUSY_GAP_SECONDS, OUR_SET
    rounds = Rounds(stage, place)
    try:
        with nullcontext() if condition.load == "quiet" else stage.writing(BACKGROUND_PER_SECOND, condition.load):
            time.sleep(1.0)
            return [rounds.take(next(addresses), gap_seconds) for _ in range(count)]
    finally:
        rounds.close()


def ours(rounds: int, busy_rounds: int) -> Found:
    """Our own rounds: on a quiet host, and while others write to the same log."""
    with Stage() as stage:
        addresses = _addresses()
        stage.start()
        stage.warm_up(next(addresses))
        counts = [rounds if condition.load == "quiet" else busy_rounds for condition in OURS]
        return {one: measure(stage, one, count, addresses) for one, count in zip(OURS, counts, strict=True)}


def theirs(rounds: int) -> Found:
    """The same with Debian's fail2ban, with each way of following a file that it has here."""
    found: Found = {}
    for backend in fail2ban_backends() if rounds else []:
        with Stage() as stage, stage.fail2ban(backend):
            addresses = _addresses()
            stage.warm_up(next(addresses))
            for load in LOADS if backend == "polling" else ["quiet"]:
                condition = Condition(f"fail2ban, {backend}", load)
                found[condition] = measure(stage, condition, rounds, addresses)
    return found


def report(found: Found) -> None:
    """Print the table, each row beside durward under the same load."""
    medians = {one.load: percentile([taken.dropped for taken in found[one]], 0.5) for one in OURS}
    rows: list[tuple[str, ...]] = [("", "load", "rounds", "until", "p50", "p95", "p99", "max", "ratio", "target")]
    for condition, taken in found.items():
        for what, values in zip(Taken._fields, zip(*taken, strict=True), strict=True):
            known = [value for value in values if not math.isnan(value)]
            marks = [percentile(known, share) for share in SHARES]
            met = "" if math.isinf(condition.p50_max) else _verdict(condition, marks)
            head = (condition.contender, LOADS[condition.load], f"{len(known)}/{len(values)}", what.replace("_", " "))
            rows.append((*head, *map(milliseconds, marks), f"{marks[0] / medians[condition.load]:,.1f}", met))
    modelled = [CSF_SECONDS * share for share in SHARES]
    ratio = f"{modelled[0] / medians['quiet']:,.1f}"
    rows.append(("CSF, modelled", "any", "", "dropped", *map(milliseconds, modelled), ratio, ""))
    print(table("From the fifth line to the drop, in milliseconds", rows))
    print(f"  CSF is not run: lfd reads its logs every {CSF_SECONDS:.0f} s, so a line waits half of that on average.")


def _verdict(condition: Condition, marks: list[float]) -> str:
    p50, p99 = verdict(marks[0], condition.p50_max), verdict(marks[2], condition.p99_max)
    text = f"p50 {milliseconds(condition.p50_max)}: {p50}"
    return text if math.isinf(condition.p99_max) else f"{text}, p99 {milliseconds(condition.p99_max)}: {p99}"


def _addresses() -> Iterator[str]:
    return (str(IPv4Address(FIRST + number)) for number in itertools.count())


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--busy-rounds", type=int, default=120)
    parser.add_argument("--peer-rounds", type=int, default=10, help="0: without fail2ban")
    arguments = parser.parse_args()
    require_programs(["ip", "nft"])
    await_quiet()
    report(ours(arguments.rounds, arguments.busy_rounds) | theirs(arguments.peer_rounds))


if __name__ == "__main__":
    main()
