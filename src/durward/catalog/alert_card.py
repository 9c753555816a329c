"""An alert channel's card: what it is for, which alerts it takes, and its settings; some are those of every channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.budgets import Budget
from durward.catalog.card import CardReader
from durward.catalog.document import ProblemsError
from durward.catalog.setting import Setting
from durward.model.alert import ALERT_KINDS, SEVERITIES, AlertKind

MESSAGES_EACH_HOUR = 20
GATHER_SECONDS = 10.0
GATHER_SECONDS_MAX = 3600.0
GIVE_UP_SECONDS = 3 * 86400.0
FOR_PROGRAMS: frozenset[AlertKind] = frozenset({"unblock", "account", "login"})  # kinds that people are not told of
# What every channel has; a card may declare one of them anew, with another default.
EVERY_CHANNEL = (
    Setting("enabled", "boolean", False, "true: this channel is used. None is, until somebody says so."),
    Setting(
        "least",
        "choice",
        "notice",
        "What is less grave is not told here: info, notice (a block), warning (one that lasts), critical.",
        choices=SEVERITIES,
    ),
    Setting(
        "budget",
        "budget",
        Budget(MESSAGES_EACH_HOUR, 3600),
        "Messages at most; beyond it they become one digest that says so. off: no limit.",
    ),
    Setting(
        "gather",
        "duration",
        GATHER_SECONDS,
        "An alert waits this long for others of the same incident, to go out together.",
        minimum=0,
        maximum=GATHER_SECONDS_MAX,
    ),
    Setting("quiet", "hours", None, 'Hours like "22:00-07:00" in which nothing is sent; a digest follows. Local time.'),
    Setting(
        "loud",
        "choice",
        "critical",
        "What is this grave does not wait for the end of the quiet hours.",
        choices=SEVERITIES,
    ),
    Setting(
        "give_up",
        "duration",
        GIVE_UP_SECONDS,
        "A message that could not be sent for this long is given up, and that is shown.",
        minimum=60,
    ),
)


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One way to tell people. `kinds` of alerts it takes, empty for all that are no mere news of unblocking.

    `needs` names settings of which one has to be filled in before the channel is used at all. `single`: one alert each
    message. `repeatable`: a message of which nobody knows whether it was sent is sent again. `code` is the id of the
    card beside whose code this one runs: its own, or another's, whose settings it then has too.
    """

    id: str
    title: str
    why: str
    kinds: frozenset[str]
    single: bool
    repeatable: bool
    needs: tuple[str, ...]
    settings: Mapping[str, Setting]
    code: str

    def is_on(self, values: Mapping[str, Any]) -> bool:
        """Whether the channel is used, with these settings."""
        return bool(values["enabled"]) and (not self.needs or any(values[name] for name in self.needs))


def read_alert_card(path: Path) -> AlertCard:
    """Read one card. Raises ProblemsError with everything that is wrong with it."""
    card = CardReader.open(path)
    card.only("title", "why", "kinds", "single", "repeatable", "needs", "code", "settings")
    own = {setting.name: setting for setting in card.inner("settings").settings()}
    kinds = card.texts("kinds")
    for kind in kinds:
        if kind not in ALERT_KINDS:
            card.unknown_value("kinds", kind, ALERT_KINDS)
    found = AlertCard(
        path.stem,
        card.text("title"),
        card.text("why"),
        frozenset(kinds) or frozenset(ALERT_KINDS) - FOR_PROGRAMS,
        _flag(card, "single", default=False),
        _flag(card, "repeatable", default=True),
        card.texts("needs"),
        MappingProxyType({**{setting.name: setting for setting in EVERY_CHANNEL}, **own}),
        card.text("code", path.stem),
    )
    for name in found.needs:
        if name not in found.settings:
            card.unknown_value("needs", name, tuple(found.settings))
    if card.problems:
        raise ProblemsError(card.problems)
    return found


def _flag(card: CardReader, key: str, *, default: bool) -> bool:
    value = card.table.get(key, default)
    if not isinstance(value, bool):
        card.problem(key, "true or false was expected")
    return bool(value)
