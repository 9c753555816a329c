"""Sessions: one attempt counts once, however many lines a service writes about it.

A session is one connection as the log names it, usually by process id. Lines of four weights arrive in it. An attempt
(a wrong password) counts each time. So does a step, of which there may be several lines at the same time; it is one of
the attempts that a later line tells the number of, and that one counts what is more. A hint (an unknown user, a
connection given up) counts only if nothing else in the session counted yet; the first attempt after it is then what the
hint hinted at, and counts no more. What is pending (PAM's word on a password, a refused key) is owed: the next line
that says that it led to nothing counts for it, an attempt stands for it, and a success forgives it. Lines without an
address get the one that their session is known to have; until one is, what they count is owed as well. An attempt
that names nobody counts for nobody, and is owed for a moment: a daemon with many threads may swap its lines.
"""

from typing import NamedTuple

from durward.catalog.service_card import HITS_MAX, PENDING, STEP
from durward.model import Event
from durward.scan.build import make_event

SESSION_SECONDS = 600.0  # of log time; a process id that comes back later is another session
SESSIONS_MAX = 32768  # new sessions, after which those before the last so many are forgotten; they may count twice
SILENCE_SECONDS = 60.0  # of log time, after which what is pending counts although no line tells of it any more
MOMENT_SECONDS = (
    1.5  # of log time: steps that are closer are the same one (Dovecot delays by 2); how far lines are swapped
)
SILENT_MAX = 4096  # addresses with something pending; what the first of them had is forgotten beyond that
SUCCESSES = frozenset({"auth.success", "session.opened"})
HITS_PLACE = Event._fields.index("hits")

COUNTED = 1  # something counted against the address
COUNTED_HOST = 2  # or against the name that stood in its place
CREDIT = 4  # a hint or a step counted, and the attempt that tells it again is yet to come; as often as it is in there


class Owed(NamedTuple):
    """What lines said that do not count yet."""

    kind: str
    hits: int
    user_name: str | None
    disordered: bool = False  # an attempt, whose address can only come right now


Key = tuple[str, str, str]
# Its address and port, when its last line was written, which of the above is true of it, and what is owed. A plain
# tuple: one is made for each line of an attack, and the garbage collector need not look at it.
Session = tuple[str | None, int | None, float, int, Owed | None]


class Sessions:
    """What is known of the connections of late. It has to see the events in the order of their lines."""

    def __init__(self) -> None:
        self._young: dict[Key, Session] = {}
        self._old: dict[Key, Session] = {}
        self._due: list[Event] = []
        self._silent: dict[tuple[str, str], tuple[float, int]] = {}

    def settle(self, events: list[Event]) -> list[Event]:
        """The same events, each with the hits that it counts for (0: another line stands for it) and its address.

        One that only shows that an earlier line counts becomes that line's event. A success may have one beside it: of
        somebody else's account, which was tried before in its session.
        """
        settled = []
        for event in events:
            one = self._settled(event)
            if self._due:
                settled += self._due
                self._due.clear()
            settled.append(one)
        return settled

    def _settled(self, event: Event) -> Event:
        _, at, _, service, source, _, _, source_ip, source_port, host, _, name, hits, _, _ = event
        if self._silent and hits > PENDING and source_ip is not None:
            self._silent.pop((service, source_ip), None)  # this log tells of its attempts in other words as well
        if name is None:
            return _alone(event)
        key = (source, service, name)
        session = self._young.get(key)
        if session is None:
            session = self._old.get(key)
            if len(self._young) >= SESSIONS_MAX:
                self._old, self._young = self._young, {}
            if session is None and hits > 0 and source_ip is not None:  # most lines of an attack
                self._young[key] = (source_ip, source_port, at, COUNTED, None)
                return event
        is_later = session is None or at - session[2] >= MOMENT_SECONDS
        if session is not None:
            session = _continued(session, at, source_ip, source_port)
        known_ip, known_port, last_at, marks, owed = session or (source_ip, source_port, at, 0, None)
        ip = known_ip if host is None else source_ip
        if owed is None and hits > STEP:
            counts, marks = _count(marks, hits, ip, host)
            if ip is None and host is None:
                owed = _owing(event)
        else:
            event, counts, marks, owed = self._weighed(event, marks, owed, ip, is_later=is_later)
        self._young[key] = (known_ip, known_port, last_at, marks, owed)
        if ip != source_ip:
            return event._replace(source_ip=known_ip, source_port=known_port, hits=counts)
        return event if counts == event.hits else make_event((*event[:HITS_PLACE], counts, *event[HITS_PLACE + 1 :]))

    def _weighed(
        self, event: Event, marks: int, owed: Owed | None, ip: str | None, *, is_later: bool
    ) -> tuple[Event, int, int, Owed | None]:
        """What a line makes of a session that is owed something, or is to be: as `_paid`."""
        if owed is not None and owed.disordered:
            marks, owed = self._swapped(event, marks, owed, ip, is_later=is_later)
        if event.hits <= PENDING:
            counts, marks, owed = _pending(marks, owed, event, ip)
            return event, counts + self._unheard(event), marks, owed
        if owed is not None:
            return self._paid(event, marks, owed, ip)
        if event.hits <= STEP:
            return event, *_step(marks, event.hits, ip, is_later=is_later), None
        return event, *_count(marks, event.hits, ip, event.source_host), None

    def _paid(self, event: Event, marks: int, owed: Owed, ip: str | None) -> tuple[Event, int, int, Owed | None]:
        """What a line makes of what its session owes: the event, what it counts, and what is then true and owed."""
        hits = event.hits if event.hits > STEP else -1
        if event.kind in SUCCESSES:
            if ip is not None and _another(owed.user_name, event.user_name):
                due, marks = _count(marks, owed.hits, ip, None)
                self._due.append(event._replace(kind=owed.kind, user_name=owed.user_name, source_ip=ip, hits=due))
            return event, 0, marks, None
        if hits > 0 and ip is not None:
            return event, *_count(marks, hits, ip, event.source_host), None
        if ip is None and owed.disordered and hits > 0 and event.user_name is None:
            return event, hits, marks, owed._replace(hits=min(owed.hits + hits, HITS_MAX))
        if ip is None or (hits == 0 and event.source_ip is None):
            return event, max(hits, 0), marks, owed
        counts, marks = _count(marks, owed.hits, ip, None)
        if counts:
            event = event._replace(kind=owed.kind, user_name=owed.user_name or event.user_name)
            marks |= CREDIT if hits else 0
        return event, counts, marks, None

    def _swapped(
        self, event: Event, marks: int, owed: Owed, ip: str | None, *, is_later: bool
    ) -> tuple[int, Owed | None]:
        """What is true and still owed in a session whose attempts came before the line with its address."""
        if is_later:
            return marks, None
        if ip is None:
            return marks, owed
        due, marks = _count(marks, owed.hits, ip, None)
        self._due.append(event._replace(kind=owed.kind, user_name=None, source_ip=ip, hits=due))
        return marks, None

    def _unheard(self, event: Event) -> int:
        """How many pending lines of a source count because the service tells of them in no other words."""
        if event.source_ip is None:
            return 0
        key = (event.service, event.source_ip)
        began_at, lines = self._silent.get(key, (event.at, 0))
        if lines == 0 and len(self._silent) >= SILENT_MAX:
            del self._silent[next(iter(self._silent))]
        if event.at - began_at < SILENCE_SECONDS:
            self._silent[key] = (began_at, min(lines + 1, HITS_MAX))
            return 0
        self._silent[key] = (event.at, 1)
        return lines


