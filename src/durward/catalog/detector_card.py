"""A detector's card: what it is for, what it hears, its settings, what differs by service, and its stories."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from durward.catalog.card import CardReader
from durward.catalog.document import ProblemsError
from durward.catalog.setting import InvalidSettingError, Setting
from durward.model import FOREVER, InvalidAddressError, Subject, Verdict, parse_duration

TIMES_MAX = 10_000  # repetitions of one event in a story
VERDICTS: Mapping[str, Verdict] = {verdict: verdict for verdict in get_args(Verdict)}
MOMENT = re.compile(r"\+(?:\d{1,9}[smhdw])+", re.ASCII)
STEP = re.compile(r"\d+[smhdw]", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceDefault:
    """What a card sets otherwise for one service, typed, and CSF's names for it: option -> setting."""

    values: Mapping[str, Any]
    csf: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One event of a story; `at` in seconds since its start."""

    at: float
    kind: str
    service: str
    ip: str | None = None
    user: str | None = None
    hits: int = 1


@dataclass(frozen=True, slots=True)
class StoryDecision:
    """One decision that a story must give; `at` and `until` in seconds since its start, FOREVER for a lasting one."""

    at: float
    verdict: Verdict
    subject: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A test: under these settings (as `[detectors.ID]` writes them) these events give these decisions, no others."""

    title: str
    settings: Mapping[str, Any]
    events: tuple[StoryEvent, ...]
    gives: tuple[StoryDecision, ...]


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """One way of misbehaving. `code` is the id of the packaged detector that runs it: its own, or another's."""

    id: str
    title: str
    why: str
    hears: frozenset[str]
    settings: Mapping[str, Setting]
    services: Mapping[str, ServiceDefault]
    stories: tuple[Story, ...]
    code: str


def read_detector(path: Path) -> DetectorCard:
    """Read one card. Raises ProblemsError with everything that is wrong with it."""
    card = CardReader.open(path)
    card.only("title", "why", "hears", "code", "settings", "services", "story")
    settings = {setting.name: setting for setting in card.inner("settings").settings()}
    detector = DetectorCard(
        path.stem,
        card.text("title"),
        card.text("why"),
        frozenset(card.texts("hears")),
        MappingProxyType(settings),
        MappingProxyType(_services(card, settings)),
        tuple(_story(story) for story in card.each("story")),
        card.text("code", path.stem),
    )
    if not detector.hears:
        card.problem("hears", 'the kinds of events that it hears were expected, like ["auth.failure"]')
    if card.problems:
        raise ProblemsError(card.problems)
    return detector


def _services(card: CardReader, settings: Mapping[str, Setting]) -> dict[str, ServiceDefault]:
    services: dict[str, ServiceDefault] = {}
    for group in card.each("services"):
        group.only("names", "csf", *settings)
        names = group.texts("names")
        if not names:
            group.problem("names", 'the ids of services were expected, like ["sshd"]')
        default = ServiceDefault(MappingProxyType(_values(group, settings)), MappingProxyType(_csf(group, settings)))
        for name in names:
            if name in services:
                group.problem("names", f"{name!r} stands in another group already")
            services[name] = default
    return services


def _values(group: CardReader, settings: Mapping[str, Setting]) -> dict[str, Any]:
    values = {}
    for key in group.table:
        if key in settings:
            try:
                values[key] = settings[key].read(group.table[key])
            except InvalidSettingError as error:
                group.problem(key, str(error))
    return values


def _csf(group: CardReader, settings: Mapping[str, Setting]) -> dict[str, str]:
    names = group.inner("csf")
    names.only(*settings)
    csf = {}
    for key in names.table:
        given = names.texts(key) if isinstance(names.table[key], list) else (names.text(key),)
        csf.update(dict.fromkeys(given, key))
    return csf


def _story(story: CardReader) -> Story:
    story.only("title", "settings", "events", "gives")
    events = [event for reader in story.each("events") for event in _events(reader)]
    return Story(
        story.text("title"),
        MappingProxyType(dict(story.inner("settings").table)),
        tuple(sorted(events, key=lambda event: event.at)),
        tuple(_decision(reader) for reader in story.each("gives")),
    )


def _events(event: CardReader) -> list[StoryEvent]:
    """One event, or `times` of them, one `every` so often."""
    event.only("at", "kind", "service", "ip", "user", "hits", "every", "times")
    at, every = _moment(event, "at"), event.number("every") or 0.0
    times = event.count("times", 1)
    if times > TIMES_MAX:
        event.problem("times", f"at most {TIMES_MAX} was expected")
        times = 1
    kind, service, hits = event.text("kind"), event.text("service"), event.count("hits", 1)
    ip, user = event.text("ip", "") or None, event.text("user", "") or None
    return [StoryEvent(at + every * turn, kind, service, ip, user, hits) for turn in range(times)]


def _decision(given: CardReader) -> StoryDecision:
    given.only("at", "verdict", "subject", "until")
    text = given.text("verdict")
    verdict = VERDICTS.get(text, "block")
    if text not in VERDICTS:
        given.unknown_value("verdict", text, tuple(VERDICTS))
    subject = given.text("subject")
    try:
        Subject.parse(subject)
    except InvalidAddressError as error:
        given.problem("subject", str(error))
    until = _moment(given, "until") if "until" in given.table else None
    return StoryDecision(_moment(given, "at"), verdict, subject, until)


def _moment(reader: CardReader, key: str) -> float:
    """Read `+90s` or `+1h40s`: seconds since the story began; `forever` for an end that never comes."""
    text = reader.text(key)
    if text == "forever":
        return FOREVER
    if not MOMENT.fullmatch(text):
        reader.problem(key, f"{text!r} is no moment; one like +40s or +1h40s was expected")
        return 0.0
    return sum(parse_duration(step) for step in STEP.findall(text))
