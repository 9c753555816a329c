"""Hearsay: a line in one of syslog's own files does not say who wrote it, and any account of this host may write one.

The journal knows who wrote what. So where it has a service's entries, a line of that service in a file counts as the
journal has it, or not at all: whoever writes as sshd, to whichever socket, has nobody blocked. Where no journal can
tell, such lines weigh half as much once people who are no administrators have a shell here.
"""

import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from durward.model import Event, Finding
from durward.scan.envelope import ISO, PRIORITY, TRADITIONAL
from durward.scan.twins import SYSLOG_FILES

# Files of log daemons in which lines stand by what they say, or by who they say that they are of.
SORTED = frozenset({"kern.log", "ufw.log", "iptables.log", "firewall", "mail.info", "mail.warn", "mail.err", "authlog"})
SOCKETS = ("/dev/log", "/run/systemd/journal/syslog")  # what log daemons take lines from
PASSWD, GROUP = "/etc/passwd", "/etc/group"
ACCOUNTS_BYTES_MAX = 4 << 20  # of each of these; accounts beyond it are not looked at
PEOPLE = range(1000, 60_000)  # account numbers of people
ADMINISTRATORS = frozenset({"sudo", "wheel", "admin", "root"})  # whoever is in these can do worse than forge a line
NO_SHELLS = ("nologin", "false", "sync", "shutdown", "halt", "git-shell")
LOOK_SECONDS = 300.0  # between two looks at sockets and accounts
TWIN_SECONDS = 60.0  # within this a line is in the journal too, if it ever will be
WAITING_MAX = 8192  # lines whose twin may still come; the oldest counts as without one beyond that
UNCONFIRMED_MIN = 5  # lines that no journal has, of one service, are told
SAMPLE_CHARACTERS_MAX = 160
WRITTEN = re.compile(
    PRIORITY
    + rb"(?:"
    + TRADITIONAL
    + rb"|"
    + ISO
    + rb") "
    + rb"([^\s:]+) ([^\s\[\]:]{1,64})(?:\[\d{1,10}\])?: (?:\[ *\d+\.\d+\] )?"
)
CHECK = "trust"

Key = tuple[str, str | None, bytes]


