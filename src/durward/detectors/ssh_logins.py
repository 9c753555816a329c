"""Logins worth telling: who came in as whom, how, from where, and whether from a network that he is known in.

What is told once is not told again while it goes on: each login that is like it begins the silence anew.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from durward.engine.networks import network_around
from durward.engine.oldest import forget_oldest
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Event, Incident, InvalidAddressError, Subject, parse_address
from durward.model.alert import Severity

TOLD_MAX = 50_000  # of the latest that were told; beyond it the first ones are forgotten, and may be told again
LOGINS = frozenset({"auth.success", "session.opened"})
FAILURES = {"auth.failure": "failed to become", "access.denied": "was refused when trying to become"}
KEYS = ("SHA256:", "SHA1:", "SHA512:", "MD5:")  # what the fingerprint of a key begins with
FINGERPRINT_COLONS = 15  # of one that is written as sixteen bytes
TERMINALS = ("/dev/", "tty", "pts", "console", "hvc")
ELSE = "another account"  # where a line does not say whose

Told = tuple[str, str, str, str]  # a service, a source, an account, and how, or what failed


class Detector:
    """Tells of logins of its `accounts`, and of those who became another; `only_failures`: of what failed alone."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector = detector
        self._policy = policy
        self._room = room
        self._accounts = tuple(name.casefold() for name in policy.values.get("accounts", ("*",)))
        self._unless = frozenset(name.casefold() for name in policy.values.get("unless", ()))
        self._only_failures: bool = policy.values.get("only_failures", False)
        self._told: dict[Told, float] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Give the login that `event` tells of, unless the same was told a while ago."""
        account = event.user_name
        if not account or not self._is_wanted(account.casefold(), event.kind):
            return ()
        # A login from a network is noted before it is asked whether it is told: also the one that is told of nobody.
        known = self._arrived(event, subject, account, at)
        how = event.kind if event.kind in FAILURES else event.about or ""
        key = (event.service, event.source_ip or event.source_host or "", account.casefold(), how)
        before = self._told.pop(key, None)
        if before is None and len(self._told) >= TOLD_MAX:
            forget_oldest(self._told)
        self._told[key] = at
        if before is not None and abs(at - before) < self._policy.threshold(event.service).within_seconds:
            return ()
        return (self._incident(event, subject, account, at, known=known),)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`: its next login is told again."""
        for key in [key for key in self._told if key[1] == subject.value]:
            del self._told[key]

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what would be told again anyway."""
        for key, at in list(self._told.items()):
            if now - at >= self._policy.threshold(key[0]).within_seconds:
                del self._told[key]
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:  # noqa: ARG002 — of the protocol
        """No login is too many."""
        return 0, self._policy.default.count

    def _is_wanted(self, account: str, kind: str) -> bool:
        if account in self._unless or (self._only_failures and kind not in FAILURES):
            return False
        return any(fnmatchcase(account, pattern) for pattern in self._accounts)

    def _arrived(self, event: Event, subject: Subject | None, account: str, at: float) -> bool | None:
        """Whether the account was used from this network before; None where the line does not say from where."""
        if subject is None or event.kind not in LOGINS:
            return None
        return self._room.familiar.arrive(subject, account, at)

    def _incident(
        self, event: Event, subject: Subject | None, account: str, at: float, *, known: bool | None
    ) -> Incident:
        threshold = self._policy.threshold(event.service)
        mark = self._room.recollection.mark(event, at)
        return Incident(
            detector=self._detector,
            service=event.service,
            subject=subject or _exempt(event) or Subject("user", account),
            first_at=at,
            last_at=at,
            count=1,
            threshold=threshold.count,
            within_seconds=threshold.within_seconds,
            evidence=self._room.recollection.lines([mark]),
            reason=_reason(event, subject, account, threshold.name or event.service, known=known),
            account=account,
            familiar=known is True,
            severity=_severity(event, subject, known=known),
            about=event.about,
        )


def _exempt(event: Event) -> Subject | None:
    """The address of a source whose lines do not count: who is ignored is only written down."""
    try:
        return Subject.parse(str(parse_address(event.source_ip))) if event.source_ip else None
    except InvalidAddressError:
        return None


def _severity(event: Event, subject: Subject | None, *, known: bool | None) -> Severity:
    if event.source_ip is not None and subject is None:
        return "info"
    if event.kind in FAILURES or known is False:
        return "warning"
    # Who stands before the machine, or has its screen, needs no network.
    return "warning" if event.kind == "session.opened" and _place(event.about or "") else "notice"


def _reason(event: Event, subject: Subject | None, account: str, service: str, *, known: bool | None) -> str:
    if event.kind in FAILURES:
        return f"{account} {FAILURES[event.kind]} {event.about or ELSE} by {service}"
    if event.kind not in LOGINS:
        return f"{account} became {event.about or ELSE} by {service}"
    said, how = f"{account} logged in by {service}", _how(event.about or "")
    if known is None or subject is None:
        where = event.source_ip or event.source_host
        return f"{said} from {where}{how}" if where else f"{said}{how}"
    again = "not for the first time" if known else "for the first time"
    return f"{said} from {event.source_ip}, {again} from this network ({network_around(subject).value}){how}"


def _how(about: str) -> str:
    if not about:
        return ""
    if about.startswith(KEYS) or about.count(":") >= FINGERPRINT_COLONS:
        return f", with the key {about}"
    return f" at {about}" if _place(about) else f", by {about}"


def _place(about: str) -> bool:
    return about.startswith(TERMINALS)
