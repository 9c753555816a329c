"""The arena with a large deny list on its door, from the outside: who is sent, who is denied, and the replacing."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.attacker import Attacker
from arena.network import Network
from arena.pressure import Pressure, Sent
from tests.kernel.replacing import OPEN, OPEN_UDP

ROOT = Path(__file__).parents[2]
# In both lists: as an address, within a network of another length, and over IPv6.
DENIED = {"address": "203.0.113.200", "network": "198.51.100.77", "six": "2001:db8:200::9"}
BOTH = ("203.0.113.200", "198.51.100.64/26", "2001:db8:200::/64")
FREE, FREE6 = "203.0.113.201", "2001:db8:201::9"


def write(path: Path, networks: Iterable[str]) -> None:
    """A list as it is downloaded, with those in it that both lists have."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(networks)
        file.writelines(f"{one}\n" for one in BOTH)


def many(count: int, first: str) -> Iterator[str]:
    """So many addresses of one /8, one behind the other."""
    return (f"{first}.{number >> 16}.{number >> 8 & 255}.{number & 255}\n" for number in range(count))


def kinds(network: Network) -> list[Sent]:
    """Packets of the denied, and for a proof of others."""
    sent = [Sent(name, Attacker(network, address), "udp", OPEN_UDP) for name, address in DENIED.items()]
    sent += [Sent(f"{name}_syn", Attacker(network, address), "tcp", OPEN) for name, address in DENIED.items()]
    free = {"open4": FREE, "open6": FREE6}
    return sent + [Sent(name, Attacker(network, address), "udp", OPEN_UDP) for name, address in free.items()]


@contextmanager
def replacing(network: Network, paths: list[Path]) -> Iterator[subprocess.Popen[str]]:
    """A process that has filled the list and waits to be told."""
    words = [sys.executable, "-m", "tests.kernel.replacing", *paths]
    process = network.popen_in(network.door, words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "ready\n"
    yield process


def replace(process: "subprocess.Popen[str]") -> tuple[int, float]:
    """Have the list replaced by the other one; give its elements and the seconds that it took."""
    process.stdin.write("now\n")
    process.stdin.flush()
    count, seconds = process.stdout.readline().split()
    return int(count), float(seconds)


def pressure(network: Network, rate_per_second: float) -> Pressure:
    """The denied knock all the while."""
    return Pressure(network, kinds(network), rate_per_second)
