"""Adds entries to a list and removes them. The file is replaced whole: a crash leaves the old one or the new one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from durward.catalog.document import Problem, ProblemsError
from durward.config.lists import FILE_BYTES_MAX, InvalidLineError, ListEntry, included_by, parse_entries
from durward.config.replacing import locked, replace_file
from durward.model import Subject

COMMENT_CHARACTERS_MAX = 500  # of a comment are written


class Removal(NamedTuple):
    """What a removal did: how many lines went, how many stayed because they say `do not delete`.

    `rules` of those that went were filters that the sets do not carry: the firewall follows with the next apply.
    """

    removed: int
    kept: int
    rules: int = 0


def append_entry(path: Path, subject: Subject, comment: str, date: str) -> bool:
    """Add `SUBJECT # COMMENT - DATE` unless the file names the subject already (then False). Raises ProblemsError."""
    words = " ".join(f"{comment} - {date}".split())[:COMMENT_CHARACTERS_MAX]
    line = f"{subject.value} # {''.join(letter for letter in words if letter.isprintable())}\n"
    added = False

    def edit(text: str) -> str:
        nonlocal added
        added = not any(_names(part, subject) for part in text.splitlines())
        gap = "" if not text or text.endswith(("\n", "\r")) else "\n"
        return text + gap + line if added else text

    _edit(path, edit)
    return added


def remove_entries(path: Path, subject: Subject, *, filters: bool = False) -> Removal:
    """Remove the lines that name `subject`, with `filters` those filters too that do. Raises ProblemsError.

    Lines that say `do not delete` stay, and so does all else to the byte. Included files are never changed.
    """

    def names(line: str) -> list[ListEntry]:
        entry = _names(line, subject, filters=filters)
        return [] if entry is None else [entry]

    return _remove(path, names)


def clear_entries(path: Path) -> Removal:
    """Remove every entry but those that say `do not delete`; comments, Includes and what is no entry stay.

    Raises ProblemsError.
    """
    return _remove(path, _entries)


def _remove(path: Path, meant: Callable[[str], list[ListEntry]]) -> Removal:
    """Remove the lines that have entries which are meant, but for those that say `do not delete`."""
    removed = kept = rules = 0

    def edit(text: str) -> str:
        nonlocal removed, kept, rules
        lines = []
        for line in text.splitlines(keepends=True):
            entries = meant(line)
            keep = any(entry.keep for entry in entries)
            if keep or not entries:
                lines.append(line)
            removed += bool(entries) and not keep
            rules += not keep and any(entry.scope is None for entry in entries)
            kept += keep
        return "".join(lines)

    _edit(path, edit)
    return Removal(removed, kept, rules)


def _names(line: str, subject: Subject, *, filters: bool = False) -> ListEntry | None:
    """The entry of `line` where it names `subject` and nothing else."""
    entries = _entries(line)
    if len(entries) != 1 or entries[0].network != subject.value or (entries[0].filter and not filters):
        return None
    return entries[0]


def _entries(line: str) -> list[ListEntry]:
    line = line.lstrip("\ufeff")  # a byte order mark may stand before the first entry
    try:
        return [] if included_by(line) is not None else parse_entries(line, "", 0)
    except InvalidLineError:
        return []


def _edit(path: Path, edit: Callable[[str], str]) -> None:
    path = Path(os.path.realpath(path))  # a link to a list stays a link
    try:
        with locked(path.parent):
            old = _read(path)
            new = edit(old or "")
            if new != (old or ""):
                replace_file(path, new.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise ProblemsError([Problem(str(path), 1, "", error.strerror or "cannot be written")]) from None


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    if len(raw) > FILE_BYTES_MAX:
        raise OSError(0, f"is larger than {FILE_BYTES_MAX} bytes")
    return raw.decode("utf-8", "surrogateescape")
