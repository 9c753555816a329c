"""The engine: events in, decisions out. Time is an argument, so the same code runs live, in tests and in a replay."""

from collections.abc import Iterable, Mapping, Sequence

from durward.engine.deciding import Deciding
from durward.engine.detector import Detector
from durward.engine.escalation import Escalation
from durward.engine.policy import Policy
from durward.engine.room import Room
from durward.model import Decision, Event, Finding, Incident, InvalidAddressError, Subject, parse_address

CLOCK_SLACK_SECONDS = 600  # a line whose own time lies further than this from its arrival is counted at its arrival
SUBJECTS_MAX = 16_384  # addresses whose subject is remembered; beyond it they are worked out anew
AUDIENCES_MAX = 16_384  # kinds of events of services whose hearers are remembered; beyond it they are worked out anew
SWEEP_SECONDS = 60  # how often what is too old is let go
SUCCESS = "auth.success"
BEHIND_LOGIN = "authrelay"  # what mail is about whose sender has logged in; some mail servers say no more of that
BLOCKED = "source.blocked"  # the kind of the event by which detectors hear of the engine's own blocks
LOCAL = ("127.", "0.0.0.0")  # noqa: S104 — nobody listens here; no stranger has such an address
OURSELVES = "durward"  # the source of those events
ADDRESSED = ("address", "network")  # the kinds of subjects that addresses are of

Hearer = tuple[str, Detector]


