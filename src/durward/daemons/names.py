"""The engine's questions to the name service: they wait here for the herald, which fetches and answers them.

Nobody waits for an answer: what is to be done with it is called when the engine's loop comes round. An answer is
believed if it was asked for, and is one to that kind of question.
"""

import secrets
import select
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from durward.control.naming import TOGETHER_MAX, Answer, Kind, NamingError, Question, answered, read_answer
from durward.daemons.desk import Answers, Desk, RequestError
from durward.daemons.privileges import PrivilegesError, account
from durward.daemons.process import say
from durward.model import Finding

HERALD_USER = "durward-herald"
SOCKET_MODE = 0o660  # the herald is in the group; who else is there is sent away
URGENT_MAX, PATIENT_MAX = 2000, 500  # questions that wait; one beyond them is answered "failed" at once
LISTENERS_MAX = 100  # of one question; who asks the same beyond them hears nothing
KNOWN_MAX = 10_000  # answers that are remembered; beyond it the oldest is asked for again
GOOD_SECONDS, BAD_SECONDS = 3600.0, 300.0  # how long one holds: the resolver does not tell how long it might
WAIT_SECONDS = 60.0  # for the herald to fetch a question
ANSWER_SECONDS = 30.0  # for it to answer
NUMBER_BITS = 48
RECENT = 20  # answers by which it is judged whether the name service answers at all

Then = Callable[[Answer], None]
Key = tuple[Kind, str]


@dataclass(slots=True)
class Asked:
    """A question, and who wants to know."""

    question: Question
    until: float
    listeners: list[Then] = field(default_factory=list)


class Names:
    """The questions that wait, those that were fetched, and the answers that still hold. Times are epoch seconds."""

    def __init__(self) -> None:
        self._urgent: dict[Key, Asked] = {}
        self._patient: dict[Key, Asked] = {}
        self._fetched: dict[int, Asked] = {}
        self._asking: dict[Key, Asked] = {}
        self._known: dict[Key, tuple[Answer, float]] = {}
        self._ready: deque[tuple[Then, Answer]] = deque()
        self._recent: deque[bool] = deque(maxlen=RECENT)
        # Begun anywhere: an answer that was asked for by the engine before this one is to be nobody's.
        self._number = secrets.randbits(NUMBER_BITS)
        self._now = 0.0
        self._desk: Desk | None = None
        self._news = False
        self._absent_since = 0.0

    def open(self, path: Path, epoll: select.epoll) -> None:
        """Listen for the herald."""
        try:
            users = {0, account(HERALD_USER).pw_uid}
        except PrivilegesError as error:
            say(f"names are not looked up: {error}")
            users = {0}
        self._desk = Desk(path, self.answer, epoll, mode=SOCKET_MODE, users=users)

    def close(self) -> None:
        """Listen no more."""
        if self._desk is not None:
            self._desk.close()

    def handle(self, descriptor: int, happened: int) -> bool:
        """Do what an event of `descriptor` asks for; gives whether it was ours."""
        return self._desk is not None and self._desk.handle(descriptor, happened)

    def ask(
        self, kind: Kind, value: str, then: Then, now: float, *, patient: bool = False, fresh: bool = False
    ) -> None:
        """Have `then` called with the answer, soon or in a minute. `patient` questions wait behind the others.

        `fresh`: what is known already will not do.
        """
        key, self._now = (kind, value), now
        known = self._known.get(key)
        if known is not None and now < known[1] and not fresh:
            self._ready.append((then, known[0]))
            return
        asked = self._asking.get(key)
        if asked is None:
            waiting, most = (self._patient, PATIENT_MAX) if patient else (self._urgent, URGENT_MAX)
            if len(waiting) >= most:
                self._ready.append((then, Answer(0, "failed")))
                return
            self._number += 1
            asked = waiting[key] = self._asking[key] = Asked(Question(self._number, kind, value), now + WAIT_SECONDS)
            self._news = True
        if len(asked.listeners) < LISTENERS_MAX:
            asked.listeners.append(then)

    def knows(self, kind: Kind, value: str, now: float) -> Answer | None:
        """The answer that holds already, if there is one."""
        known = self._known.get((kind, value))
        return known[0] if known is not None and now < known[1] else None

    @property
    def is_ready(self) -> bool:
        """Whether `deliver` has something to do."""
        return bool(self._ready) or self._news

    def deliver(self) -> None:
        """Tell the herald of new questions, and whoever asked of answers. What those do may ask again."""
        if self._news and self._desk is not None:
            self._desk.tell([{"news": True}])
        self._news = False
        for _ in range(len(self._ready)):
            then, answer = self._ready.popleft()
            then(answer)

    def tick(self, now: float) -> None:
        """Give up what nobody has answered in time."""
        self._now = now
        here = self._desk is not None and self._desk.is_followed
        self._absent_since = 0.0 if here else self._absent_since or now
        for asked in [one for one in self._asking.values() if now >= one.until]:
            self._settle(asked, Answer(asked.question.id, "failed"))

    def answer(self, asked: dict[str, Any]) -> Answers:
        """What the herald may say: follow, claim, answer. Raises RequestError, MISTAKES."""
        match asked.get("verb"):
            case "follow":
                return []
            case "claim":
                return [{"questions": [one.entry() for one in self._claim(int(asked["most"]))]}]
            case "answer":
                return [{"taken": self._take(asked["answers"])}]
        raise RequestError("the herald may not ask this")

    def finding(self, now: float) -> Finding:
        """Whether names can be looked up."""
        if self._absent_since and now - self._absent_since > WAIT_SECONDS:
            return Finding("names", "herald", "fail", "the process that asks the name service does not run")
        if len(self._recent) == RECENT and not any(self._recent):
            return Finding(
                "names", "resolver", "fail", f"the name service answered none of the last {RECENT} questions"
            )
        return Finding("names", "resolver", "pass", f"{len(self._known)} answers are known")

    def _claim(self, most: int) -> list[Question]:
        questions: list[Question] = []
        for waiting in (self._urgent, self._patient):
            room = max(0, min(most, TOGETHER_MAX) - len(questions))
            for key in list(islice(waiting, room)):
                asked = waiting.pop(key)
                asked.until = self._now + ANSWER_SECONDS
                self._fetched[asked.question.id] = asked
                questions.append(asked.question)
        return questions

    def _take(self, entries: Any) -> int:
        if not isinstance(entries, list) or len(entries) > TOGETHER_MAX:
            raise NamingError(f"at most {TOGETHER_MAX} answers were expected")
        taken = 0
        for entry in entries:
            asked = self._fetched.get(answered(entry))
            if asked is not None:  # otherwise it comes too late
                self._settle(asked, read_answer(entry, asked.question.kind))
                taken += 1
        return taken

    def _settle(self, asked: Asked, answer: Answer) -> None:
        key = (asked.question.kind, asked.question.value)
        for waiting in (self._urgent, self._patient, self._asking):
            waiting.pop(key, None)
        self._fetched.pop(asked.question.id, None)
        self._remember(key, answer)
        self._recent.append(answer.outcome != "failed")
        self._ready.extend((then, answer) for then in asked.listeners)

    def _remember(self, key: Key, answer: Answer) -> None:
        good = answer.outcome in ("confirmed", "found")
        self._known.pop(key, None)
        self._known[key] = (answer, self._now + (GOOD_SECONDS if good else BAD_SECONDS))
        if len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
