"""Finds what stands on a shelf: the packaged cards, the site's own cards, and the code beside a packaged card."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from durward.catalog.alert_card import AlertCard, read_alert_card
from durward.catalog.detector_card import DetectorCard, read_detector
from durward.catalog.document import Problem, ProblemsError

PACKAGE = Path(__file__).resolve().parent.parent
CARDS_MAX = 2000  # on one shelf; more are refused, all of them
MODULE = re.compile(r"[a-z][a-z0-9_]{0,62}")


def directories_of(shelf: str, etc: Path | None = None) -> tuple[Path, ...]:
    """Where the cards of `shelf` are: in the package, then in the site's own `etc`."""
    packaged = PACKAGE / shelf
    return (packaged, etc / shelf) if etc else (packaged,)


def cards_of(directories: Sequence[Path]) -> list[Path]:
    """The cards in these directories, by id; one in a later directory stands for one of the same id in an earlier one.

    A directory that does not exist is empty. Raises ProblemsError above CARDS_MAX.
    """
    cards = {path.stem: path for directory in directories for path in directory.glob("*.toml")}
    if len(cards) > CARDS_MAX:
        raise ProblemsError([Problem(str(directories[-1]), 1, "", f"there are more than {CARDS_MAX} cards")])
    return [cards[card] for card in sorted(cards)]


def load_detectors(directories: Sequence[Path]) -> list[DetectorCard]:
    """Read every detector's card in these directories, by id. Raises ProblemsError with all problems of all cards."""
    detectors, problems = [], []
    for path in cards_of(directories):
        try:
            detectors.append(read_detector(path))
        except ProblemsError as error:
            problems.extend(error.problems)
    if problems:
        raise ProblemsError(problems)
    return detectors


@cache  # the package's alone: what sends is code, and code is never loaded from /etc
def load_alerts() -> tuple[AlertCard, ...]:
    """Read the card of every alert channel, by id. Raises ProblemsError with all problems of all cards."""
    cards, problems = [], []
    for path in cards_of(directories_of("alerts")):
        try:
            cards.append(read_alert_card(path))
        except ProblemsError as error:
            problems.extend(error.problems)
    if problems:
        raise ProblemsError(problems)
    return tuple(cards)


def channels_on(settings: Mapping[str, Mapping[str, Any]]) -> list[AlertCard]:
    """The alert channels that are used, by `settings` as they are for each of them."""
    return [card for card in load_alerts() if card.is_on(settings[card.id])]


@cache  # asked again when the package's files may no longer be read
def code_of(shelf: str, card: str) -> ModuleType | None:
    """The module `durward.SHELF.CARD` where it stands beside the packaged card, else None.

    Only what the package brings is ever imported: the names must be plain, and the file must be in the package.
    """
    if not (MODULE.fullmatch(shelf) and MODULE.fullmatch(card)):
        return None
    beside = PACKAGE / shelf / card
    if not (beside.with_suffix(".py").is_file() and beside.with_suffix(".toml").is_file()):
        return None
    return import_module(f"durward.{shelf}.{card}")
