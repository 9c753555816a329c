"""Reads durward.toml and conf.d against the schema: typed values, where each came from, and every mistake."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.document import Document, Problem, ProblemsError, parse_document, read_document
from durward.catalog.setting import InvalidSettingError, Setting
from durward.config.schema import ANY, KeyPath, Schema, Table

MAIN_FILE = "durward.toml"
MORE_FILES = "conf.d"
NOTHING: Mapping[Path, bytes] = MappingProxyType({})
FILES_MAX = 256  # in conf.d; the rest is not read and that is a problem


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Written:
    """What the files say: typed values and their origins by path, and what is wrong."""

    values: dict[KeyPath, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_files(etc: Path, schema: Schema, instead: Mapping[Path, bytes] = NOTHING) -> Written:
    """Read what is there, later files over earlier ones. A missing durward.toml says nothing, and that is right.

    What `instead` holds of a file counts for it.
    """
    written = Written()
    for path in _files(etc, written.problems, instead):
        try:
            document = parse_document(path, instead[path]) if path in instead else read_document(path)
        except ProblemsError as error:
            written.problems.extend(error.problems)
        else:
            read_written(document, schema, written)
    return written


def read_written(document: Document, schema: Schema, written: Written) -> None:
    """Add what one document says to `written`."""
    _Reader(document, schema, written).table(document.data, schema.root, ())


def _files(etc: Path, problems: list[Problem], instead: Mapping[Path, bytes]) -> list[Path]:
    main, more = etc / MAIN_FILE, sorted((etc / MORE_FILES).glob("*.toml"))
    if len(more) > FILES_MAX:
        problems.append(
            Problem(str(etc / MORE_FILES), 1, "", f"holds more than {FILES_MAX} files; the rest is not read")
        )
    return [main, *more[:FILES_MAX]] if main in instead or main.exists() or main.is_symlink() else more[:FILES_MAX]


def _nearest_choice(value: object, setting: Setting) -> str:
    close = get_close_matches(value, setting.choices, n=1) if isinstance(value, str) else []
    return close[0] if close else ""


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Document
    schema: Schema
    written: Written

    def table(self, data: Mapping[str, Any], known: Table, at: KeyPath) -> None:
        for name, value in data.items():
            path = (*at, name)
            if name in known.tables and isinstance(value, dict):
                self.table(value, known.tables[name], path)
            elif name in known.tables:
                self.problem(path, f"a table was expected, written [{'.'.join(path)}]")
            elif setting := known.settings.get(name) or known.settings.get(ANY):
                try:
                    self.written.values[path] = setting.read(value)
                    self.written.origins[path] = Origin(str(self.document.path), self.document.line_of(".".join(path)))
                except InvalidSettingError as error:
                    self.problem(path, str(error), _nearest_choice(value, setting))
            else:
                self.unknown(path, known)

    def unknown(self, path: KeyPath, known: Table) -> None:
        *at, name = path
        message = "is not known"
        if name in self.schema.csf:
            message = f"is CSF's name; `durward config set {name}=…` takes it, this file does not"
        nearest = self.schema.nearest(".".join(at), name, known)
        self.problem(path, message, nearest)

    def problem(self, path: KeyPath, message: str, nearest: str = "") -> None:
        key = ".".join(path)
        problem = Problem(str(self.document.path), self.document.line_of(key), key, message, nearest)
        self.written.problems.append(problem)
