"""Runs a day through `durward replay --json`, and compares what was decided with what is known."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random
from typing import Any

from bench.days import mail, ssh, web
from bench.days.trace import DAY, MIDNIGHT, Line, Party, Street

PROGRAM = Path(sys.executable).with_name("durward")
KEPT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH")

Decision = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a party: how many of it were blocked, by whom, after how many tries at most, and what is wrong."""

    party: Party
    blocked: int
    by: Mapping[str, int]
    tries: int
    wrong: tuple[str, ...]


def day(seed: int) -> list[Party]:
    """Everybody who is there on one day; the same for the same seed."""
    chance, street = Random(seed), Street()
    return [party for part in (ssh, mail, web) for party in part.parties(chance, street)]


def write(parties: Iterable[Party], directory: Path) -> list[Path]:
    """Write the logs, each in order, as they were left at midnight."""
    by_log: dict[str, list[Line]] = {}
    for line in (line for party in parties for line in party.lines):
        by_log.setdefault(line.log, []).append(line)
    paths = []
    for name, lines in sorted(by_log.items()):
        path = directory / name
        path.write_text("".join(f"{line.text}\n" for line in sorted(lines, key=lambda line: line.at)), encoding="utf-8")
        os.utime(path, (MIDNIGHT + DAY, MIDNIGHT + DAY))
        paths.append(path)
    return paths


def replay(files: Sequence[Path], home: Path) -> str:
    """What `durward replay --json` prints, with an empty configuration, for a host whose clock runs by UTC."""
    (home / "etc").mkdir(parents=True, exist_ok=True)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {"TZ": "UTC"}
    argv = [PROGRAM, "--home", home, "replay", "--json", *files]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=600, check=True)
    return done.stdout


def decisions_of(text: str) -> list[Decision]:
    """The decisions that were printed."""
    return [json.loads(line) for line in text.splitlines()]


def judged(parties: Iterable[Party], decisions: Sequence[Decision]) -> list[Verdict]:
    """Compare."""
    blocks = [one for one in decisions if one["verdict"] == "block" and not one["simulated"]]
    first: dict[str, Decision] = {}
    for one in blocks:
        first.setdefault(one["subject"], one)
    alerts = {(one["subject"], one["detector"]) for one in decisions if one["verdict"] == "alert"}
    return [_judged(party, first, alerts) for party in parties]


def strangers(parties: Iterable[Party], decisions: Iterable[Decision]) -> list[str]:
    """The blocks of whoever is nobody of that day."""
    known = {subject_of(address) for party in parties for address in party.addresses}
    return [one["subject"] for one in decisions if one["verdict"] == "block" and one["subject"] not in known]


def subject_of(address: str) -> str:
    """Whom a block is of: an IPv6 address stands for its /64."""
    return str(ip_network(f"{address}/64", strict=False)) if ip_address(address).version == 6 else address


def _judged(party: Party, first: Mapping[str, Decision], alerts: set[tuple[str, str]]) -> Verdict:
    found = {address: first[subject_of(address)] for address in party.addresses if subject_of(address) in first}
    tries = {address: _tries(party, address, one) for address, one in found.items()}
    wrong = []
    if party.is_to_be_blocked:
        wrong += [f"{address} was never blocked" for address in party.addresses if address not in found]
        wrong += [
            f"{address}: {one['reason']}" for address, one in found.items() if one["detector"] not in party.found_by
        ]
        wrong += [f"{address} had {number} tries" for address, number in tries.items() if number > party.tries]
    elif not party.unseen and len(found) > party.lost_max:
        wrong += [f"{address}: {one['reason']} ({one['detector']})" for address, one in found.items()]
    if party.told and not any((party.told, name) in alerts for name in party.found_by):
        wrong.append(f"{party.told} was not told of")
    by = Counter(one["detector"] for one in found.values())
    return Verdict(party, len(found), by, max(tries.values(), default=0), tuple(wrong))


def _tries(party: Party, address: str, block: Decision) -> int:
    """How many tries an address had until its block. Logs have whole seconds."""
    until = datetime.fromisoformat(block["at"]).timestamp()
    return sum(1 for line in party.lines if line.by == address and int(line.at) <= until)