class Engine:
    """Holds what has been seen, and decides. Nothing here touches the world."""

    def __init__(
        self,
        policy: Policy,
        detectors: Mapping[str, Detector],
        earlier: dict[str, tuple[int, float]] | None = None,
        room: Room | None = None,
    ) -> None:
        self.findings: list[Finding] = []
        self.room = Room() if room is None else room
        self._policy = policy
        self._detectors = dict(detectors)
        self._hearers = self._by_kind()
        self._audiences: dict[tuple[str, str], Sequence[Hearer]] = {}
        self._deciding = Deciding(policy, Escalation(earlier))
        self.room.is_blocked = self._deciding.is_blocked
        self._subjects: dict[str, Subject | None] = {}
        self._forgiven: dict[str, float] = {}
        self._swept_at = 0.0

    def feed(self, event: Event) -> list[Decision]:
        """Hear one event; give what is decided because of it."""
        audience = self._audience(event.kind, event.service)
        if audience is None:
            return []
        subject = None if event.source_ip is None else self._subject(event.source_ip)
        at = counted_at(event)
        if subject is not None and self._deciding.is_blocked(subject, event.service, at):
            if event.kind != SUCCESS:
                return []  # lines that were under way while the block was made
            return self._decide(self._incidents(self._tellers(audience, event.service), event, subject, at), at)
        if self._is_spared(event):
            return []
        incidents = self._incidents(audience, event, subject, at)
        self._recognise(event, subject, at)
        return self._decide(incidents, at) if incidents else []

    def accuse(self, incident: Incident, at: float) -> list[Decision]:
        """Decide about what was not read from a log: packets, connections. `at` is epoch seconds."""
        subject = incident.subject
        if incident.detector not in self._detectors:
            return []
        if subject.kind in ADDRESSED and self._subject(str(subject.network.network_address)) is None:
            return []
        if self._deciding.is_blocked(subject, incident.service, at):
            return []
        return self._decide([incident], at)

    def remember(self, event: Event) -> None:
        """Hear an event that was already acted upon before a restart: it counts, and decides nothing."""
        audience = self._audience(event.kind, event.service)
        if audience is None:
            return
        subject = None if event.source_ip is None else self._subject(event.source_ip)
        at = counted_at(event)
        if subject is not None and (
            at <= self._forgiven.get(subject.value, 0.0) or self._deciding.is_blocked(subject, event.service, at)
        ):
            return
        if self._is_spared(event):
            return
        for incident in self._incidents(audience, event, subject, at):
            self._deciding.remember(incident, at)
        self._recognise(event, subject, at)

    def forgive(self, lifted: Mapping[Subject, float]) -> None:
        """When subjects were last let in again (epoch seconds): what they did before is not remembered."""
        self._forgiven = {subject.value: at for subject, at in lifted.items()}

    def tick(self, now: float) -> list[Decision]:
        """Let go of what is too old, and give what is decided because nothing happened. `now` is epoch seconds."""
        if 0 <= now - self._swept_at < SWEEP_SECONDS:
            return []
        self._swept_at = now
        incidents: list[Incident] = []
        for name, detector in list(self._detectors.items()):
            try:
                incidents += detector.tick(now)
            except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                self._switch_off(name, error)
        self._deciding.expire(now)
        return self._decide(incidents, now)

    def block(self, subject: Subject, until: float | None) -> None:
        """`subject` is blocked until then (None: for ever); what its lines say meanwhile does not count."""
        self._deciding.block(subject, until)

    def throttle(self, subject: Subject, until: float | None) -> None:
        """`subject` is throttled until then (None: for ever); its lines count on."""
        self._deciding.throttle(subject, until)

    def unblock(self, subject: Subject, *, forgive: bool = True) -> None:
        """`subject` was let in again: its counters begin at nothing, and the next line does not block at once."""
        self._deciding.unblock(subject, forgive=forgive)
        for name, detector in list(self._detectors.items()):
            try:
                detector.forget(subject)
            except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                self._switch_off(name, error)

    def is_blocked(self, subject: Subject, service: str, at: float) -> bool:
        """Whether `subject` is blocked at `at` already, as far as `service` is concerned."""
        return self._deciding.is_blocked(subject, service, at)

    def detector(self, name: str) -> Detector | None:
        """The detector of a card: for what tells it of packets, which are too many to be events."""
        return self._detectors.get(name)

    def reconsider(self, policy: Policy) -> None:
        """The lists changed: ask anew whose lines do not count. Counters and detectors stay."""
        self._policy = policy
        self._deciding.policy = policy
        self._subjects.clear()
        self._audiences.clear()

    def subject_of(self, source_ip: str) -> Subject:
        """Whom an event of `source_ip` counts against: the address, or its IPv6 network. Raises InvalidAddressError."""
        return Subject.around(parse_address(source_ip), self._policy.block_prefix_v6)

    def next_seconds(self, subject: Subject, service: str, detector: str, now: float) -> float:
        """How long the next block of `subject` by `detector` would be, in seconds; FOREVER for a lasting one."""
        return self._deciding.next_seconds(subject, service, detector, now)

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many hits `subject` has at present, and how many are too many, where it is nearest to that."""
        counts = [detector.nearest(subject) for detector in self._detectors.values()]
        return max(counts, key=nearness, default=(0, 0))

    def held(self, now: float) -> dict[str, float]:
        """The detectors that are held back because they would block people who log in well, and until when."""
        return self._deciding.restraint.held(now)

    def why_held(self, detector: str) -> str:
        """What is odd about those whom a held detector wants to block."""
        return self._deciding.restraint.finding(detector)

    def _subject(self, source_ip: str) -> Subject | None:
        subject = self._subjects.get(source_ip)
        if subject is not None or source_ip in self._subjects:
            return subject
        if len(self._subjects) >= SUBJECTS_MAX:
            self._subjects.clear()
        subject = None if self._policy.exempt(source_ip) is not None else self._stranger(source_ip)
        self._subjects[source_ip] = subject
        return subject

    def _stranger(self, source_ip: str) -> Subject | None:
        """Whom to count an address for; None for what is no address, or this host's own."""
        try:
            if ":" not in source_ip:  # in canonical text, as events have it: parsing takes several times as long
                return None if source_ip.startswith(LOCAL) else Subject("address", source_ip)
            address = parse_address(source_ip)
        except InvalidAddressError:
            return None
        if address.is_loopback or address.is_unspecified:
            return None
        return Subject.around(address, self._policy.block_prefix_v6)

    def _is_spared(self, event: Event) -> bool:
        spared = self._policy.spared
        return spared is not None and event.source_ip is not None and bool(spared(event.source_ip, event.service))

    def _incidents(
        self, hearers: Sequence[Hearer], event: Event, subject: Subject | None, at: float
    ) -> Sequence[Incident]:
        incidents: list[Incident] = []
        for name, detector in hearers:
            try:
                incidents += detector.feed(event, subject, at)
            except Exception as error:  # noqa: BLE001 — whatever a detector raises, the others go on
                self._switch_off(name, error)
        return incidents

    def _audience(self, kind: str, service: str) -> Sequence[Hearer] | None:
        """Who hears of such an event of `service`; None where nobody hears of its kind. Worked out once for each."""
        try:
            return self._audiences[kind, service]
        except KeyError:
            pass
        hearers = self._hearers.get(kind)
        if hearers is None:
            return None
        if len(self._audiences) >= AUDIENCES_MAX:
            self._audiences.clear()
        audience = self._audiences[kind, service] = [one for one in hearers if self._listens(one[0], service)]
        return audience

    def _listens(self, detector: str, service: str) -> bool:
        policy = self._policy.detectors[detector]
        return policy.threshold(service).watches and (not policy.of or service in policy.of)

    def _tellers(self, hearers: Sequence[Hearer], service: str) -> list[Hearer]:
        """Those who only tell: that somebody came in although he is blocked, by his last guess or through a gap."""
        detectors = self._policy.detectors
        return [one for one in hearers if detectors[one[0]].threshold(service).remedy == "alert"]

    def _recognise(self, event: Event, subject: Subject | None, at: float) -> None:
        if subject is not None and (event.kind == SUCCESS or event.about == BEHIND_LOGIN):
            self.room.familiar.note(subject, event.user_name, at)

    def _decide(self, incidents: Iterable[Incident], at: float) -> list[Decision]:
        decisions = self._deciding.decide(incidents, at)
        if BLOCKED in self._hearers:
            for one in list(decisions):
                if one.verdict == "block" and one.subject.kind in ADDRESSED and not one.simulated and not one.held:
                    decisions += self._hear_of(one)
        return decisions

    def _hear_of(self, block: Decision) -> list[Decision]:
        """Let the detectors that hear of blocks hear of this one; what they decide is not heard of again."""
        subject, service = block.subject, block.incident.service if block.incident else ""
        at, address = block.made_at, str(subject.network.network_address)
        event = Event(BLOCKED, at, at, service, OURSELVES, subject.value, block.reason.encode(), address)
        audience = self._audience(BLOCKED, service) or ()
        return self._deciding.decide(self._incidents(audience, event, subject, at), at)

    def _by_kind(self) -> dict[str, list[Hearer]]:
        """Who hears which kind of event. Successful logins are always heard: they tell who is familiar."""
        hearers: dict[str, list[Hearer]] = {SUCCESS: []}
        for name, detector in self._detectors.items():
            for kind in self._policy.detectors[name].hears:
                hearers.setdefault(kind, []).append((name, detector))
        return hearers

    def _switch_off(self, name: str, error: Exception) -> None:
        """A detector that raises is switched off and reported, never skipped silently."""
        self._detectors.pop(name, None)
        self._hearers = self._by_kind()
        self._audiences.clear()
        self.findings.append(Finding("detector", name, "error", f"switched off: {type(error).__name__}: {error}"))


def nearness(count: tuple[int, int]) -> float:
    """How near hits are to the threshold that stands beside them: 1 where it is reached."""
    hits, threshold = count
    return hits / threshold if threshold else 0.0


def counted_at(event: Event) -> float:
    """When an event counts: at its own time, or at its arrival where the two lie too far apart to be believed."""
    if abs(event.observed_at - event.at) <= CLOCK_SLACK_SECONDS:
        return event.at
    return event.observed_at
