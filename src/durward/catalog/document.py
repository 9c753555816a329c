"""A TOML file that knows the line of each of its keys, and the problems that were found in it."""

import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

DOCUMENT_BYTES_MAX = 1 << 20  # a card or a settings file larger than this is refused unread
MESSAGE_CHARACTERS_MAX = 600  # of a problem are shown; its middle is left out
KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
SYNTAX_PLACE = re.compile(r"\(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where it is, which key, what is wrong, and the nearest right thing where there is one."""

    file: str
    line: int
    key: str
    message: str
    nearest: str = ""

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        key = f"{self.key}: " if self.key else ""
        message = self.message
        if len(message) > MESSAGE_CHARACTERS_MAX:
            half = MESSAGE_CHARACTERS_MAX // 2
            message = f"{message[:half]}…{message[-half:]}"  # what was expected is at its end
        return f"{self.file}:{self.line}: {key}{message}{hint}"


class ProblemsError(ValueError):
    """A file that cannot be used. `problems` lists everything that is wrong with it, not only the first thing."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(slots=True)
class Document:
    """A parsed file. `lines` maps dotted keys (`pattern.2.event` for the third `[[pattern]]`) to lines, from 1."""

    path: Path
    data: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)

    def problem(self, key: str, message: str, known: tuple[str, ...] = ()) -> Problem:
        """A problem at `key`; the nearest of `known` keys or values is offered."""
        close = get_close_matches(key.rpartition(".")[2], known, n=1)
        return Problem(str(self.path), self.line_of(key), key, message, close[0] if close else "")

    def line_of(self, key: str) -> int:
        """The line of `key`, or of the nearest enclosing table; 1 where nothing is known."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key.rpartition(".")[0]
        return 1


def read_document(path: Path) -> Document:
    """Read a TOML file. Raises ProblemsError with file and line where it cannot be read or parsed."""
    try:
        # Without waiting: a named pipe in the place of the file would keep us for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ProblemsError([Problem(str(path), 1, "", "is no regular file")])
            raw = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise ProblemsError([Problem(str(path), 1, "", error.strerror or "cannot be read")]) from None
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise ProblemsError([Problem(str(path), 1, "", f"is larger than {DOCUMENT_BYTES_MAX} bytes")])
    return parse_document(path, raw)


def parse_document(path: Path, raw: bytes) -> Document:
    """Parse the bytes of the TOML file `path`. Raises ProblemsError."""
    try:
        text = raw.decode()
        return Document(path, tomllib.loads(text), locate(text))
    except RecursionError:
        raise ProblemsError([Problem(str(path), 1, "", "holds lists or tables in too many others")]) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ProblemsError([Problem(str(path), line, "", "is not UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        place = SYNTAX_PLACE.search(str(error))
        line = int(place[1]) if place else len(raw.splitlines())
        raise ProblemsError([Problem(str(path), line, "", SYNTAX_PLACE.sub("", str(error)).strip())]) from None


def locate(text: str) -> dict[str, int]:
    """Map each dotted key of a TOML text to its line. `tomllib` gives no positions, so this reads headers and keys.

    The text is known to be valid TOML. Multi-line strings are skipped whole; inside multi-line arrays and inline tables
    the line of the key that holds them stands for all.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, closing = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if header := HEADER.match(line):
            table = _enter(header[2], counts, repeated=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := KEY.match(line):
            lines.setdefault(_join(table, _dotted(key[1])), number)
            closing = _opens(line[key.end() :])
    return lines


def _enter(name: str, counts: dict[str, int], *, repeated: bool) -> str:
    path = ""
    parts = _dotted(name).split(".")
    for depth, part in enumerate(parts, 1):
        path = _join(path, part)
        if repeated and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
            for inner in [key for key in counts if key.startswith(path + ".")]:
                del counts[inner]
        if path in counts:
            path = f"{path}.{counts[path]}"
    return path


def _opens(rest: str) -> str:
    for quotes in ("'''", '"""'):
        if rest.count(quotes) % 2:
            return quotes
    return ""


def _dotted(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _join(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key
