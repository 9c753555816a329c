"""Which decisions people are told of, how grave each is, and what is said."""

import shlex
from dataclasses import replace

from durward.messages.inert import line
from durward.model import Decision, Finding, Incident, Scope, Standing, Subject
from durward.model.alert import Alert, AlertKind, Severity
from durward.model.duration import text_of
from durward.model.event import FILES

LASTING_SECONDS = 7 * 86400.0  # a block that is longer than this has seen escalation
REPEAT_SECONDS = 86400.0  # the same finding is told once in so long
HELD_SECONDS = 3600.0  # that a detector is held back is told once in so long
TOLD_EVIDENCE_MAX = 10  # lines
WHAT_CHARACTERS_MAX = 200
ADDRESSED = ("address", "network")


def of_decision(decision: Decision, refused: str | None) -> Alert | None:
    """The alert for a decision; None for what people did themselves and what follows a list. `refused`: by a guard."""
    if decision.verdict == "unblock":
        return _unblock(f"unblock:{decision.id}", decision.subject.value, decision.scope, decision.made_at)
    if not decision.origin.startswith(("detector:", "knock:")):
        return None
    if decision.verdict not in {"block", "throttle", "alert", "allow"}:
        return None
    incident = decision.incident
    made = Alert(
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
        evidence=_texts(incident, of_files=False),
        account=_account(incident, decision.subject) or "",
        about=(incident.about or "") if incident else "",
        files=_texts(incident, of_files=True),
    )
    return _of_held(made) if decision.held else made


def of_account(decision: Decision, refused: str | None) -> Alert | None:
    """The alert for programs that deal with accounts, one for all decisions of one accusation; None for others.

    A login accuses nobody and is of another kind; what was refused, held or simulated did not happen.
    """
    incident = decision.incident
    if incident is None or refused is not None or decision.simulated or decision.held:
        return None
    who = _account(incident, decision.subject) or (decision.subject.value if incident.about else "")
    made = of_decision(decision, None)
    if made is None or not who:
        return None
    kind: AlertKind = "account" if incident.severity is None else "login"
    key = f"{kind}:{incident.detector}:{incident.service}:{who}:{decision.made_at:.3f}"
    return replace(made, key=key, kind=kind, gathering=key)


def _texts(incident: Incident | None, *, of_files: bool) -> tuple[str, ...]:
    """The last lines of an incident, or the files that may have to do with it."""
    evidence = incident.evidence if incident else ()
    return tuple(one.text for one in evidence if (one.source == FILES) == of_files)[-TOLD_EVIDENCE_MAX:]


def _account(incident: Incident | None, subject: Subject) -> str | None:
    if incident is not None and incident.account:
        return incident.account
    return subject.value if subject.kind == "user" else None


def _of_held(made: Alert) -> Alert:
    """That a detector is held back, once for all whom it would have blocked meanwhile."""
    return replace(
        made,
        key=f"held:{made.detector}:{int(made.at // HELD_SECONDS)}",
        what=f"{made.detector} is held back: it would block people who log in well, {made.subject} among them",
        gathering=f"held:{made.detector}",
        undo="durward status",
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


def of_recovery(finding: Finding, now: float) -> Alert:
    """The alert for something that was told to be wrong, and is right again."""
    return Alert(
        key=f"recovery:{finding.check}:{finding.subject}:{int(now)}",
        kind="finding",
        severity="notice",
        at=now,
        what=f"{finding.check}: {finding.subject} is as it should be again",
        why=f"it was: {finding.detail}",
        done="nothing",
        undo="durward doctor",
        gathering=f"finding:{finding.check}",
        subject=finding.subject,
    )


def of_unexplained(rows: tuple[str, ...], lines: int, began_at: float, now: float) -> Alert:
    """The report of lines that nothing made an event of. Of the `rows` the first are told, the others counted."""
    further = f", and {len(rows) - TOLD_EVIDENCE_MAX:,} kinds more" if len(rows) > TOLD_EVIDENCE_MAX else ""
    return Alert(
        key=f"unexplained:{int(began_at)}",
        kind="finding",
        severity="warning",
        at=now,
        what=f"{lines:,} lines of logs that nothing explains" if lines else "every line of the logs is explained",
        why=f"lines that no pattern knows, alike ones together, the most frequent first{further}",
        done="nothing",
        undo="durward log --unexplained",
        gathering="unexplained",
        subject="logs",
        count=lines,
        first_at=began_at,
        last_at=now,
        evidence=rows[:TOLD_EVIDENCE_MAX],
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
    if decision.incident is not None and decision.incident.severity is not None:
        return decision.incident.severity
    if decision.verdict == "block" and decision.subject.kind == "address" and not _is_lasting(decision):
        return "notice"
    return "warning"


def _is_lasting(decision: Decision) -> bool:
    return decision.until is None or decision.until - decision.made_at > LASTING_SECONDS


def _what(decision: Decision, refused: str | None) -> str:
    subject = decision.subject.value
    if refused is not None:
        return f"{subject} should be {_acted(decision)}, and a guard refused it"
    if decision.verdict == "alert":
        told = line(decision.reason, WHAT_CHARACTERS_MAX)
        return told if subject in told else f"{told} ({subject})"
    if decision.simulated:
        return f"{subject} would be {_acted(decision)}, but this detector only watches"
    if decision.verdict == "allow":
        return f"{subject} was let in by an authorised knock"
    return f"{subject} is {_acted(decision)} {_lasting(decision)}"


def _acted(decision: Decision) -> str:
    return "throttled" if decision.verdict == "throttle" else "blocked"


def _lasting(decision: Decision) -> str:
    return "for ever" if decision.until is None else f"for {text_of(max(1.0, decision.until - decision.made_at))}"


def _done(decision: Decision, refused: str | None) -> str:
    if refused is not None:
        return f"nothing: {refused}"
    if decision.simulated:
        return 'nothing: mode = "shadow"'
    if decision.verdict == "alert":
        return "nothing was blocked; you are only told"
    if decision.verdict == "throttle":
        return f"what it begins anew is limited {_lasting(decision)}; what goes on is not"
    ports = _ports(decision.scope)
    where = f"at port {ports}" if ports else "at all ports"
    way = "coming in" if decision.scope.direction == "in" else "going out to it"
    verb = "let through" if decision.verdict == "allow" else "dropped"
    return f"what is {way} {where} is {verb} {_lasting(decision)}"


def _undo(decision: Decision, refused: str | None) -> str:
    subject = decision.subject.value
    if refused is not None:
        return f"durward why {subject}"
    if decision.subject.kind not in ADDRESSED:
        return f"durward why {shlex.quote(subject)}"
    if decision.verdict == "alert" and decision.incident is not None and decision.incident.severity is not None:
        return f"durward block {subject}"  # whoever logged in should not have
    if decision.simulated or decision.verdict == "alert":
        return f"durward ignore {subject}"
    return f"durward {'disallow' if decision.verdict == 'allow' else 'unblock'} {subject}"


def _ports(scope: Scope) -> str:
    return ",".join(str(port) for port in scope.ports)
