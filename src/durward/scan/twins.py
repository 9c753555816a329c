"""What reaches us twice is one thing: a line through the journal and through syslog's file, an attempt in two logs.

The same line by two ways is recognised by its words. An attempt that is told in two logs in different words (PAM's in
syslog and the daemon's in a log of its own, a web server's access log and its log of errors) is recognised by service,
source, account and time, whichever log says it first.
"""

import re
from collections.abc import Callable, Container

from durward.catalog.service_card import PENDING
from durward.model import Event
from durward.scan.access import is_access
from durward.scan.attempts import Attempts
from durward.scan.envelope import ISO, PRIORITY, TRADITIONAL

WAITING_MAX = 32_768  # lines, and attempts, whose twin may still come; beyond it the older half is forgotten
SOURCES_MAX = 4096  # of which is remembered what kind of log they are; all are forgotten beyond that
ACCOUNTS_MAX = 8  # of one source are asked whether one of them is meant where a line names none
ENVELOPE_END = b": "
UPTIME = re.compile(rb"\A\[ *\d{1,12}\.\d{1,9}\] ")  # rsyslog puts it before what the kernel says, journald does not
# What syslog's own files are called; the lines in them are those of the journal, and are known by their words.
SYSLOG_FILES = frozenset({"auth.log", "secure", "syslog", "messages", "mail.log", "maillog", "daemon.log", "user.log"})
ACCESS, ERRORS, SYSLOG, JOURNAL = "access log", "log of errors", "syslog", "journal"
OF_SYSLOG = re.compile(
    PRIORITY + rb"(?:" + TRADITIONAL + rb"|" + ISO + rb") [^\s:]+ [^\s\[\]:]{1,64}(?:\[\d{1,10}\])?: "
)

Happening = tuple[str, str, str]  # a service, a source address, a kind


class Twins:
    """Lets each thing pass once, from whichever source it comes first. `web` are the services that are web servers.

    `log_of` names the log that a source belongs to, where several files are one: those of several sites.
    """

    def __init__(self, web: frozenset[str] = frozenset(), log_of: Callable[[str], str] = str) -> None:
        self.told_twice: Container[str] | None = None  # services that have several logs; None: any may
        self._waiting: dict[tuple[str, str | None, bytes], dict[str, int]] = {}
        self._attempts: dict[Happening, dict[str | None, Attempts]] = {}
        self._attempts_count = 0
        self._web = web
        self._log_of = log_of
        self._ways: dict[tuple[str, bool], str] = {}

    def only_first(self, events: list[Event], *, journal: bool = True) -> list[Event]:
        """Those of `events` whose twin from another source did not come before.

        One that counts more than its twin did passes with the hits that are new. Without a journal no line comes twice.
        """
        self._forget()
        found = []
        for event in events:
            counts = event.source_ip is not None and event.hits and self._may_be_told_twice(event.service)
            counts = counts and event.hits > PENDING
            if journal and event.service not in self._web and not self._passes(event):
                if counts:
                    self._new_hits(event, only_known=True)  # this log has told of it as well
            elif not counts:
                found.append(event)
            elif hits := self._new_hits(event):
                found.append(event if hits == event.hits else event._replace(hits=hits))
        return found

    def _may_be_told_twice(self, service: str) -> bool:
        return self.told_twice is None or service in self.told_twice

    def _passes(self, event: Event) -> bool:
        """Whether a line that has come by one way has not come by another before."""
        words = event.line.partition(ENVELOPE_END)[2] or event.line
        if words.startswith(b"["):
            words = UPTIME.sub(b"", words, count=1)
        key, way = (event.service, event.session, words), event.source
        counts = self._waiting.get(key)
        if counts is None:
            self._waiting[key] = {way: 1}
            return True
        for other, count in counts.items():
            if other != way:
                if count == 1:
                    del counts[other]
                else:
                    counts[other] = count - 1
                if not counts:
                    del self._waiting[key]
                return False
        counts[way] = counts.get(way, 0) + 1
        return True

    def _new_hits(self, event: Event, *, only_known: bool = False) -> int:
        """What of an event's hits no other log has told of; below zero for a hint. `only_known`: note nothing new."""
        is_web = event.service in self._web
        way, account = self._way(event, is_web=is_web), None if is_web else event.user_name
        by_account = self._attempts.setdefault((event.service, event.source_ip or "", event.kind), {})
        count = abs(event.hits)
        for one in _meant(by_account, account):
            new = by_account[one].heard(way, event.at, count, only_known=True)
            if new is not None:
                return new if event.hits > 0 else -new
        if only_known:
            return 0
        if account not in by_account:
            by_account[account] = Attempts()
        by_account[account].heard(way, event.at, count)
        self._attempts_count += 1
        return event.hits

    def _way(self, event: Event, *, is_web: bool) -> str:
        """Which kind of log, or which log, an event comes by. All of syslog is one: its lines are the journal's."""
        key = (event.source, is_web)
        if key not in self._ways:
            if len(self._ways) >= SOURCES_MAX:
                self._ways.clear()
            if is_web:
                self._ways[key] = ACCESS if is_access(event.line) else ERRORS
            else:
                is_syslog = event.source == JOURNAL or OF_SYSLOG.match(event.line)
                self._ways[key] = SYSLOG if is_syslog else self._log_of(event.source)
        return self._ways[key]

    def _forget(self) -> None:
        if len(self._waiting) > WAITING_MAX:
            for key in list(self._waiting)[: WAITING_MAX // 2]:
                del self._waiting[key]
        if self._attempts_count > WAITING_MAX:
            for happening in list(self._attempts)[: (len(self._attempts) + 1) // 2]:
                del self._attempts[happening]
            self._attempts_count = sum(len(one) for known in self._attempts.values() for one in known.values())


def _meant(by_account: dict[str | None, Attempts], account: str | None) -> list[str | None]:
    """The known accounts that a line may mean: its own, and those of lines that name none; any where it names none."""
    if account is None:
        return list(by_account)[-ACCOUNTS_MAX:]
    return [one for one in (account, None) if one in by_account]
