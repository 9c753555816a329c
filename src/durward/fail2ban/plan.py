"""What an import of fail2ban's configuration comes to: a row for each key, and the settings, cards and lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from durward.config.schema import KeyPath
from durward.fail2ban.cards import Made

Outcome = Literal["maps", "differs", "refused", "needless"]
TEXT_CHARACTERS_MAX = 300  # of a value are kept in a row


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one key. `target` is what it becomes, `why` what differs or why nothing comes of it.

    maps: the same holds here. differs: something close to it does. refused: it cannot be carried over. needless: it is
    so without being said.
    """

    jail: str
    key: str
    text: str
    outcome: Outcome
    target: str
    why: str
    place: str


@dataclass(slots=True)
class Plan:
    """Everything that is to be written, and what is said about it."""

    rows: list[Row] = field(default_factory=list)
    settings: dict[KeyPath, Any] = field(default_factory=dict)
    cards: list[Made] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    files: tuple[str, ...] = ()

    def say(  # noqa: PLR0917 — the columns of a row
        self, jail: str, key: str, text: str, outcome: Outcome, target: str = "", why: str = "", place: str = ""
    ) -> None:
        """Add a row."""
        shown = " ".join(text.split())[:TEXT_CHARACTERS_MAX]
        self.rows.append(Row(jail, key, shown, outcome, target, why, place))

    def count(self) -> Mapping[Outcome, int]:
        """How many rows there are of each outcome."""
        outcomes: tuple[Outcome, ...] = ("maps", "differs", "refused", "needless")
        return {outcome: sum(row.outcome == outcome for row in self.rows) for outcome in outcomes}
