"""Pressure: packets sent to the door all the while, and a witness in its kernel that counts those that get in.

The witness is a table of its own. It counts what comes over the cable before anybody else sees it, and what is still
there when every rule of everybody has been asked: no packet gets in uncounted, whether somebody listens or not.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from arena.attacker import Attacker
from arena.errors import ArenaError
from arena.network import Network

SENDING = Path(__file__).with_name("sending.py")
TABLE = "inet witness"
FIRST, LAST = -(2**31), 2**31 - 1  # priorities: before connection tracking, and after everything
END_SECONDS = 5.0


class Sent(NamedTuple):
    """One kind of packet: who sends it, and to which port of the door. `name` is a word."""

    name: str
    attacker: Attacker
    protocol: str
    port: int


class Count(NamedTuple):
    """Packets of one kind: that came over the cable, and that got in."""

    came: int
    got_in: int


class Pressure:
    """Sends while the context is: `rate_per_second` packets of all kinds together, in turn."""

    def __init__(self, network: Network, kinds: Sequence[Sent], rate_per_second: float) -> None:
        self._network = network
        self._kinds = list(kinds)
        self._rate = rate_per_second

    def __enter__(self) -> Self:
        self._network.run_in(self._network.door, ["nft", "-f", "-"], input=self._rules(), check=True)
        words = [f"{one.attacker.address},{one.attacker.target},{one.protocol},{one.port}" for one in self._kinds]
        argv = [sys.executable, "-I", SENDING, str(self._rate), *words]
        self._sending = self._network.popen_in(
            self._network.street, argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if self._sending.stdout.readline() != b"sending\n":
            raise ArenaError("nothing is sent")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._sending.stdin.close()
        self._sending.wait(END_SECONDS)
        self._sending.stdout.close()
        self._network.run_in(self._network.door, ["nft", "delete", "table", *TABLE.split()])

    def counts(self) -> dict[str, Count]:
        """What came and what got in so far, by the names of the kinds."""
        listed = self._network.run_in(self._network.door, ["nft", "-j", "list", "table", *TABLE.split()], check=True)
        found = {
            entry["counter"]["name"]: int(entry["counter"]["packets"])
            for entry in json.loads(listed.stdout)["nftables"]
            if "counter" in entry
        }
        return {one.name: Count(found[f"came_{one.name}"], found[f"in_{one.name}"]) for one in self._kinds}

    def _rules(self) -> str:
        lines = [f"table {TABLE} {{"]
        lines += [f"counter {when}_{one.name} {{ }}" for one in self._kinds for when in ("came", "in")]
        for when, hook, priority in (("came", "prerouting", FIRST), ("in", "input", LAST)):
            lines.append(f"chain {when} {{ type filter hook {hook} priority {priority}; policy accept;")
            for one in self._kinds:
                family = "ip6" if ":" in one.attacker.address else "ip"
                match = f"{family} saddr {one.attacker.address} {one.protocol} dport {one.port}"
                lines.append(f"{match} counter name {when}_{one.name}")
            lines.append("}")
        return "\n".join([*lines, "}"]) + "\n"
