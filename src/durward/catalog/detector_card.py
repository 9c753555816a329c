"""A detector's card: what it is for, what it hears, its settings, what differs by service, and its stories."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.card import CardReader
from durward.catalog.counting import Counting, read_counting
from durward.catalog.document import ProblemsError
from durward.catalog.setting import InvalidSettingError, Setting
from durward.catalog.story import Story, read_story

COMMON = Path(__file__).with_name("every_detector.toml")


@dataclass(frozen=True, slots=True)
class ServiceDefault:
    """What a card sets otherwise for one service, typed, and CSF's names for it: option -> setting."""

    values: Mapping[str, Any]
    csf: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """One way of misbehaving. `code` is the id of the packaged detector that runs it: its own, or another's.

    With `counting` no code is needed. `hears` are kinds of events, `of` the services that they come from (none: any).
    """

    id: str
    title: str
    why: str
    hears: frozenset[str]
    settings: Mapping[str, Setting]
    services: Mapping[str, ServiceDefault]
    stories: tuple[Story, ...]
    code: str
    of: frozenset[str] = frozenset()
    counting: Counting | None = None


def read_detector(path: Path) -> DetectorCard:
    """Read one card. Raises ProblemsError with everything that is wrong with it."""
    card = CardReader.open(path)
    card.only("title", "why", "hears", "of", "code", "counting", "settings", "services", "story")
    if "counting" in card.table and "code" in card.table:
        card.problem("code", "either code or [counting] was expected")
    settings = {setting.name: setting for setting in _with_common(card).settings()}
    detector = DetectorCard(
        path.stem,
        card.text("title"),
        card.text("why"),
        frozenset(card.texts("hears")),
        MappingProxyType(settings),
        MappingProxyType(_services(card, settings)),
        tuple(read_story(story) for story in card.each("story")),
        card.text("code", path.stem),
        frozenset(card.texts("of")),
        read_counting(card.inner("counting")) if "counting" in card.table else None,
    )
    if not detector.hears:
        card.problem("hears", 'the kinds of events that it hears were expected, like ["auth.failure"]')
    if card.problems:
        raise ProblemsError(card.problems)
    return detector


@cache
def _common() -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType(dict(CardReader.open(COMMON).table))


def _with_common(card: CardReader) -> CardReader:
    """The settings that the card declares, and those that every detector has, as the card wants them.

    One that names a kind is the card's own, whatever every detector has under that name.
    """
    own = card.inner("settings")
    known = _common()
    changed = {name: own.inner(name).table for name in own.table if name in known}
    tables = {
        name: changed[name] if "kind" in changed.get(name, {}) else {**table, **changed.get(name, {})}
        for name, table in known.items()
    }
    return CardReader(
        own.document, tables | {name: own.table[name] for name in own.table if name not in known}, own.at, own.problems
    )


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
