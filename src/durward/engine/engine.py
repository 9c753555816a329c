"""The engine: events in, decisions out. Time is an argument, so the same code runs live, in tests and in a replay."""

from collections.abc import Mapping

from durward.engine.detector import Detector
from durward.engine.escalation import Escalation
from durward.engine.policy import Policy, Threshold
from durward.model import FOREVER, Decision, Event, Finding, Incident, InvalidAddressError, Subject, parse_address

CLOCK_SLACK_SECONDS = 600  # a line whose own time lies further than this from its arrival is counted at its arrival
SUBJECTS_MAX = 65_536  # addresses whose subject is remembered; beyond it they are worked out anew
SWEEP_SECONDS = 60  # how often what is too old is let go


class Engine:
    """Holds what has been seen, and decides. Nothing here touches the world."""

    def __init__(
        self, policy: Policy, detectors: Mapping[str, Detector], earlier: dict[str, tuple[int, float]] | None = None
    ) -> None:
        self.findings: list[Finding] = []
        self._policy = policy
        self._detectors = dict(detectors)
        self._escalation = Escalation(earlier)
        self._subjects: dict[str, Subject | None] = {}
        self._forgiven: dict[str, float] = {}
        self._blocked: dict[str, float | None] = {}
        self._swept_at = 0.0

    def feed(self, event: Event) -> list[Decision]:
        """Hear one event; give what is decided because of it."""
        if event.source_ip is None or event.hits <= 0:
            return []
        subject = self._subject(event.source_ip)
        if subject is None:
            return []
        at = counted_at(event)
        if self._is_blocked(subject, at):
            return []  # lines that were under way while the block was made
        decisions = [self._decide(incident, at) for incident in self._incidents(event, subject, at)]
        self._note(subject, [decision for decision in decisions if not decision.simulated])
        return decisions

    def remember(self, event: Event) -> None:
        """Hear an event that was already acted upon before a restart: it counts, and decides nothing."""
        if event.source_ip is not None and event.hits > 0 and (subject := self._subject(event.source_ip)):
            at = counted_at(event)
            if at > self._forgiven.get(subject.value, 0.0) and not self._is_blocked(subject, at):
                self._incidents(event, subject, at)

    def forgive(self, lifted: Mapping[Subject, float]) -> None:
        """When subjects were last let in again (epoch seconds): what they did before is not remembered."""
        self._forgiven = {subject.value: at for subject, at in lifted.items()}

    def tick(self, now: float) -> list[Decision]:
        """Let go of what is too old. `now` is epoch seconds. No detector decides because nothing happened, yet."""
        if not 0 <= now - self._swept_at < SWEEP_SECONDS:
            self._swept_at = now
            for name, detector in list(self._detectors.items()):
                try:
                    detector.tick(now)
                except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                    self._switch_off(name, error)
            self._blocked = {value: until for value, until in self._blocked.items() if until is None or until > now}
        return []

    def block(self, subject: Subject, until: float | None) -> None:
        """`subject` is blocked until then (None: for ever); what its lines say meanwhile does not count."""
        self._blocked[subject.value] = until

    def unblock(self, subject: Subject, *, forgive: bool = True) -> None:
        """`subject` was let in again: its counters begin at nothing, and the next line does not block at once."""
        self._blocked.pop(subject.value, None)
        for name, detector in list(self._detectors.items()):
            try:
                detector.forget(subject)
            except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                self._switch_off(name, error)
        if forgive:
            self._escalation.forgive(subject)

    def reconsider(self, policy: Policy) -> None:
        """The lists changed: ask anew whose lines do not count. Counters and detectors stay."""
        self._policy = policy
        self._subjects.clear()

    def subject_of(self, source_ip: str) -> Subject:
        """Whom an event of `source_ip` counts against: the address, or its IPv6 network. Raises InvalidAddressError."""
        return Subject.around(parse_address(source_ip), self._policy.block_prefix_v6)

    def next_seconds(self, subject: Subject, service: str, detector: str, now: float) -> float:
        """How long the next block of `subject` by `detector` would be, in seconds; FOREVER for a lasting one."""
        policy = self._policy.detectors.get(detector)
        if policy is None:
            return 0.0
        return self._escalation.seconds(subject, now, policy.threshold(service))

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many hits `subject` has at present, and how many are too many, where it is nearest to that."""
        counts = [detector.nearest(subject) for detector in self._detectors.values()]
        return max(counts, key=nearness, default=(0, 0))

    def _subject(self, source_ip: str) -> Subject | None:
        try:
            return self._subjects[source_ip]
        except KeyError:
            pass
        if len(self._subjects) >= SUBJECTS_MAX:
            self._subjects.clear()
        try:
            address = parse_address(source_ip)
        except InvalidAddressError:
            subject = None
        else:
            exempt = address.is_loopback or address.is_unspecified or self._policy.exempt(source_ip) is not None
            subject = None if exempt else Subject.around(address, self._policy.block_prefix_v6)
        self._subjects[source_ip] = subject
        return subject

    def _is_blocked(self, subject: Subject, at: float) -> bool:
        if subject.value not in self._blocked:
            return False
        until = self._blocked[subject.value]
        return until is None or at < until

    def _incidents(self, event: Event, subject: Subject, at: float) -> list[Incident]:
        incidents = []
        for name, detector in list(self._detectors.items()):
            policy = self._policy.detectors[name]
            if event.kind not in policy.hears or not policy.threshold(event.service).watches:
                continue
            try:
                incident = detector.feed(event, subject, at)
            except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                self._switch_off(name, error)
            else:
                if incident is not None:
                    incidents.append(incident)
        return incidents

    def _switch_off(self, name: str, error: Exception) -> None:
        """A detector that raises is switched off and reported, never skipped silently."""
        del self._detectors[name]
        self.findings.append(Finding("detector", name, "error", f"switched off: {type(error).__name__}: {error}"))

    def _decide(self, incident: Incident, at: float) -> Decision:
        threshold = self._threshold(incident)
        seconds = self._escalation.seconds(incident.subject, at, threshold)
        return Decision(
            verdict="block",
            subject=incident.subject,
            made_at=at,
            until=None if seconds == FOREVER else at + seconds,
            reason=incident.reason,
            origin=f"detector:{incident.detector}",
            incident=incident,
            simulated=threshold.mode == "shadow",
        )

    def _note(self, subject: Subject, blocks: list[Decision]) -> None:
        """Remember what one event led to. Where it was one too many for two detectors, the next block grows once."""
        if not blocks:
            return
        longest = max(blocks, key=lambda block: FOREVER if block.until is None else block.until)
        remember_seconds = max(self._threshold(block.incident).remember_seconds for block in blocks if block.incident)
        self._escalation.note(subject, longest.made_at, remember_seconds)
        self._blocked[subject.value] = longest.until

    def _threshold(self, incident: Incident) -> Threshold:
        return self._policy.detectors[incident.detector].threshold(incident.service)


def nearness(count: tuple[int, int]) -> float:
    """How near hits are to the threshold that stands beside them: 1 where it is reached."""
    hits, threshold = count
    return hits / threshold if threshold else 0.0


def counted_at(event: Event) -> float:
    """When an event counts: at its own time, or at its arrival where the two lie too far apart to be believed."""
    if abs(event.observed_at - event.at) <= CLOCK_SLACK_SECONDS:
        return event.at
    return event.observed_at
