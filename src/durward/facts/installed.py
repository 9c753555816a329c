"""Which services are installed on this host, by the marks on their cards, and which of their logs are there."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from durward.catalog.service_card import ServiceCard

LOGS_MAX = 20  # of one service are named; more do not say more
JOURNALS = ("/run/log/journal", "/var/log/journal")
SIGNS = frozenset("*?[")
JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Installed:
    """A service that is installed: what shows it, and the logs that are there (full paths, and "journal")."""

    card: ServiceCard
    mark: str
    logs: tuple[str, ...]

    @property
    def looked_for(self) -> str:
        """Where its lines were looked for, in words."""
        units = [f"the journal of {unit}" for unit in self.card.reads.journal]
        return ", ".join([*self.card.reads.files, *units]) or "nowhere: its card names no log"


def installed(cards: Sequence[ServiceCard], root: Path = Path("/")) -> list[Installed]:
    """The services of which a mark is there, by id. A card without marks is never found."""
    found = []
    for card in sorted(cards, key=lambda card: card.id):
        mark = next((mark for mark in card.reads.marks if any(_there(root, mark))), "")
        if mark:
            found.append(Installed(card, mark, logs_of(card.reads.files, card.reads.journal, root)))
    return found


def logs_of(files: Sequence[str], units: Sequence[str], root: Path = Path("/")) -> tuple[str, ...]:
    """The logs that are there of those that are named; the journal counts where units are named and it is kept."""
    there = dict.fromkeys(path for file in files for path in islice(_there(root, file), LOGS_MAX))
    journal = [JOURNAL] if units and any(any(_there(root, path)) for path in JOURNALS) else []
    return (*islice(there, LOGS_MAX), *journal)


def _there(root: Path, path: str) -> Iterator[str]:
    """The paths below `root` that a path or glob names, as this host calls them."""
    relative = path.lstrip("/")
    try:
        if SIGNS.intersection(path):
            for one in root.glob(relative):
                yield f"/{one.relative_to(root)}"
        elif os.path.lexists(root / relative):
            yield path
    except (OSError, ValueError):  # what cannot be looked at is not there for us
        return
