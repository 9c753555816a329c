"""Adds entries to a list and removes them. The file is replaced whole: a crash leaves the old one or the new one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from durward.catalog.document import Problem, ProblemsError
from durward.config.lists import FILE_BYTES_MAX, InvalidLineError, ListEntry, included_by, parse_entry
from durward.config.replacing import locked, replace_file
from durward.model import Subject

COMMENT_CHARACTERS_MAX = 500  # of a comment are written


class Removal(NamedTuple):
    """What a removal did: how many lines went, and how many stayed because they say `do not delete`."""

    removed: int
    kept: int


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
    removed = kept = 0

    def edit(text: str) -> str:
        nonlocal removed, kept
        lines = []
        for line in text.splitlines(keepends=True):
            entry = _names(line, subject, filters=filters)
            if entry is None or entry.keep:
                lines.append(line)
            removed += entry is not None and not entry.keep
            kept += entry is not None and entry.keep
        return "".join(lines)

    _edit(path, edit)
    return Removal(removed, kept)


def _names(line: str, subject: Subject, *, filters: bool = False) -> ListEntry | None:
    """The entry of `line` where it names `subject`."""
    line = line.lstrip("\ufeff")  # a byte order mark may stand before the first entry
    try:
        entry = None if included_by(line) else parse_entry(line, "", 0)
    except InvalidLineError:
        return None
    if entry is None or entry.network != subject.value or (entry.filter and not filters):
        return None
    return entry


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
