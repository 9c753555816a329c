"""A database as it is after much has happened: decisions with incidents and lines, made through durward's own store."""

import os
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from arena.accounts import ACCOUNTS
from bench.lines import FAILURE, stamp

from durward.model import Decision, Evidence, Incident, Subject
from durward.store import decisions
from durward.store.store import open_store

ENGINE = next(account for account in ACCOUNTS if account.name == "durward-engine")
FIRST = int(IPv4Address("10.16.0.0"))
BATCH = 5_000  # decisions in one transaction
THRESHOLD = 5
BLOCK_SECONDS = 86_400.0
GAP_SECONDS = 20.0  # between two decisions of those that have ended


def subject_of(number: int) -> str:
    """The address that decision `number` (from 0) is about."""
    return str(IPv4Address(FIRST + number))


def fill(path: Path, count: int, live: int) -> None:
    """Write so many blocks by a detector, the last `live` of which still stand; the others ended long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = time.time()
    with open_store(path, now).store as store:
        for start in range(0, count, BATCH):
            made = store.number(_made(range(start, min(start + BATCH, count)), count - live, now))
            with store.transaction():
                decisions.record(store, made)
    os.chown(path, ENGINE.user, ENGINE.group)


def _made(numbers: range, ended: int, now: float) -> Iterator[Decision]:
    for number in numbers:
        at = now - 60.0 if number >= ended else now - 2 * BLOCK_SECONDS - (ended - number) * GAP_SECONDS
        subject = Subject.parse(subject_of(number))
        incident = _incident(subject, number, at)
        yield Decision(
            "block", subject, at, at + BLOCK_SECONDS, incident.reason, "detector:brute_force", incident=incident
        )


def _incident(subject: Subject, number: int, at: float) -> Incident:
    head = stamp(at).decode()
    evidence = tuple(
        Evidence(
            "file:/var/log/auth.log",
            (number * THRESHOLD + line) * 96,
            at - 8 * (THRESHOLD - 1 - line),
            head + FAILURE.format(pid=1000 + number % 90_000, ip=subject.value, port=40_000 + line),
        )
        for line in range(THRESHOLD)
    )
    reason = f"{THRESHOLD} failed SSH logins in 32 s"
    return Incident("brute_force", "sshd", subject, at - 32, at, THRESHOLD, THRESHOLD, 3600.0, evidence, reason)
