"""Lines of an auth.log with stamps of now; as a program, a process that writes them at a rate, one write() a line.

    python -m bench.lines PATH RATE_PER_SECOND calm|attack|spray SECONDS

calm: 1 % of the lines are an attack; attack: 60 %, from 300 addresses, which are soon blocked; spray: 60 %, from ever
new addresses of which each stays below the threshold. An address is one of documentation, or of 10/8 where those are
too few.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from bench.scanning import ATTACK, ATTACK_WEIGHTS, CALM, CALM_WEIGHTS, USERS

FAILURE = "sshd[{pid}]: Failed password for root from {ip} port {port} ssh2"
SHARES = {"calm": 0.01, "attack": 0.6, "spray": 0.6}
SPRAY_LINES = 3  # of each address; five failures are too many
FEW = 300  # addresses of the attack
SPRAY_FROM = int(IPv4Address("10.64.0.0"))
BATCH_SECONDS = 0.001  # the lines of so long are written in a row
PREPARED = 4096  # lines that are made in advance and used in turn
SEED = 11


def failures(address: str, count: int, *, first_pid: int = 1000) -> bytes:
    """So many failed logins from one address, each a connection of its own, now."""
    bodies = (FAILURE.format(pid=first_pid + number, ip=address, port=40_000) for number in range(count))
    return b"".join(stamp() + f"{body}\n".encode() for body in bodies)


def stamp(at: float | None = None) -> bytes:
    """A time (epoch seconds; None: now) as rsyslog writes it by tradition, with the name of a host."""
    return time.strftime("%b %e %H:%M:%S web1 ", time.localtime(at)).encode()


def bodies(mix: str) -> Iterator[bytes]:
    """Endless lines of a mix, without their stamp."""
    chance = random.Random(SEED)
    few = [f"2001:db8:{number:x}::1" if number % 4 == 0 else f"203.0.113.{number % 254 + 1}" for number in range(FEW)]
    prepared = list(_prepared(chance, SHARES[mix]))
    number = 0
    while True:
        for text, is_attack in prepared:
            address = few[number % FEW] if mix != "spray" else str(IPv4Address(SPRAY_FROM + number // SPRAY_LINES))
            number += is_attack
            yield text.replace("{ip}", address).encode() if is_attack else text.encode()


def _prepared(chance: random.Random, share: float) -> Iterator[tuple[str, bool]]:
    for _ in range(PREPARED):
        is_attack = chance.random() < share
        messages, weights = (ATTACK, ATTACK_WEIGHTS) if is_attack else (CALM, CALM_WEIGHTS)
        values = {"pid": chance.randrange(1000, 400_000), "port": chance.randrange(1024, 65536)}
        text = chance.choices(messages, weights)[0].format(ip="{ip}", user=chance.choice(USERS), **values)
        yield f"{text}\n", is_attack


def write(path: str, rate_per_second: float, mix: str, seconds: float, ended: Callable[[], bool] = bool) -> int:
    """Append lines to a file at a rate, for so long or until `ended`. Gives how many."""
    source = bodies(mix)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    began = time.monotonic()
    written, head, head_second = 0, b"", 0
    try:
        while (passed := time.monotonic() - began) < seconds and not ended():
            if (second := int(time.time())) != head_second:
                head, head_second = stamp(), second
            for _ in range(int(passed * rate_per_second) - written):
                os.write(descriptor, head + next(source))
                written += 1
            time.sleep(BATCH_SECONDS)
    finally:
        os.close(descriptor)
    return written


def main() -> None:
    """Write until the time is over; say how many lines that were."""
    path, rate, mix, seconds = sys.argv[1:5]
    print(write(path, float(rate), mix, float(seconds)))


if __name__ == "__main__":
    main()
