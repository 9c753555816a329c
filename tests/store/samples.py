"""Decisions, incidents and evidence for the tests of the store."""

from collections.abc import Iterable
from pathlib import Path

from durward.model import EVERYTHING, Decision, Evidence, Incident, Scope, Subject, Verdict
from durward.store import decisions
from durward.store.standing import Change
from durward.store.store import Store, open_store

NOW = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
LINE = "Nov 23 08:10:00 host sshd[4242]: Failed password for root from 203.0.113.9 port 40022 ssh2"


def opened(directory: Path) -> Store:
    """The store of a test; nothing may have been lost on the way to it."""
    result = open_store(directory / "durward.db", NOW)
    assert result.findings == ()
    return result.store


def address(number: int) -> str:
    """One of 65536 documentation addresses."""
    return f"2001:db8::{number >> 8 & 0xFF:x}:{number & 0xFF:x}00"


def incident(subject: Subject, lines: int = 5) -> Incident:
    evidence = tuple(Evidence("file:/var/log/auth.log", 100 * place, NOW + place, LINE) for place in range(lines))
    return Incident("brute_force", "sshd", subject, NOW, NOW + lines, lines, 5, 3600.0, evidence, f"{lines} failures")


def decision(
    subject: str,
    verdict: Verdict = "block",
    *,
    made_at: float = NOW,
    until: float | None = NOW + 3600,
    origin: str = "detector:brute_force",
    scope: Scope = EVERYTHING,
    lines: int = 0,
    simulated: bool = False,
) -> Decision:
    whom = Subject.parse(subject)
    return Decision(
        verdict,
        whom,
        made_at,
        until,
        "5 failed SSH logins in 42 s",
        origin,
        scope,
        incident(whom, lines) if lines else None,
        simulated,
    )


def recorded(store: Store, made: Iterable[Decision]) -> list[Decision]:
    """Number and write decisions in one transaction."""
    return kept(store, made)[0]


def kept(store: Store, made: Iterable[Decision]) -> tuple[list[Decision], list[Change]]:
    """The same, with what they changed."""
    numbered = store.number(made)
    with store.transaction():
        changes = decisions.record(store, numbered)
    return numbered, changes
