"""Reads fail2ban's configuration files as they stand: sections of options, files that name others, what overrides."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from durward.fail2ban.failure import Fail2banError

FILE_BYTES_MAX = 1 << 20  # a larger file is refused
FILES_MAX = 400  # that one question may read, with all that they include; more are refused
DEPTH_MAX = 16  # files that include each other; deeper ones are refused
DEFAULT, INCLUDES = "DEFAULT", "INCLUDES"
HEADER = re.compile(r"\[([^\]]+)\]")
OPTION = re.compile(r"([^:=\s][^:=]*?)\s*[:=]\s*(.*)")
INLINE_COMMENT = re.compile(r"(?:^|\s);.*")


class Option(NamedTuple):
    """What is written, and where."""

    text: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """`/etc/fail2ban/jail.local:12`."""
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Sections:
    """Options by section and name (in small letters), each with all that was written for it, the last in force."""

    written: dict[str, dict[str, list[Option]]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def put(self, section: str, name: str, option: Option) -> None:
        """Note an option: it overrides those before it."""
        self.written.setdefault(section, {}).setdefault(name, []).append(option)

    def history(self, section: str, name: str) -> list[Option]:
        """What was written for an option in that very section, the oldest first."""
        return self.written.get(section, {}).get(name, [])

    def names(self) -> list[str]:
        """The sections, but for those that are about the files themselves."""
        return [name for name in self.written if name not in (DEFAULT, INCLUDES)]


def read_sections(paths: list[Path]) -> Sections:
    """Read these files in order, each with the files that it includes before and after itself.

    A file that is not there is empty. Raises Fail2banError.
    """
    sections = Sections()
    for path in paths:
        _read_with_includes(path, sections, 0)
    return sections


def _read_with_includes(path: Path, sections: Sections, depth: int) -> None:
    text = _read(path)
    if text is None:
        return
    if depth > DEPTH_MAX or len(sections.files) >= FILES_MAX:
        raise Fail2banError(f"{path}: more files include each other than can be right")
    sections.files.append(str(path))
    found = list(_options(text, path))
    includes = {name: option.text.split() for section, name, option in found if section.upper() == INCLUDES}
    for name in includes.get("before", []):
        _read_with_includes(path.parent / name, sections, depth + 1)
    for section, name, option in found:
        if section.upper() != INCLUDES:
            sections.put(section, name, option)
    for name in includes.get("after", []):
        _read_with_includes(path.parent / name, sections, depth + 1)


def _read(path: Path) -> str | None:
    """The text of a regular file; None where there is none. Raises Fail2banError."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MAX:
                raise Fail2banError(f"{path}: is no regular file of at most {FILE_BYTES_MAX} bytes")
            return file.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Fail2banError(f"{path}: {error.strerror or 'cannot be read'}") from None


def _options(text: str, path: Path) -> Iterator[tuple[str, str, Option]]:
    """The options with their sections. Indented lines go on with the value of the line before."""
    section, name, start = DEFAULT, "", 0
    value: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = INLINE_COMMENT.sub("", raw).rstrip()
        if line.lstrip().startswith("#") or not line.strip():
            continue
        if line[0].isspace() and name:
            value.append(line.strip())
            continue
        if name:
            yield section, name, Option("\n".join(value).strip(), str(path), start)
        name = ""
        if header := HEADER.match(line):
            section = header[1]
        elif option := OPTION.match(line.strip()):
            name, value, start = option[1].lower(), [option[2]], number
        else:
            raise Fail2banError(f"{path}:{number}: NAME = VALUE was expected")
    if name:
        yield section, name, Option("\n".join(value).strip(), str(path), start)
