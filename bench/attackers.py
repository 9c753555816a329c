"""A million addresses that fail to log in once each: what an event costs the engine, and what it keeps.

    PYTHONPATH=. .venv/bin/python -m bench.attackers [--attackers 1000000] [--detectors brute_force]

Each row is a process of its own. Without --detectors all that hear of failed logins are on, as in an empty
durward.toml; each attacker tries another account. Time is the processor's, without the making of the events.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.measure import table

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.model import Event

PAGE_KIB = 4
BEGIN = 1_795_421_400.0
TOGETHER = 20_000  # events that are made before the clock runs
COLLECT_AFTER = (20_000, 20, 50)  # as the engine's own process sets it


def main() -> None:
    """Measure each set of detectors in a process of its own."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--attackers", type=int, default=1_000_000)
    options.add_argument("--detectors", help="comma-separated; in place of the two rows")
    options.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        sys.stdout.write("\t".join(measured(given.attackers, given.detectors)))
        return
    rows = [("detectors", "events", "us/event", "MiB", "decisions")]
    for detectors in [given.detectors] if given.detectors else ["brute_force", "all"]:
        command = [sys.executable, "-m", "bench.attackers", "--here", "--attackers", str(given.attackers)]
        done = subprocess.run([*command, "--detectors", detectors], check=True, capture_output=True, text=True)
        rows.append(tuple(done.stdout.split("\t")))  # type: ignore[arg-type]
    sys.stdout.write(table("Attackers of one try each", rows) + "\n")


def measured(count: int, detectors: str) -> tuple[str, ...]:
    """One row of the table."""
    engine = engine_of(detectors)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    before, spent, decided, events = resident_mib(), 0.0, 0, attack(count)
    while chunk := list(islice(events, TOGETHER)):
        began = time.process_time()
        for event in chunk:
            decided += len(engine.feed(event))
        spent += time.process_time() - began
    kept = resident_mib() - before
    return detectors, str(count), f"{spent / count * 1e6:.2f}", f"{kept:.0f}", str(decided)


def engine_of(detectors: str) -> Engine:
    """An engine with these detectors, set as an empty durward.toml sets them."""
    services = load_services(directories_of("services"))
    known = {service.id: Known(service.name, service.ports) for service in services}
    cards = [
        card
        for card in load_detectors(directories_of("detectors"))
        if card.id in detectors.split(",") or (detectors == "all" and "auth.failure" in card.hears)
    ]
    policies = {card.id: detector_policy(card, detector_settings(card, {}, services), known) for card in cards}
    return assemble(Policy(policies), cards)


def attack(count: int) -> Iterator[Event]:
    """So many failures, each of another address on another account, ten thousand a second."""
    for number in range(count):
        address = f"{1 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        at = BEGIN + number / 10_000
        place = (BEGIN, "sshd", "file:/var/log/auth.log", number, b"Failed password for x from x port 40022 ssh2")
        yield Event("auth.failure", at, *place, address, 40022, None, f"user{number}", str(number), 1)


def resident_mib() -> float:
    """What this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KIB / 1024


if __name__ == "__main__":
    main()
