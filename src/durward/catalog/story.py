"""A story of a detector's card: under these settings these events lead to these decisions. A test, and an example."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, get_args

from durward.catalog.card import CardReader
from durward.model import FOREVER, InvalidAddressError, Scope, Subject, Verdict, parse_duration
from durward.model.duration import text_of

TIMES_MAX = 10_000  # repetitions of one event in a story
NAMED = ("ip", "user", "about", "session")  # what of an event may hold a RANGE
VERDICTS: Mapping[str, Verdict] = {verdict: verdict for verdict in get_args(Verdict)}
NAMED_KINDS = {"user": "user ", "file": "file "}  # how a story writes a subject that is no address
MOMENT = re.compile(r"\+(?:\d{1,9}[smhdw])+", re.ASCII)
STEP = re.compile(r"\d+[smhdw]", re.ASCII)
RANGE = re.compile(r"\[(\d{1,6})-(\d{1,6})\]", re.ASCII)  # in an address or an account: another one at each repetition


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One event of a story; `at` in seconds since its start."""

    at: float
    kind: str
    service: str
    ip: str | None = None
    user: str | None = None
    hits: int = 1
    about: str | None = None
    session: str | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Repeated:
    """An event `times` over, one `every` seconds; in its texts `[1-9]` is another number each time, in turn."""

    event: StoryEvent
    times: int = 1
    every: float = 0.0

    def each(self) -> Iterator[StoryEvent]:
        """Give every one of them."""
        named = {name: text for name in NAMED if (text := getattr(self.event, name))}
        for turn in range(self.times):
            texts: dict[str, Any] = {name: _in_turn(text, turn) for name, text in named.items()}
            yield replace(self.event, at=self.event.at + self.every * turn, **texts)


@dataclass(frozen=True, slots=True)
class StoryDecision:
    """One decision that a story must give; `at` and `until` in seconds since its start, FOREVER for a lasting one.

    `ports` are those of its scope as they are typed; empty for all traffic.
    """

    at: float
    verdict: Verdict
    subject: Subject
    until: float | None = None
    ports: str = ""
    simulated: bool = False

    def __str__(self) -> str:
        """As a card writes it: `block 203.0.113.9 at +40s until +1h40s`."""
        subject = (
            f"{self.subject.kind} {self.subject.value}" if self.subject.kind in NAMED_KINDS else self.subject.value
        )
        words = [*(["would"] if self.simulated else []), self.verdict, subject, f"at +{text_of(self.at)}"]
        if self.until is not None:
            words.append("forever" if self.until == FOREVER else f"until +{text_of(self.until)}")
        return " ".join([*words, *([f"ports {self.ports}"] if self.ports else [])])


@dataclass(frozen=True, slots=True)
class Story:
    """A test: under these settings (as `[detectors.ID]` writes them) these events give these decisions, no others."""

    title: str
    settings: Mapping[str, Any]
    told: tuple[Repeated, ...]
    gives: tuple[StoryDecision, ...]

    @property
    def events(self) -> Sequence[StoryEvent]:
        """Every event in the order of time. Made when asked for: who only reads the card would make them in vain."""
        return sorted((event for repeated in self.told for event in repeated.each()), key=lambda event: event.at)


def read_story(story: CardReader) -> Story:
    """Read one `[[story]]`; what is wrong with it becomes problems of its card."""
    story.only("title", "settings", "events", "gives")
    return Story(
        story.text("title"),
        MappingProxyType(dict(story.inner("settings").table)),
        tuple(_repeated(event) for event in story.each("events")),
        tuple(_decision(reader) for reader in story.each("gives")),
    )


def _repeated(event: CardReader) -> Repeated:
    event.only("at", "kind", "service", "ip", "user", "about", "session", "hits", "quantity", "every", "times")
    times = event.count("times", 1)
    if times > TIMES_MAX:
        event.problem("times", f"at most {TIMES_MAX} was expected")
        times = 1
    told = StoryEvent(
        _moment(event, "at"),
        event.text("kind"),
        event.text("service"),
        hits=event.count("hits", 1),
        quantity=event.count("quantity", 1),
        **{name: event.text(name, "") or None for name in NAMED},
    )
    return Repeated(told, times, event.number("every") or 0.0)


def _in_turn(text: str, turn: int) -> str:
    def number(found: re.Match[str]) -> str:
        first, last = int(found[1]), int(found[2])
        return str(first + turn % max(1, last - first + 1))

    return RANGE.sub(number, text)


def _decision(given: CardReader) -> StoryDecision:
    given.only("at", "verdict", "subject", "until", "ports", "simulated")
    text = given.text("verdict")
    verdict = VERDICTS.get(text, "block")
    if text not in VERDICTS:
        given.unknown_value("verdict", text, tuple(VERDICTS))
    ports = given.text("ports", "")
    try:
        Scope.parse(f"in:{ports}")
    except ValueError as error:
        given.problem("ports", str(error))
    until = _moment(given, "until") if "until" in given.table else None
    simulated = given.table.get("simulated", False) is True
    return StoryDecision(_moment(given, "at"), verdict, _subject(given), until, ports, simulated)


def _subject(given: CardReader) -> Subject:
    """An address or a network, or `user NAME`, or `file PATH`."""
    text = given.text("subject")
    if text.startswith(NAMED_KINDS["user"]) and text != NAMED_KINDS["user"]:
        return Subject("user", text.removeprefix(NAMED_KINDS["user"]))
    if text.startswith(NAMED_KINDS["file"]) and text != NAMED_KINDS["file"]:
        return Subject("file", text.removeprefix(NAMED_KINDS["file"]))
    try:
        return Subject.parse(text)
    except InvalidAddressError as error:
        given.problem("subject", str(error))
        return Subject("user", text or "?")


def _moment(reader: CardReader, key: str) -> float:
    """Read `+90s` or `+1h40s`: seconds since the story began; `forever` for an end that never comes."""
    text = reader.text(key)
    if text == "forever":
        return FOREVER
    if not MOMENT.fullmatch(text):
        reader.problem(key, f"{text!r} is no moment; one like +40s or +1h40s was expected")
        return 0.0
    return sum(parse_duration(step) for step in STEP.findall(text))
