"""From incidents to decisions: how long, how much of the traffic, and whether somebody already pays for it."""

from collections.abc import Iterable
from dataclasses import replace

from durward.engine.escalation import Escalation
from durward.engine.oldest import forget_oldest
from durward.engine.policy import Policy, Threshold
from durward.engine.restraint import Restraint
from durward.model import EVERYTHING, FOREVER, Decision, Incident, Scope, Subject, Verdict

SOFT_SECONDS = 600.0  # the first block of a source that logs in well, where its service's ports are known
HOUR_SECONDS = 3600.0
SETTLED_MAX = (
    200_000  # incidents that are dealt with without a block are remembered; the oldest are forgotten beyond it
)

Quiet = tuple[str, str, str, str, str]  # a detector, a service, the kind and value of a subject, and an account


class Deciding:
    """Knows who is blocked, and what was decided lately without a block: that is not decided again and again."""

    def __init__(self, policy: Policy, escalation: Escalation) -> None:
        self.policy = policy
        self.restraint = Restraint(policy.familiar_share_max)
        self._escalation = escalation
        self._blocked: dict[str, float | None] = {}
        self._kept_from: dict[tuple[str, str], float | None] = {}  # subjects from services whose ports are blocked
        self._throttled: dict[str, float | None] = {}
        self._settled: dict[Quiet, float] = {}

    def decide(self, incidents: Iterable[Incident], at: float) -> list[Decision]:
        """What is to be done about incidents of one moment (epoch seconds)."""
        decisions = []
        for incident in incidents:
            if self._settled.get(_quiet(incident), 0.0) > at:
                continue
            decisions.append(self._decision(incident, at))
        self._note(decisions)
        return decisions

    def remember(self, incident: Incident, at: float) -> None:
        """An incident that was dealt with before a restart."""
        threshold = self._threshold(incident)
        if threshold.mode == "shadow" or threshold.remedy == "alert":
            self._settle(incident, at + threshold.block_seconds)

    def is_blocked(self, subject: Subject, service: str, at: float) -> bool:
        """Whether what `service` says of `subject` at `at` is history already."""
        if subject.value in self._blocked:
            until = self._blocked[subject.value]
            if until is None or at < until:
                return True
        if not self._kept_from:
            return False
        until = self._kept_from.get((subject.value, service), 0.0)
        return until is None or at < until

    def block(self, subject: Subject, until: float | None) -> None:
        """`subject` is blocked until then (None: for ever)."""
        self._blocked[subject.value] = until

    def throttle(self, subject: Subject, until: float | None) -> None:
        """`subject` is throttled until then (None: for ever): it goes on being counted, and is blocked next."""
        self._throttled[subject.value] = until

    def unblock(self, subject: Subject, *, forgive: bool) -> None:
        """`subject` was let in again."""
        self._blocked.pop(subject.value, None)
        self._throttled.pop(subject.value, None)
        for key in [key for key in self._kept_from if key[0] == subject.value]:
            del self._kept_from[key]
        for quiet in [quiet for quiet in self._settled if quiet[3] == subject.value]:
            del self._settled[quiet]
        if forgive:
            self._escalation.forgive(subject)

    def expire(self, now: float) -> None:
        """Let go of what has ended."""
        self._blocked = {value: until for value, until in self._blocked.items() if until is None or until > now}
        self._kept_from = {key: until for key, until in self._kept_from.items() if until is None or until > now}
        self._throttled = {value: until for value, until in self._throttled.items() if until is None or until > now}
        self._settled = {quiet: until for quiet, until in self._settled.items() if until > now}

    def next_seconds(self, subject: Subject, service: str, detector: str, now: float) -> float:
        """How long the next block of `subject` by `detector` would be, in seconds; FOREVER for a lasting one."""
        policy = self.policy.detectors.get(detector)
        if policy is None:
            return 0.0
        return self._escalation.seconds(subject, now, policy.threshold(service))

    def _decision(self, incident: Incident, at: float) -> Decision:
        threshold = self._effective(incident, at)
        verdict: Verdict = "throttle" if threshold.remedy == "throttle" else "block"
        if threshold.remedy == "alert" or incident.subject.kind not in ("address", "network"):
            verdict = "alert"
        scope = EVERYTHING if verdict == "alert" else self._scope(incident, threshold)
        seconds = self._seconds(incident, threshold, scope, at)
        simulated = threshold.mode == "shadow"
        decision = Decision(
            verdict=verdict,
            subject=incident.subject,
            made_at=at,
            until=None if seconds == FOREVER or verdict == "alert" else at + seconds,
            reason=incident.reason,
            origin=f"detector:{incident.detector}",
            scope=scope,
            incident=incident,
            simulated=simulated,
        )
        if verdict == "alert" or simulated:
            self._settle(incident, at + min(seconds, threshold.block_seconds_max))
            return decision
        held = self.restraint.reason(incident.detector, at, familiar=incident.familiar)
        if held:
            self._settle(incident, at + SOFT_SECONDS)
        return replace(decision, held=held)

    def _effective(self, incident: Incident, at: float) -> Threshold:
        """Its threshold; whoever is throttled already and goes on all the same is blocked."""
        threshold = self._threshold(incident)
        if threshold.remedy != "throttle":
            return threshold
        until = self._throttled.get(incident.subject.value, 0.0)
        return replace(threshold, remedy="block") if until is None or at < until else threshold

    def _scope(self, incident: Incident, threshold: Threshold) -> Scope:
        """Everything, or the ports of the service alone: where that is the remedy, or where the source logs in well."""
        if threshold.remedy == "ports" or (incident.familiar and threshold.remedy == "block"):
            return Scope(threshold.ports)
        return EVERYTHING

    def _seconds(self, incident: Incident, threshold: Threshold, scope: Scope, at: float) -> float:
        if incident.familiar and scope.ports and threshold.remedy == "block":
            threshold = replace(threshold, block_seconds=min(SOFT_SECONDS, threshold.block_seconds), permanent_after=0)
        if threshold.until_hour_ends:
            return HOUR_SECONDS - at % HOUR_SECONDS
        return self._escalation.seconds(incident.subject, at, threshold)

    def _note(self, decisions: list[Decision]) -> None:
        """Remember what one event led to. Where it was one too many for two detectors, the next block grows once."""
        enforced = [one for one in decisions if not one.simulated and not one.held]
        for one in enforced:
            if one.verdict == "throttle":
                self.throttle(one.subject, one.until)
        blocks = [one for one in enforced if one.verdict == "block"]
        by_subject: dict[Subject, list[Decision]] = {}
        for block in blocks:
            by_subject.setdefault(block.subject, []).append(block)
        for subject, made in by_subject.items():
            remember_seconds = max(self._threshold(one.incident).remember_seconds for one in made if one.incident)
            self._escalation.note(subject, made[0].made_at, remember_seconds)
            for one in made:
                self._keep_out(one)

    def _keep_out(self, block: Decision) -> None:
        if block.scope.ports and block.incident:
            self._kept_from[block.subject.value, block.incident.service] = block.until
            return
        before = self._blocked.get(block.subject.value, 0.0)
        longer = before is None or block.until is None
        self._blocked[block.subject.value] = None if longer else max(before or 0.0, block.until or 0.0)

    def _settle(self, incident: Incident, until: float) -> None:
        self._settled.pop(_quiet(incident), None)
        self._settled[_quiet(incident)] = until
        if len(self._settled) > SETTLED_MAX:
            forget_oldest(self._settled)

    def _threshold(self, incident: Incident) -> Threshold:
        return self.policy.detectors[incident.detector].threshold(incident.service)


def _quiet(incident: Incident) -> Quiet:
    subject = incident.subject
    return incident.detector, incident.service, subject.kind, subject.value, incident.account or ""
