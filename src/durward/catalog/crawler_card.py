"""A crawler's card: which confirmed names, and which published networks, are really those of a search engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from durward.catalog.card import CardReader
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.host_names import InvalidNameError, is_meant, parse_name_pattern
from durward.catalog.shelf import cards_of
from durward.model import Address, InvalidAddressError, Network, parse_network


@dataclass(frozen=True, slots=True)
class CrawlerCard:
    """One search engine. `others` are names of its own that anybody can send through.

    `confirms`: all its names lead back to their addresses. `networks` are as `source` published them at `as_of`.
    """

    id: str
    title: str
    names: tuple[str, ...]
    others: tuple[str, ...] = ()
    confirms: bool = True
    networks: tuple[Network, ...] = ()
    source: str = ""
    as_of: str = ""

    def has(self, name: str) -> bool:
        """Whether a confirmed name is one of its crawlers'."""
        return any(is_meant(pattern, name) for pattern in self.names)

    def knows(self, name: str) -> bool:
        """Whether a name belongs to it at all."""
        return self.has(name) or any(is_meant(pattern, name) for pattern in self.others)

    def publishes(self, address: Address) -> bool:
        """Whether it published a network with this address."""
        return any(address.version == one.version and address in one for one in self.networks)


def load_crawlers(directories: Sequence[Path]) -> Mapping[str, CrawlerCard]:
    """Read every crawler's card in these directories. Raises ProblemsError with all problems of all cards."""
    cards: dict[str, CrawlerCard] = {}
    problems: list[Problem] = []
    for path in cards_of(directories):
        try:
            cards[path.stem] = _read(path)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return cards


def _read(path: Path) -> CrawlerCard:
    reader = CardReader.open(path)
    reader.only("title", "names", "others", "confirms", "networks", "source", "as_of")
    confirms = reader.table.get("confirms", True)
    if not isinstance(confirms, bool):
        reader.problem("confirms", "true or false was expected")
    card = CrawlerCard(
        path.stem,
        reader.text("title"),
        _patterns(reader, "names"),
        _patterns(reader, "others"),
        confirms is not False,
        _networks(reader),
        reader.text("source", ""),
        reader.text("as_of", ""),
    )
    if not card.names:
        reader.problem("names", 'at least one name like ".example.com" was expected')
    if card.networks and not (card.source and card.as_of):
        reader.problem("networks", "`source` and `as_of` were expected beside it: where and when they were published")
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card


def _patterns(reader: CardReader, key: str) -> tuple[str, ...]:
    patterns = []
    for text in reader.texts(key):
        try:
            patterns.append(parse_name_pattern(text))
        except InvalidNameError as error:
            reader.problem(key, str(error))
    return tuple(patterns)


def _networks(reader: CardReader) -> tuple[Network, ...]:
    networks = []
    for text in reader.texts("networks"):
        try:
            networks.append(parse_network(text))
        except InvalidAddressError as error:
            reader.problem("networks", f"{text!r}: {error}")
    return tuple(networks)
