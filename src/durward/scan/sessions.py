"""Sessions: one attempt counts once, however many lines a service writes about it.

A session is one connection as the log names it, usually by process id. Lines of two weights arrive in it. An attempt (a
wrong password) counts each time. A hint (an unknown user, a connection given up) counts only if nothing else in the
session counted yet; the first attempt after it is then what the hint hinted at, and counts no more. Lines without an
address get the one that their session is known to have.
"""

from dataclasses import dataclass

from durward.model import Event

SESSION_SECONDS = 600.0  # of log time; a process id that comes back later is another session
SESSIONS_MAX = 32768  # new sessions, after which those before the last so many are forgotten; they may count twice

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Session:
    source_ip: str | None
    source_port: int | None
    last_at: float
    counted: bool = False  # something counted against the address
    counted_host: bool = False  # or against the name that stood in its place
    credit: bool = False  # a hint counted, and the attempt that it hinted at is yet to come


class Sessions:
    """What is known of the connections of late. It has to see the events in the order of their lines."""

    def __init__(self) -> None:
        self._young: dict[Key, _Session] = {}
        self._old: dict[Key, _Session] = {}

    def settle(self, events: list[Event]) -> list[Event]:
        """The same events, each with the hits that it counts for (0: another line stands for it) and its address."""
        return [self._settled(event) for event in events]

    def _settled(self, event: Event) -> Event:
        kind, at, observed_at, service, source, position, line, source_ip, source_port, host, user, name, hits = event
        if name is None:
            counts = hits if hits >= 0 else -hits if source_ip or host else 0
            return event if counts == hits else event._replace(hits=counts)
        session = self._session((source, service, name), at, source_ip, source_port)
        if source_ip is None and host is None:
            source_ip, source_port = session.source_ip, session.source_port
        counts = _count(session, hits, source_ip, host)
        if counts == hits and source_ip == event.source_ip:
            return event
        settled = (
            kind,
            at,
            observed_at,
            service,
            source,
            position,
            line,
            source_ip,
            source_port,
            host,
            user,
            name,
            counts,
        )
        return Event(*settled)

    def _session(self, key: Key, at: float, source_ip: str | None, source_port: int | None) -> _Session:
        """The session of that name, which may be a new one: after a while, or when another address turns up."""
        session = self._young.get(key) or self._old.get(key)
        if session is not None and abs(at - session.last_at) <= SESSION_SECONDS:
            if source_ip is None or source_ip == session.source_ip:
                session.last_at = max(session.last_at, at)
                return session
            if session.source_ip is None:
                session.source_ip, session.source_port = source_ip, source_port
                return session
        if len(self._young) >= SESSIONS_MAX:
            self._old, self._young = self._young, {}
        self._young[key] = session = _Session(source_ip, source_port, at)
        return session


def _count(session: _Session, hits: int, source_ip: str | None, source_host: str | None) -> int:
    """What a line counts. Below zero it is a hint."""
    if hits > 0:
        return _attempt(session, hits, source_ip)
    if hits == 0 or session.counted:
        return 0
    if source_ip is not None:
        session.counted = session.credit = True
        return -hits
    if source_host is None or session.counted_host:
        return 0
    session.counted_host = True
    return -hits


def _attempt(session: _Session, hits: int, source_ip: str | None) -> int:
    if source_ip is None:
        return hits
    if session.credit:
        session.credit = False
        return hits - 1
    session.counted = True
    return hits
