"""Sessions: one attempt counts once, however many lines a service writes about it.

A session is one connection as the log names it, usually by process id. Lines of two weights arrive in it. An attempt (a
wrong password) counts each time. A hint (an unknown user, a connection given up) counts only if nothing else in the
session counted yet; the first attempt after it is then what the hint hinted at, and counts no more. Lines without an
address get the one that their session is known to have.
"""

from durward.model import Event
from durward.scan.build import make_event

SESSION_SECONDS = 600.0  # of log time; a process id that comes back later is another session
SESSIONS_MAX = 32768  # new sessions, after which those before the last so many are forgotten; they may count twice
HITS_PLACE = Event._fields.index("hits")

COUNTED = 1  # something counted against the address
COUNTED_HOST = 2  # or against the name that stood in its place
CREDIT = 4  # a hint counted, and the attempt that it hinted at is yet to come

Key = tuple[str, str, str]
# Its address and port, when its last line was written, and which of the above is true of it. A plain tuple: one is made
# for each line of an attack, and the garbage collector need not look at it.
Session = tuple[str | None, int | None, float, int]


class Sessions:
    """What is known of the connections of late. It has to see the events in the order of their lines."""

    def __init__(self) -> None:
        self._young: dict[Key, Session] = {}
        self._old: dict[Key, Session] = {}

    def settle(self, events: list[Event]) -> list[Event]:
        """The same events, each with the hits that it counts for (0: another line stands for it) and its address."""
        return list(map(self._settled, events))

    def _settled(self, event: Event) -> Event:
        _, at, _, service, source, _, _, source_ip, source_port, host, _, name, hits = event
        if name is None:
            counts = hits if hits >= 0 else -hits if source_ip or host else 0
            return event if counts == hits else event._replace(hits=counts)
        key = (source, service, name)
        session = self._young.get(key) or self._old.get(key)
        if session is not None:
            session = _continued(session, at, source_ip, source_port)
        known_ip, known_port, last_at, marks = session or (source_ip, source_port, at, 0)
        ip = known_ip if host is None else source_ip
        counts, marks = _count(marks, hits, ip, host)
        if len(self._young) >= SESSIONS_MAX and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = (known_ip, known_port, last_at, marks)
        if ip != source_ip:
            return event._replace(source_ip=known_ip, source_port=known_port, hits=counts)
        return event if counts == hits else make_event((*event[:HITS_PLACE], counts))


def _continued(session: Session, at: float, source_ip: str | None, source_port: int | None) -> Session | None:
    """The session with another line in it; None after a while, or when another address turns up: it is a new one."""
    known_ip, known_port, last_at, marks = session
    if abs(at - last_at) > SESSION_SECONDS:
        return None
    if source_ip is None or source_ip == known_ip:
        return known_ip, known_port, max(last_at, at), marks
    return (source_ip, source_port, max(last_at, at), marks) if known_ip is None else None


def _count(marks: int, hits: int, source_ip: str | None, source_host: str | None) -> tuple[int, int]:
    """What a line counts, and what is then true of its session. Below zero it is a hint."""
    if hits > 0:
        if source_ip is None:
            return hits, marks
        return (hits - 1, marks & ~CREDIT) if marks & CREDIT else (hits, marks | COUNTED)
    if hits == 0 or marks & COUNTED:
        return 0, marks
    if source_ip is not None:
        return -hits, marks | COUNTED | CREDIT
    if source_host is None or marks & COUNTED_HOST:
        return 0, marks
    return -hits, marks | COUNTED_HOST