class Hearsay:
    """Weighs the events of syslog's files. `mode` is the setting, `vouches` asks about a service and its program."""

    def __init__(self, mode: str, vouches: Callable[[str, bytes], bool], *, sockets: Sequence[str] = SOCKETS) -> None:
        self._mode, self._vouches, self._sockets = mode, vouches, sockets
        self._halves = mode == "halve"
        self._looked_at = float("-inf")
        self.exposed = True  # whether others than root can write to a socket
        self._odd: dict[tuple[str, str | None], int] = {}  # half a hit that is left over, by service and source
        self._waiting: dict[Key, tuple[int, float, str]] = {}  # more in the journal (above 0) or in files (below)
        self._unconfirmed: dict[tuple[str, str], tuple[int, str]] = {}
        self._files: dict[str, bool] = {}

    def is_of_syslog(self, source: str) -> bool:
        """Whether a source is a file that a log daemon writes what anybody sends it."""
        if source not in self._files:
            if len(self._files) > WAITING_MAX:
                self._files.clear()
            self._files[source] = source.startswith("file:") and PurePath(source).name in SYSLOG_FILES | SORTED
        return self._files[source]

    def admitted(self, events: list[Event], now: float, *, live: bool = True) -> list[Event]:
        """The events of one of syslog's files that count: not those of which the journal has its own word."""
        if self._mode == "count" or not events:
            return events
        self._look(now)
        kept = []
        for event in events:
            vouched = self._is_vouched(event)
            if vouched and live:
                self._pair(event, -1, now)
            if not vouched and self._mode != "ignore":
                kept.append(event)
        return kept

    def confirm(self, events: list[Event], now: float) -> None:
        """Hear what the journal has: lines of files that are the same are genuine."""
        if self._mode != "count":
            for event in events:
                self._pair(event, 1, now)

    def weighed(self, events: list[Event]) -> list[Event]:
        """The events with the hits that they are worth; one that is worth none is left out, one without hits stays."""
        if not self._halves:
            return events
        return [one for event in events if (one := self._halved(event)) is not None]

    def state_of(self, source: str, services: frozenset[str]) -> str:
        """What lines of a source count: "journal", "half", "nothing", "whole"; "" where nobody else can write them."""
        if not self.is_of_syslog(source) or not self.exposed:
            return ""
        if self._mode != "count" and services and all(self._vouches(one, b"") for one in services):
            return "journal"
        return "nothing" if self._mode == "ignore" else "half" if self._halves else "whole"

    def findings(self, sources: dict[str, frozenset[str]], now: float) -> list[Finding]:
        """What is to be said of the sources (by name, with their services): the risk, and lines that no journal has."""
        self._look(now)
        found = []
        for source, services in sources.items():
            state = self.state_of(source, services)
            if state:
                found.append(Finding(CHECK, source, "pass" if state == "journal" else "unknown", RISKS[state]))
        return [*found, *self.troubles(now)]

    def troubles(self, now: float) -> list[Finding]:
        """Services in whose name lines were written that the journal does not have."""
        self._expire(now)
        return [
            Finding(CHECK, f"{service} in {source}", "fail", UNCONFIRMED.format(lines=lines, sample=sample))
            for (service, source), (lines, sample) in self._unconfirmed.items()
            if lines >= UNCONFIRMED_MIN
        ]

    def _halved(self, event: Event) -> Event | None:
        if event.hits <= 0:
            return event
        key = (event.service, event.source_ip)
        whole, odd = divmod(event.hits + self._odd.pop(key, 0), 2)
        if odd:
            if len(self._odd) >= WAITING_MAX:
                del self._odd[next(iter(self._odd))]
            self._odd[key] = odd
        return event._replace(hits=whole) if whole else None

    def _pair(self, event: Event, number: int, now: float) -> None:
        """Note a line of a file (-1) or of the journal (1): both together are nothing."""
        found = WRITTEN.match(event.line)
        key = (event.service, event.session, event.line[found.end() if found else 0 :].rstrip(b"\r\n"))
        count, since, source = self._waiting.pop(key, (0, now, event.source))
        if count + number:
            self._waiting[key] = (count + number, since, source if number > 0 else event.source)
        while len(self._waiting) > WAITING_MAX:
            self._miss(next(iter(self._waiting)))

    def _expire(self, now: float) -> None:
        late = [key for key, (_count, since, _source) in self._waiting.items() if abs(now - since) > TWIN_SECONDS]
        for key in late:
            self._miss(key)

    def _miss(self, key: Key) -> None:
        count, _since, source = self._waiting.pop(key)
        if count >= 0 or b"message repeated " in key[2]:
            return
        known, _sample = self._unconfirmed.get((key[0], source), (0, ""))
        sample = key[2].decode("utf-8", "backslashreplace")[:SAMPLE_CHARACTERS_MAX]
        if len(self._unconfirmed) < WAITING_MAX:
            self._unconfirmed[key[0], source] = (known - count, sample)

    def _is_vouched(self, event: Event) -> bool:
        """Whether a line names this host as the one that it is of, and the journal has what that program writes."""
        found = WRITTEN.match(event.line)
        if found is None or found[1].partition(b".")[0].lower() != _host():
            return False  # what other hosts send has dangers of its own
        return self._vouches(event.service, found[2])

    def _look(self, now: float) -> None:
        if 0 <= now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self.exposed = any(map(_takes_from_all, self._sockets))
        self._halves = self._mode == "halve" or (self._mode == "auto" and self.exposed and has_people())


RISKS = {
    "journal": "any account here may write into it in a service's name; its lines count only as the journal has them",
    "whole": "any account here may write into it in a service's name (logger -t sshd), and so have others blocked; "
    "have the journal read (services.NAME.journal), or set sources.untrusted_syslog",
    "half": "any account here may write into it in a service's name (logger -t sshd), so its lines count half; "
    "have the journal read (services.NAME.journal), or set sources.untrusted_syslog",
    "nothing": 'its lines count for nothing where no journal has them (sources.untrusted_syslog = "ignore")',
}
UNCONFIRMED = (
    "{lines} lines are not in the journal, so they did not count: forged, or the journal loses lines. "
    "If they are genuine: durward config set sources.untrusted_syslog=count. The last one: {sample}"
)


def has_people(passwd: str = PASSWD, group: str = GROUP) -> bool:
    """Whether anybody but administrators has a shell here."""
    trusted, numbers = set(), set()
    for name, _, number, members in _rows(group, 4):
        if name in ADMINISTRATORS:
            trusted.update(members.split(","))
            numbers.add(number)
    for name, _, user, first, _, _, shell in _rows(passwd, 7):
        person = user.isdecimal() and int(user) in PEOPLE and PurePath(shell).name not in NO_SHELLS
        if person and name not in trusted and first not in numbers:
            return True
    return False


def _rows(path: str, fields: int) -> list[list[str]]:
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            rows = [line.split(":") for line in file.read(ACCOUNTS_BYTES_MAX).splitlines()]
    except OSError:
        return []
    return [row for row in rows if len(row) == fields]


def _takes_from_all(path: str) -> bool:
    """Whether everybody may write to a socket."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return stat.S_ISSOCK(mode) and bool(mode & stat.S_IWOTH)


def _host() -> bytes:
    return os.uname().nodename.partition(".")[0].lower().encode()
