"""A proxy's card: the networks that a CDN asks from, as it publishes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from durward.catalog.card import CardReader
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.shelf import cards_of
from durward.model import InvalidAddressError, Network, parse_network


@dataclass(frozen=True, slots=True)
class ProxyCard:
    """One CDN. `source` is where it publishes its networks."""

    id: str
    title: str
    source: str
    networks: tuple[Network, ...]


def load_proxies(directories: Sequence[Path]) -> Mapping[str, ProxyCard]:
    """Read every proxy's card in these directories. Raises ProblemsError with all problems of all cards."""
    cards: dict[str, ProxyCard] = {}
    problems: list[Problem] = []
    for path in cards_of(directories):
        try:
            cards[path.stem] = _read(path)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return cards


def _read(path: Path) -> ProxyCard:
    reader = CardReader.open(path)
    reader.only("title", "source", "networks")
    networks: list[Network] = []
    for text in reader.texts("networks"):
        try:
            networks.append(parse_network(text))
        except InvalidAddressError as error:
            reader.problem("networks", f"{text!r}: {error}")
    card = ProxyCard(path.stem, reader.text("title"), reader.text("source", ""), tuple(networks))
    if not networks:
        reader.problem("networks", "at least one network was expected")
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card
