"""Who is exempt by name, place or kind: what `[exemptions]` says, with its names, filters and places understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from durward.catalog.crawler_card import CrawlerCard, load_crawlers
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.host_names import InvalidNameError, is_meant, parse_host_name, parse_name_pattern
from durward.catalog.shelf import directories_of
from durward.config.filters import InvalidFilterError, parse_filter
from durward.config.reading import MAIN_FILE
from durward.config.settings import Settings
from durward.model import EVERYTHING, Scope

NAMES_MAX = 100  # dynamic names; each is asked for again and again
REVERSE_NAMES, NAMES, IGNORED_NAMES = "reverse_names", "names", "ignored_names"
STAND_INS = ("192.0.2.1", "2001:db8::1")  # for the addresses that a name will lead to, while a filter is read

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class DynamicName:
    """A name whose addresses change, and what of their traffic is meant."""

    host: str
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True)
class Exempting:
    """The rules of `[exemptions]`. `crawlers` are those of search engines, none where they are not exempt."""

    lookups: bool = False
    reverse_names: tuple[str, ...] = ()
    names: tuple[DynamicName, ...] = ()
    ignored_names: tuple[str, ...] = ()
    resolve_seconds: float = 0.0
    crawlers: Mapping[str, CrawlerCard] = field(default_factory=lambda: MappingProxyType({}))
    places: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether anything of it needs the name service."""
        return bool(self.lookups or self.reverse_names or self.crawlers or self.hosts)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that are asked for again and again; none where that is switched off."""
        if not self.resolve_seconds:
            return ()
        return tuple(dict.fromkeys([*(one.host for one in self.names), *self.ignored_names]))

    def reverse_name(self, name: str) -> str | None:
        """The entry of reverse_names that means a confirmed name; None where there is none."""
        return next((pattern for pattern in self.reverse_names if is_meant(pattern, name)), None)

    def crawler(self, name: str) -> CrawlerCard | None:
        """The search engine whose crawlers have this confirmed name; None where there is none."""
        return next((card for card in self.crawlers.values() if card.has(name)), None)


def exempting_of(settings: Settings, etc: Path) -> Exempting:
    """Read the settings' texts. Raises ProblemsError with all that is wrong."""
    values = settings.exemptions
    cards = load_crawlers(directories_of("crawlers", etc))
    problems: list[Problem] = []
    patterns = _each(settings, REVERSE_NAMES, values.reverse_names, parse_name_pattern, problems)
    names = _each(settings, NAMES, values.names, parse_dynamic_name, problems)
    ignored = _each(settings, IGNORED_NAMES, values.ignored_names, parse_host_name, problems)
    if len(names) + len(ignored) > NAMES_MAX:
        problems.append(_problem(settings, NAMES, f"more than {NAMES_MAX} names; each is asked for again and again"))
    if problems:
        raise ProblemsError(problems)
    return Exempting(
        values.lookups,
        patterns,
        names,
        ignored,
        values.resolve_every,
        cards if values.search_engines else MappingProxyType({}),
        values.countries,
    )


def parse_dynamic_name(text: str) -> DynamicName:
    """Read `home.example.net`, or a filter with a name where its address would be. Raises ValueError."""
    if "|" not in text and "=" not in text:
        return DynamicName(parse_host_name(text.strip()))
    parts = [part.strip() for part in text.lower().split("|" if "|" in text else ":")]
    hosts = {place: host for place, part in enumerate(parts) if (host := _host_in(part))}
    if len(hosts) != 1:
        raise InvalidNameError(f"{text[:80]!r} does not say one name; tcp|in|d=22|s=home.example.net was expected")
    ((place, host),) = hosts.items()
    side = parts[place].partition("=")[0]
    scopes = set()
    for address in STAND_INS:
        standing_in = [*parts[:place], f"{side}={address}", *parts[place + 1 :]]
        scopes.add(parse_filter("|".join(standing_in)).scope)
    scope = scopes.pop()
    if scopes or scope is None:
        raise InvalidFilterError(f"{text[:80]!r}: with a name, a filter can say TCP or UDP ports of the way in or out")
    return DynamicName(host, scope)


def _host_in(part: str) -> str:
    """The name that a part of a filter holds; empty where it holds something else."""
    side, _, value = part.partition("=")
    if side.strip() not in ("s", "d"):
        return ""
    try:
        return parse_host_name(value.strip())
    except InvalidNameError:
        return ""


def _each(
    settings: Settings, key: str, texts: tuple[str, ...], parse: Callable[[str], Parsed], problems: list[Problem]
) -> tuple[Parsed, ...]:
    parsed = []
    for text in texts:
        try:
            parsed.append(parse(text))
        except ValueError as error:
            problems.append(_problem(settings, key, str(error)))
    return tuple(dict.fromkeys(parsed))


def _problem(settings: Settings, name: str, text: str) -> Problem:
    key = f"exemptions.{name}"
    origin = settings.origin(key)
    return Problem(origin.file if origin else MAIN_FILE, origin.line if origin else 1, key, text)
