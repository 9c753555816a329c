"""Which decisions people are told of, how grave each is, and what is said."""

from durward.messages.inert import line
from durward.model import Decision, Finding, Scope, Standing
from durward.model.alert import Alert, AlertKind, Severity
from durward.model.duration import text_of

LASTING_SECONDS = 7 * 86400.0  # a block that is longer than this has seen escalation
REPEAT_SECONDS = 86400.0  # the same finding is told once in so long
TOLD_EVIDENCE_MAX = 10  # lines


def of_decision(decision: Decision, refused: str | None) -> Alert | None:
    """The alert for a decision; None for what people did themselves and what follows a list. `refused`: by a guard."""
    if decision.verdict == "unblock":
        return _unblock(f"unblock:{decision.id}", decision.subject.value, decision.scope, decision.made_at)
    if not decision.origin.startswith(("detector:", "knock:")):
        return None
    if decision.verdict not in {"block", "alert", "allow"}:
        return None
    incident = decision.incident
    return Alert(
        key=f"decision:{decision.id}",
        kind=_kind(decision, refused),
        severity=_severity(decision, refused),
        at=decision.made_at,
        what=_what(decision, refused),
        why=decision.reason,
        done=_done(decision, refused),
        undo=_undo(decision, refused),
        gathering=":".join((_kind(decision, refused), decision.origin, incident.service if incident else "")),
        subject=decision.subject.value,
        ports=_ports(decision.scope),
        direction=decision.scope.direction,
        until=decision.until,
        decision=decision.id,
        receipt=decision.receipt,
        detector=incident.detector if incident else decision.origin.partition(":")[2],
        service=incident.service if incident else "",
        count=incident.count if incident else 0,
        first_at=incident.first_at if incident else decision.made_at,
        last_at=incident.last_at if incident else decision.made_at,
        evidence=tuple(one.text for one in incident.evidence[-TOLD_EVIDENCE_MAX:]) if incident else (),
    )


def of_expiry(ended: Standing, now: float) -> Alert | None:
    """The alert for a block that has ended by itself; None for other lists."""
    if ended.listing != "block":
        return None
    return _unblock(f"expiry:{ended.decision}:{ended.subject.value}", ended.subject.value, ended.scope, now)


def of_finding(finding: Finding, now: float) -> Alert | None:
    """The alert for something that is wrong with durward or the host: once in REPEAT_SECONDS."""
    if finding.result not in {"fail", "error"}:
        return None
    return Alert(
        key=f"finding:{finding.check}:{finding.subject}:{finding.result}:{int(now // REPEAT_SECONDS)}",
        kind="finding",
        severity="critical",
        at=now,
        what=f"{finding.check}: {finding.subject} is not as it should be",
        why=finding.detail,
        done="nothing",
        undo="durward doctor",
        gathering=f"finding:{finding.check}",
        subject=finding.subject,
    )


def trial(channel: str, now: float) -> Alert:
    """What `durward alerts test` sends."""
    return Alert(
        key=f"test:{channel}:{now:.3f}",
        kind="test",
        severity="critical",
        at=now,
        what="this is a test of the way that alerts take",
        why="somebody typed: durward alerts test",
        done="nothing",
        undo="nothing is to be undone",
        gathering=f"test:{channel}",
        subject="192.0.2.1",
        evidence=("A line of a log would stand here.",),
    )


def _unblock(key: str, subject: str, scope: Scope, at: float) -> Alert:
    return Alert(
        key=key,
        kind="unblock",
        severity="info",
        at=at,
        what=f"{subject} is no longer blocked",
        why="the block has ended" if key.startswith("expiry:") else "somebody took the block back",
        done="the block was taken out of the kernel",
        undo=f"durward block {subject}",
        gathering="unblock",
        subject=subject,
        ports=_ports(scope),
        direction=scope.direction,
    )


def _kind(decision: Decision, refused: str | None) -> AlertKind:
    if refused is not None:
        return "refused"
    if decision.verdict == "block" and not decision.simulated:
        return "block"
    return "allow" if decision.verdict == "allow" else "alert"


def _severity(decision: Decision, refused: str | None) -> Severity:
    if refused is not None:
        return "critical"
    if decision.simulated:
        return "info"
    if decision.verdict == "block" and decision.subject.kind == "address" and not _is_lasting(decision):
        return "notice"
    return "warning"


def _is_lasting(decision: Decision) -> bool:
    return decision.until is None or decision.until - decision.made_at > LASTING_SECONDS


def _what(decision: Decision, refused: str | None) -> str:
    subject = decision.subject.value
    if refused is not None:
        return f"{subject} should be blocked, and a guard refused it"
    if decision.simulated:
        return f"{subject} would be blocked, but this detector only watches"
    if decision.verdict == "allow":
        return f"{subject} was let in by an authorised knock"
    if decision.verdict == "alert":
        return f"{line(decision.reason, 120)} ({subject})"
    return f"{subject} is blocked {_lasting(decision)}"


def _lasting(decision: Decision) -> str:
    return "for ever" if decision.until is None else f"for {text_of(max(1.0, decision.until - decision.made_at))}"


def _done(decision: Decision, refused: str | None) -> str:
    if refused is not None:
        return f"nothing: {refused}"
    if decision.simulated:
        return 'nothing: mode = "shadow"'
    if decision.verdict == "alert":
        return "nothing; you are only told"
    ports = _ports(decision.scope)
    where = f"at port {ports}" if ports else "at all ports"
    way = "coming in" if decision.scope.direction == "in" else "going out to it"
    verb = "let through" if decision.verdict == "allow" else "dropped"
    return f"what is {way} {where} is {verb} {_lasting(decision)}"


def _undo(decision: Decision, refused: str | None) -> str:
    subject = decision.subject.value
    if refused is not None:
        return f"durward why {subject}"
    if decision.simulated or decision.verdict == "alert":
        return f"durward ignore {subject}"
    return f"durward {'disallow' if decision.verdict == 'allow' else 'unblock'} {subject}"


def _ports(scope: Scope) -> str:
    return ",".join(str(port) for port in scope.ports)
