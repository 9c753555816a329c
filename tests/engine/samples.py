"""Events, policies and detectors for the tests of the engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from durward.catalog.detector_card import DetectorCard
from durward.catalog.shelf import directories_of, load_detectors
from durward.detectors.brute_force import Detector
from durward.engine.engine import Engine
from durward.engine.policy import DetectorPolicy, Policy, Threshold
from durward.engine.room import Room
from durward.model import Decision, Event, Subject

NOW = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
HERE = "203.0.113.9"
SUBJECT = Subject("address", HERE)
HEARS = frozenset({"auth.failure"})


def event(at: float = 0.0, source_ip: str | None = HERE, *, arrives: float | None = None, **fields: Any) -> Event:
    """A failed login `at` seconds after NOW; it arrives at its own time unless told otherwise."""
    given: dict[str, Any] = {"kind": "auth.failure", "service": "sshd", "source": "file:auth.log", "hits": 1, **fields}
    position = given.pop("position", round(at * 1000))
    line = given.pop("line", f"failure of {source_ip} at {position}".encode())
    observed_at = NOW + (at if arrives is None else arrives)
    return Event(at=NOW + at, observed_at=observed_at, source_ip=source_ip, position=position, line=line, **given)


def failures(count: int, at: float = 0.0, source_ip: str = HERE, *, every: float = 1.0, **fields: Any) -> list[Event]:
    """So many failures, one `every` so many seconds."""
    return [event(at + turn * every, source_ip, **fields) for turn in range(count)]


def threshold(
    count: int = 5, within: float = 3600.0, block: float = 3600.0, most: float = 604800.0, **more: Any
) -> Threshold:
    return Threshold(count, within, block, most, **more)


def policy(default: Threshold | None = None, services: Mapping[str, Threshold] | None = None) -> DetectorPolicy:
    return DetectorPolicy(default or threshold(), HEARS, services or {})


def engine(
    detectors: Mapping[str, DetectorPolicy] | None = None,
    *,
    earlier: dict[str, tuple[int, float]] | None = None,
    **policy_fields: Any,
) -> Engine:
    """An engine whose detectors all count failures; by default one of them."""
    policies = detectors or {"brute_force": policy()}
    room = Room()
    made = {name: Detector(name, one, room) for name, one in policies.items()}
    return Engine(Policy(policies, **policy_fields), made, earlier, room)


def fed(to: Engine, events: Sequence[Event]) -> list[Decision]:
    return [decision for one in events for decision in to.feed(one)]


def brute_force() -> DetectorCard:
    """The packaged card."""
    (card,) = (card for card in load_detectors(directories_of("detectors")) if card.id == "brute_force")
    return card
