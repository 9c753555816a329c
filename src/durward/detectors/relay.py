"""Mail that is sent through this host: how many recipients an account, a source or a local user reached of late.

A mail counts for as many as it is for, by the line that says so: the one about the mail, or the queue's a moment later,
which names it as the mail's did (a session). CSF's classes are told apart here where a line alone cannot: what comes
from this host itself, what comes from somebody who has just fetched mail, and what comes behind a login.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from durward.engine.policy import DetectorPolicy, Threshold
from durward.engine.recollection import seconds_of
from durward.engine.room import Room
from durward.engine.spans import span
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Event, Incident, Subject, parse_address

QUEUED = "mail.queued"  # the kind of what a queue says of a mail that came before
LOGIN = "auth.success"
MAILS_MAX = 16_384  # whose queue may still say how many they are for; beyond it the oldest counts for one
LOGINS_MAX = 16_384  # remembered; beyond it the oldest are forgotten, and what comes from there is plain relay
SOURCES_MAX = 50  # of one account that are accused beside it, those of its last mails
FETCHING, HANDING_IN = frozenset({"imap", "imap4", "imap4s", "pop3", "pop3s"}), "smtp"  # what logins are about


class Mail(NamedTuple):
    """Who sends: whom it counts for, from where, and in which account's name, as far as that is known."""

    who: Subject
    source: Subject | None
    account: str | None


class Login(NamedTuple):
    """A login, from where, and when it was (epoch seconds)."""

    account: str | None
    source_ip: str
    at: float


class Detector:
    """Counts the mail of one class."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        self._detector, self._policy, self._room = detector, policy, room
        self._values: Any = policy.values
        self._class: str = self._values["class"]
        self._windows: dict[str, Window] = {}
        self._sources: dict[str, Tally] = {}
        self._mails: dict[tuple[str, str], Mail] = {}
        self._logins: dict[tuple[str, str], Login] = {}

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Count a mail, or what its queue says of it; give incidents when its sender reached too many."""
        if event.kind == LOGIN:
            self._note(event, at)
            return ()
        if event.kind == QUEUED:
            mail = self._mails.pop((event.service, event.session or ""), None)
            return () if mail is None else self._count(mail, event, at, event.quantity - 1)
        mail = self._mail(event, subject, at)
        if mail is None:
            return ()
        if event.session:
            _keep(self._mails, (event.service, event.session), mail, MAILS_MAX)
        return self._count(mail, event, at, event.quantity)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`."""
        for window in self._windows.values():
            window.forget(subject.value)

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter."""
        for window in self._windows.values():
            window.expire(now)
        for tally in self._sources.values():
            tally.expire(now)
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many recipients `subject` reached where it is nearest to too many, and how many those are."""
        counts = [
            (len(w.marks(subject.value)), self._policy.threshold(name).count) for name, w in self._windows.items()
        ]
        return max(counts, key=lambda count: count[0] / (count[1] or 1), default=(0, self._policy.default.count))

    def _note(self, event: Event, at: float) -> None:
        """Remember a login: by its connection or, where mail was fetched, by its source."""
        if event.source_ip is None:
            return
        login = Login(event.user_name, event.source_ip, at)
        if (event.about or "").lower() in FETCHING:
            _keep(self._logins, ("", event.source_ip), login, LOGINS_MAX)
        elif event.about == HANDING_IN and event.session:
            _keep(self._logins, (event.service, event.session), login, LOGINS_MAX)

    def _mail(self, event: Event, subject: Subject | None, at: float) -> Mail | None:
        """Who sent it, if it is of our class and anybody's."""
        found, account = self._sort(event, at)
        if found != self._class or (account or "") in self._values["except"]:
            return None
        if found in {"authrelay", "localrelay"}:
            who = Subject("user", account) if account else subject
        elif found == "localhostrelay":
            who = Subject.parse(event.source_ip or "")
        else:
            who = subject
        return None if who is None else Mail(who, subject, account)

    def _sort(self, event: Event, at: float) -> tuple[str, str | None]:
        """The class of a mail, and the account in whose name it is sent."""
        if event.about != "relay":
            return event.about or "", event.user_name
        if event.source_ip is None:
            return "", None
        login = self._login((event.service, event.session or ""), event.source_ip, at)
        if login is not None:
            return "authrelay", login.account
        if parse_address(event.source_ip).is_loopback:
            return "localhostrelay", None
        login = self._login(("", event.source_ip), event.source_ip, at)
        return ("relay", None) if login is None else ("poprelay", login.account)

    def _login(self, key: tuple[str, str], source_ip: str, at: float) -> Login | None:
        """The login that is remembered under a key, if it was from there and of late."""
        login = self._logins.get(key)
        of_late = login is not None and 0 <= at - login.at <= self._values["login_within"]
        return login if login is not None and of_late and login.source_ip == source_ip else None

    def _count(self, mail: Mail, event: Event, at: float, quantity: int) -> Sequence[Incident]:
        if quantity <= 0:
            return ()
        threshold = self._policy.threshold(event.service)
        window = _of(self._windows, event.service, lambda: Window(threshold.within_seconds, threshold.count))
        tally = _of(self._sources, event.service, lambda: Tally(threshold.within_seconds, SOURCES_MAX))
        key = mail.who.value
        if mail.source is not None:
            tally.add(key, mail.source.value, at)
        if window.add(key, self._room.recollection.mark(event, at), quantity) < threshold.count:
            return ()
        marks, sources = window.marks(key), tally.values(key)
        window.forget(key)
        tally.forget(key)
        return self._incidents(mail, event, threshold, marks, sources)

    def _incidents(
        self, mail: Mail, event: Event, threshold: Threshold, marks: list[int], sources: list[str]
    ) -> list[Incident]:
        """Of an account: it is named and, where more is to be done than to tell, so is every source that it used."""
        accused = [mail.who]
        if mail.who.kind == "user" and threshold.remedy != "alert":
            accused += [Subject.parse(source) for source in sources]
        first_at, last_at = seconds_of(marks[0]), seconds_of(marks[-1])
        evidence = self._room.recollection.lines(marks)
        name = threshold.name or event.service
        return [
            Incident(
                detector=self._detector,
                service=event.service,
                subject=subject,
                first_at=first_at,
                last_at=last_at,
                count=len(marks),
                threshold=threshold.count,
                within_seconds=threshold.within_seconds,
                evidence=evidence,
                reason=f"{len(marks)} recipients by {name} in {span(last_at - first_at)}{_whose(subject, mail)}",
                account=mail.account,
                about=self._class,
            )
            for subject in accused
        ]


def _whose(subject: Subject, mail: Mail) -> str:
    if mail.account is None:
        return ""
    return " of one account" if subject == mail.who else " of an account that it uses"


def _keep(kept: dict[tuple[str, str], Any], key: tuple[str, str], value: object, most: int) -> None:
    """Keep something under a key, as the newest; the oldest goes beyond `most`."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def _of(kept: dict[str, Any], service: str, make: Callable[[], Any]) -> Any:
    """What there is for a service; it is made when it is first asked for. Services are those of the cards."""
    if service not in kept:
        kept[service] = make()
    return kept[service]
