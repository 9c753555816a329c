"""Where each key of a TOML text stands, to the character: so that a value can be changed and all else stays."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

KeyPath = tuple[str, ...]
QUOTES = ('"""', "'''", '"', "'")
BRACKETS = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `key = value`: its whole path, the table that it stands in, its offsets, and the end of its last line."""

    path: KeyPath
    table: KeyPath
    value_start: int
    value_end: int
    line_end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The assignments and table headers of a text. `headers` maps tables to the end of their header's line."""

    assignments: tuple[Assignment, ...]
    headers: dict[KeyPath, int]


def layout_of(text: str) -> Layout:
    """Find all keys of a valid TOML text. Keys of tables in lists are passed over: no setting stands there."""
    assignments: list[Assignment] = []
    headers: dict[KeyPath, int] = {}
    table: KeyPath | None = ()
    position = 0
    while position < len(text):
        start = _behind_blanks(text, position)
        end = _line_end(text, position)
        if text.startswith("[", start):
            table = None if text.startswith("[[", start) else _path_of(text[start : _outside(text, start, "]") + 1])
            if table is not None:
                headers.setdefault(table, end)
        elif start < len(text) and text[start] not in "#\r\n":
            equals = _outside(text, start, "=")
            value = _behind_blanks(text, equals + 1)
            value_end = end_of_value(text, value)
            end = _line_end(text, value_end)
            if table is not None:
                path = table + _path_of(f"{text[start:equals]} = 0")
                assignments.append(Assignment(path, table, value, value_end, end))
        position = end
    return Layout(tuple(assignments), headers)


def end_of_value(text: str, start: int) -> int:
    """The offset behind the value that begins at `start`: strings, lists over several lines, tables in braces."""
    position, depth = start, 0
    while position < len(text):
        letter = text[position]
        quotes = next((quotes for quotes in QUOTES if text.startswith(quotes, position)), "")
        if quotes:
            position = _end_of_string(text, position, quotes)
            if not depth:
                return position
            continue
        if letter == "#" and depth:
            position = _line_end(text, position)
            continue
        if not depth and letter in "#\r\n":
            break
        depth += BRACKETS.get(letter, 0)
        position += 1
        if not depth and letter in "]}":
            return position
    return start + len(text[start:position].rstrip())


def _outside(text: str, start: int, letter: str) -> int:
    """Where `letter` stands next, names in quotes passed over; it is there, because the text is valid."""
    position = start
    while text[position] != letter:
        position = _end_of_string(text, position, text[position]) if text[position] in "\"'" else position + 1
    return position


def _end_of_string(text: str, start: int, quotes: str) -> int:
    closing = re.compile(r"(?:\\.|[^\\])*?" + quotes if quotes[0] == '"' else r".*?" + quotes, re.DOTALL)
    found = closing.match(text, start + len(quotes))
    end = found.end() if found else len(text)
    while found and len(quotes) == 3 and text.startswith(quotes[0], end):  # quotes may stand right before the closing
        end += 1
    return end


def _behind_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t":
        position += 1
    return position


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _path_of(text: str) -> KeyPath:
    """The path that a header or an assignment makes, as the TOML reader sees it."""
    path: list[str] = []
    found: Any = tomllib.loads(text)
    while isinstance(found, dict) and found:
        name, found = next(iter(found.items()))
        path.append(name)
    return tuple(path)
