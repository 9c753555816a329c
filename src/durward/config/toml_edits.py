"""Sets values in a TOML text, and takes them out. All else stays; the result is what was meant, or it is refused."""

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from durward.config.toml_layout import Assignment, KeyPath, Layout, layout_of

BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
SURROGATE = re.compile("[\ud800-\udfff]")  # what is left of bytes that are no UTF-8
Candidate = Callable[[str, Layout, KeyPath, Any], str | None]


class EditError(ValueError):
    """A text in which a value cannot be set without disturbing others; it has to be edited by hand."""


def set_values(text: str, values: Mapping[KeyPath, Any]) -> str:
    """The text with each of these values set, and nothing else changed. Raises EditError."""
    for path, value in values.items():
        text = set_value(text, path, value)
    return text


def set_value(text: str, path: KeyPath, value: Any) -> str:
    """The text with `value` at `path`, in the place where it stands or belongs. Raises EditError."""
    before = tomllib.loads(text)
    wanted = deepcopy(before)
    try:
        _put(wanted, path, value)
    except TypeError:
        raise EditError(f"{'.'.join(path)}: a value stands where a table was expected") from None
    if wanted == before and _is_there(before, path):
        return text
    layout = layout_of(text)
    for candidate in CANDIDATES:
        edited = candidate(text, layout, path, value)
        if edited is not None and _reads_as(edited, wanted):
            return edited
    raise EditError(f"{'.'.join(path)} cannot be set here without changing other lines; please edit the file by hand")


def unset_value(text: str, path: KeyPath) -> str:
    """The text without the value at `path`, and nothing else changed: a comment behind it stays. Raises EditError."""
    before = tomllib.loads(text)
    if not _is_there(before, path):
        return text
    wanted = deepcopy(before)
    _take(wanted, path)
    for one in layout_of(text).assignments:
        rest = path[len(one.path) :]
        if path[: len(one.path)] != one.path:
            continue
        edited = _without_key(text, one, rest) if rest else _without_line(text, one)
        if edited is not None and _reads_as(edited, wanted):
            return edited
    raise EditError(f"{'.'.join(path)} cannot be taken out without changing other lines; please edit the file by hand")


def toml_of(value: Any) -> str:
    """A value as TOML writes it, on one line. Raises EditError for what TOML has no word for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, str) and not SURROGATE.search(value):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_of, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(name)} = {toml_of(item)}" for name, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    raise EditError(f"{value!r} cannot be written in TOML")


def _in_place(text: str, layout: Layout, path: KeyPath, value: Any) -> str | None:
    """Change the value on its own line."""
    for one in layout.assignments:
        if one.path == path:
            return text[: one.value_start] + toml_of(value) + text[one.value_end :]
    return None


def _in_braces(text: str, layout: Layout, path: KeyPath, value: Any) -> str | None:
    """Change, or add to, a table that is written in braces: `interfaces = { eth1 = "trusted" }`."""
    for one in layout.assignments:
        rest = path[len(one.path) :]
        if rest and path[: len(one.path)] == one.path:
            table = tomllib.loads(f"table = {text[one.value_start : one.value_end]}")["table"]
            if isinstance(table, dict):
                _put(table, rest, value)
                return text[: one.value_start] + toml_of(table) + text[one.value_end :]
    return None


def _in_table(text: str, layout: Layout, path: KeyPath, value: Any) -> str | None:
    """Add a line behind the last one of its table; before any header where the table is the root."""
    table = path[:-1]
    ends = [one.line_end for one in layout.assignments if one.table == table]
    ends += [layout.headers[table]] if table in layout.headers else []
    return _insert(text, max(ends), f"{_key(path[-1])} = {toml_of(value)}") if ends else None


def _beside_dotted(text: str, layout: Layout, path: KeyPath, value: Any) -> str | None:
    """Add a line beside those that name its table with dots: `brute_force.count = 5`."""
    for length in range(len(path) - 1, 0, -1):
        for one in reversed(layout.assignments):
            if one.path[:length] == path[:length] and len(one.table) < length:
                dotted = ".".join(map(_key, path[len(one.table) :]))
                return _insert(text, one.line_end, f"{dotted} = {toml_of(value)}")
    return None


def _behind_all(text: str, _layout: Layout, path: KeyPath, value: Any) -> str | None:
    """Begin the table at the end of the text."""
    if len(path) == 1:
        return f"{_key(path[0])} = {toml_of(value)}\n{text}"
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}[{'.'.join(map(_key, path[:-1]))}]\n{_key(path[-1])} = {toml_of(value)}\n"


def _without_line(text: str, one: Assignment) -> str:
    start = text.rfind("\n", 0, one.value_start) + 1
    comment = text[one.value_end : one.line_end].strip()
    if not comment:
        return text[:start] + text[one.line_end :]
    return f"{text[:start]}{comment}{text[one.value_end : one.line_end].partition(comment)[2]}{text[one.line_end :]}"


def _without_key(text: str, one: Assignment, rest: KeyPath) -> str | None:
    """Take a key out of a table that is written in braces."""
    table = tomllib.loads(f"table = {text[one.value_start : one.value_end]}")["table"]
    if not isinstance(table, dict):
        return None
    _take(table, rest)
    return text[: one.value_start] + toml_of(table) + text[one.value_end :]


CANDIDATES: tuple[Candidate, ...] = (_in_place, _in_braces, _in_table, _beside_dotted, _behind_all)


def _insert(text: str, position: int, line: str) -> str:
    gap = "" if position == 0 or text[position - 1] == "\n" else "\n"
    end = "\r\n" if text[:position].endswith("\r\n") else "\n"
    return f"{text[:position]}{gap}{line}{end}{text[position:]}"


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    """Whether the text says what is wanted; a table in which nothing is says nothing."""
    try:
        return _pruned(tomllib.loads(text)) == _pruned(wanted)
    except tomllib.TOMLDecodeError:
        return False


def _put(table: dict[str, Any], path: KeyPath, value: Any) -> None:
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise TypeError(name)
    if isinstance(table.get(path[-1]), dict) and not isinstance(value, dict):
        raise TypeError(path[-1])
    table[path[-1]] = value


def _take(table: dict[str, Any], path: KeyPath) -> None:
    for name in path[:-1]:
        table = table[name]
    del table[path[-1]]


def _pruned(data: dict[str, Any]) -> dict[str, Any]:
    """Without empty tables."""
    inner = {name: _pruned(value) if isinstance(value, dict) else value for name, value in data.items()}
    return {name: value for name, value in inner.items() if value != {}}


def _is_there(data: Any, path: Iterable[str]) -> bool:
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else toml_of(name)


def paths_of(data: Mapping[str, Any], at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Each value of a TOML document that is no table, with its path."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from paths_of(value, (*at, name))
        else:
            yield (*at, name), value
