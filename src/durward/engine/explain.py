"""Why somebody is refused: what stands against him, put into the words and fields that `durward why` gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from durward.model import Decision, Evidence, Scope, Standing, Subject
from durward.model.duration import text_of

SECONDS_MIN, SECONDS_MAX = -62_135_510_400.0, 253_402_214_400.0  # a day within the years 1 and 9999: zones shift it


@dataclass(frozen=True, slots=True)
class Held:
    """One entry that stands against somebody, with the decision behind it and what the kernel has counted since.

    `name` is what its address was called when it was asked for, confirmed by DNS; empty where that is not known.
    """

    standing: Standing
    decision: Decision
    packets: int
    bytes: int
    in_kernel: bool
    next_seconds: float | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """One earlier decision; `refused` is the reason of the guard that did not let it happen."""

    decision: Decision
    refused: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is known of one subject. `allowed` and `ignored` name what lets it pass or keeps it uncounted."""

    subject: Subject
    held: Sequence[Held]
    past: Sequence[Past]
    allowed: str | None
    ignored: str | None
    hits: int
    threshold: int
    throttle_rate: str = ""


def explanation(case: Case) -> dict[str, Any]:
    """The whole answer: one layer for everything that can refuse, the history, and what exempts."""
    passes = case.allowed is not None
    layers = [_layer(held, case.throttle_rate, passes=passes) for held in case.held]
    if all(layer["layer"] != "block" for layer in layers):
        layers.append(_no_block(case))
    return {
        "subject": case.subject.value,
        "blocked": any(layer["blocked"] for layer in layers),
        "layers": layers,
        "history": [history_entry(past.decision, past.refused) for past in case.past],
        "allowed": passes,
        "allowed_by": case.allowed,
        "ignored": case.ignored is not None,
        "ignored_by": case.ignored,
    }


def account_explanation(
    account: str, held: Sequence[Held], past: Sequence[Past], told: Decision | None = None, throttle_rate: str = ""
) -> dict[str, Any]:
    """The answer for a name that is no address: who is refused because of failures on an account, and what was told.

    `told` is the newest decision about the name itself: an account, a file or a process, which refuses nobody.
    """
    layers = [_layer(one, throttle_rate, passes=False) for one in held]
    if told is not None:
        layers.append({"layer": "told", "blocked": False, **history_entry(told, None), **_proof(told)})
    return {
        "subject": account,
        "blocked": any(layer["blocked"] for layer in layers),
        "layers": layers,
        "history": [history_entry(one.decision, one.refused) for one in past],
        "allowed": False,
        "allowed_by": None,
        "ignored": False,
        "ignored_by": None,
    }


def history_entry(decision: Decision, refused: str | None) -> dict[str, Any]:
    """One decision as `log` and the history of `why` give it."""
    entry: dict[str, Any] = {
        "decision": decision.id,
        "receipt": decision.receipt,
        "verdict": decision.verdict,
        "subject": decision.subject.value,
        "ports": ports_of(decision.scope),
        "direction": decision.scope.direction,
        "made_at": moment(decision.made_at),
        "until": moment(decision.until),
        "reason": decision.reason,
        "origin": decision.origin,
        "simulated": decision.simulated,
    }
    if decision.incident is not None and decision.incident.account:
        entry["account"] = decision.incident.account
    if refused is not None:
        entry["refused"] = refused
    return entry


def ports_of(scope: Scope) -> str:
    """The ports of a scope as they are typed: `22,53/udp`; empty for all traffic."""
    return ",".join(str(port) for port in scope.ports)


def moment(at: float | None) -> str | None:
    """A time as JSON gives it: ISO 8601 in UTC; None for never. A forged one beyond all years is cut off."""
    if at is None:
        return None
    return datetime.fromtimestamp(min(max(at, SECONDS_MIN), SECONDS_MAX), UTC).isoformat(timespec="milliseconds")


def undo_of(decision: Decision) -> str:
    """The one command that takes a block back."""
    return f"durward unblock {decision.subject.value}"


def _layer(held: Held, throttle_rate: str, *, passes: bool) -> dict[str, Any]:
    decision = held.decision
    throttle = held.standing.listing == "throttle"
    layer: dict[str, Any] = {
        "layer": held.standing.listing,
        "blocked": held.in_kernel and not passes and not throttle,
        **history_entry(decision, None),
        "until": moment(held.standing.until),
        "packets": held.packets,
        "bytes": held.bytes,
        "in_kernel": held.in_kernel,
        **_proof(decision),
        "undo": undo_of(decision),
        "next_time": None if held.next_seconds is None else text_of(held.next_seconds),
    }
    if held.name:
        layer["name"] = held.name
    if throttle:
        layer |= {"throttled": held.in_kernel and not passes, "limit": throttle_rate}
    return layer


def _proof(decision: Decision) -> dict[str, Any]:
    incident = decision.incident
    if incident is None:
        return {"evidence": []}
    return {
        "count": incident.count,
        "threshold": incident.threshold,
        "within": text_of(incident.within_seconds),
        "service": incident.service,
        "account": incident.account,
        "first_at": moment(incident.first_at),
        "last_at": moment(incident.last_at),
        "evidence": [evidence_entry(line) for line in incident.evidence],
    }


def evidence_entry(line: Evidence) -> dict[str, Any]:
    """One line of evidence as JSON gives it."""
    return {"source": line.source, "position": line.position, "at": moment(line.at), "text": line.text}


def _no_block(case: Case) -> dict[str, Any]:
    return {"layer": "block", "blocked": False, "count": case.hits, "threshold": case.threshold}