def _alone(event: Event) -> Event:
    """A line that belongs to no session counts for itself."""
    hits = max(event.hits, -1) if event.hits <= STEP else event.hits
    counts = hits if hits >= 0 else -hits if event.source_ip or event.source_host else 0
    return event if counts == event.hits else event._replace(hits=counts)


def _continued(session: Session, at: float, source_ip: str | None, source_port: int | None) -> Session | None:
    """The session with another line in it; None after a while, or when another address turns up: it is a new one."""
    known_ip, known_port, last_at, marks, owed = session
    if abs(at - last_at) > SESSION_SECONDS:
        return None
    if source_ip is None or source_ip == known_ip:
        return known_ip, known_port, max(last_at, at), marks, owed
    return (source_ip, source_port, max(last_at, at), marks, owed) if known_ip is None else None


def _owing(event: Event) -> Owed | None:
    """What a line without an address is owed until its session has one."""
    if event.hits < 0:
        return Owed(event.kind, -event.hits, event.user_name)
    is_anonymous = event.hits > 0 and event.user_name is None
    return Owed(event.kind, event.hits, None, disordered=True) if is_anonymous else None


def _count(marks: int, hits: int, source_ip: str | None, source_host: str | None) -> tuple[int, int]:
    """What a line counts, and what is then true of its session. Below zero it is a hint."""
    if hits > 0:
        if source_ip is None:
            return hits, marks
        told = min(hits, marks // CREDIT)
        return hits - told, (marks | COUNTED) - told * CREDIT
    if hits == 0 or marks & COUNTED:
        return 0, marks
    if source_ip is not None:
        return -hits, marks | COUNTED | CREDIT
    if source_host is None or marks & COUNTED_HOST:
        return 0, marks
    return -hits, marks | COUNTED_HOST


def _step(marks: int, hits: int, source_ip: str | None, *, is_later: bool) -> tuple[int, int]:
    """What a step counts, and what is then true of its session. It is another one if `is_later`."""
    if source_ip is None or not (is_later or not marks & COUNTED):
        return 0, marks
    times = min(hits // STEP, HITS_MAX)
    return times, (marks | COUNTED) + times * CREDIT


def _pending(marks: int, owed: Owed | None, event: Event, ip: str | None) -> tuple[int, int, Owed | None]:
    """What a pending line counts, and what is then true and owed: with an address it is one attempt on its account."""
    if event.source_ip is None and event.source_host is None:
        if ip is not None:
            return *_count(marks, 1, ip, None), owed
        hits = min(owed.hits + 1, HITS_MAX) if owed else 1
        return 0, marks, Owed(event.kind, hits, event.user_name)
    counts = 0
    if owed is not None and ip is not None and _another(owed.user_name, event.user_name):
        counts, marks = _count(marks, owed.hits, ip, None)
        owed = None
    return counts, marks, owed or Owed(event.kind, 1, event.user_name)


def _another(one: str | None, other: str | None) -> bool:
    return bool(one) and bool(other) and one != other
