"""Reads a card: takes its keys one by one, checks what they hold, and gathers every problem instead of the first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from durward.catalog.document import Document, Problem, read_document
from durward.catalog.setting import READERS, InvalidSettingError, Setting, shown

ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
SETTING_KEYS = ("kind", "default", "why", "csf", "minimum", "maximum", "choices")


class CardReader:
    """One table of a document while it is read. What is wrong goes to `problems`, which inner tables share."""

    def __init__(self, document: Document, table: Mapping[str, Any], at: str, problems: list[Problem]) -> None:
        self.document = document
        self.table = table
        self.at = at
        self.problems = problems

    @classmethod
    def open(cls, path: Path) -> "CardReader":
        """Read the card `path`. Raises ProblemsError where it is no TOML."""
        document = read_document(path)
        reader = cls(document, document.data, "", [])
        if not ID.fullmatch(path.stem):
            reader.problem("", f"{path.stem!r} is no id; the file name must be small letters, digits, _ and -")
        return reader

    def only(self, *known: str) -> None:
        """Complain about each key that is not known, and offer the nearest one that is."""
        for key in self.table:
            if key not in known:
                self.problem(key, "is not known here", known)

    def text(self, key: str, default: str | None = None) -> str:
        """The text at `key`; it must be there unless there is a default."""
        value = self.table.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value.strip()
        self.problem(key, "a text was expected" if key in self.table else f"{key} is missing; a text was expected")
        return ""

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts at `key`; empty where there is none."""
        value = self.table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.problem(key, 'a list of texts like ["one", "two"] was expected')
        return ()

    def count(self, key: str, default: int) -> int:
        """The whole number at `key`, from 0."""
        value = self.table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.problem(key, "a whole number from 0 was expected")
        return default

    def number(self, key: str) -> float | None:
        """The number at `key`, or None where there is none; a duration in quotes counts in seconds."""
        value = self.table.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        try:
            return float(READERS["duration"](value, Setting(key, "duration", None)))
        except InvalidSettingError as error:
            self.problem(key, str(error))
            return None

    def inner(self, key: str) -> "CardReader":
        """A reader of the table at `key`; of an empty one where there is none."""
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            self.problem(key, "a table was expected")
            value = {}
        return CardReader(self.document, value, self._key(key), self.problems)

    def each(self, key: str) -> list["CardReader"]:
        """A reader for each table of the list at `key`: `[[key]]`, or a list of inline tables."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, f"tables were expected, written [[{self._key(key)}]]")
            return []
        at = self._key(key)
        return [CardReader(self.document, item, f"{at}.{number}", self.problems) for number, item in enumerate(value)]

    def problem(self, key: str, message: str, known: Sequence[str] = ()) -> None:
        """Note what is wrong at `key` of this table; the nearest of the `known` keys is offered."""
        self.problems.append(self.document.problem(self._key(key), message, tuple(known)))

    def unknown_value(self, key: str, value: str, known: Sequence[str]) -> None:
        """Note that the text at `key` is none of the `known` ones, and offer the nearest of them."""
        close = get_close_matches(value, known, n=1)
        message = f"{shown(value)} was given; one of {', '.join(known)} was expected"
        problem = self.document.problem(self._key(key), message)
        self.problems.append(replace(problem, nearest=close[0] if close else ""))

    def settings(self) -> tuple[Setting, ...]:
        """The settings that the tables below this one declare, in the card's order."""
        declared = [read_setting(self.inner(name), name) for name in self.table]
        return tuple(setting for setting in declared if setting)

    def _key(self, key: str) -> str:
        return ".".join(part for part in (self.at, key) if part)


def read_setting(reader: CardReader, name: str) -> Setting | None:
    """Read `[settings.NAME]`; None, and problems, where it is wrong. The default has to be a value that it takes."""
    reader.only(*SETTING_KEYS)
    kind = reader.text("kind")
    if kind not in READERS:
        if kind:
            reader.unknown_value("kind", kind, tuple(READERS))
        return None
    why, csf, choices = reader.text("why"), reader.texts("csf"), reader.texts("choices")
    setting = Setting(name, kind, None, why, csf, reader.number("minimum"), reader.number("maximum"), choices)
    if "default" not in reader.table:
        reader.problem("default", "default is missing")
        return None
    try:
        default = setting.read(reader.table["default"])
    except InvalidSettingError as error:
        reader.problem("default", str(error))
        return None
    return Setting(name, kind, default, why, csf, setting.minimum, setting.maximum, choices)
