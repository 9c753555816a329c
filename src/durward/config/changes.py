"""Changes to durward.toml and conf.d: what was typed becomes a value, is checked with all the rest, and is written."""

import os
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.document import DOCUMENT_BYTES_MAX, Problem, ProblemsError, parse_document
from durward.catalog.setting import InvalidSettingError, Setting
from durward.catalog.spelling import spelled
from durward.config.csf_values import from_csf, instead_of
from durward.config.home import Home
from durward.config.loading import load_cards
from durward.config.reading import MAIN_FILE, NOTHING, Origin, Written, read_files
from durward.config.replacing import locked, replace_file
from durward.config.schema import ANY, KeyPath, Schema, schema_of, service_defaults
from durward.config.settings import Settings, load_settings
from durward.config.toml_edits import EditError, set_values

MODE = 0o640  # of a new durward.toml
COMMAND_LINE = "command line"
LITERAL_FIRST = frozenset({"boolean", "count", "number", "texts", "paths", "choices", "places", "port_floods"})
ROLES_BY_CSF = {"ETH_DEVICE_SKIP": "trusted"}  # CSF lists interfaces where we give each a role
Edit = Callable[[str], str]  # of a file's text; may raise EditError


@dataclass(frozen=True, slots=True)
class Change:
    """One key and what it is to be; `before` and `after` as TOML holds them. `file` is where it is written."""

    path: KeyPath
    before: Any
    after: Any
    file: Path

    @property
    def key(self) -> str:
        """The dotted key."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Ground:
    """What changes stand on: the cards' schema, and what the files say now, right or wrong."""

    home: Home
    schema: Schema
    written: Written
    defaults: Mapping[KeyPath, Any]

    @classmethod
    def of(cls, home: Home) -> "Ground":
        """Read it. Raises ProblemsError for wrong cards; wrong settings may be what is to be mended."""
        services, detectors = load_cards(home)
        schema = schema_of(services, detectors)
        defaults: dict[KeyPath, Any] = {
            ("detectors", detector.id, "services", service, name): value
            for detector in detectors
            for service, default in service_defaults(detector, services).items()
            for name, value in default.values.items()
        }
        return cls(home, schema, read_files(home.etc, schema), MappingProxyType(defaults))

    def value(self, path: KeyPath) -> Any:
        """The typed value that holds at `path`."""
        for one in (path, general_of(path)):
            if one in self.written.values:
                return self.written.values[one]
        return self.default(path)

    def default(self, path: KeyPath) -> Any:
        """The typed value that holds at `path` where nobody wrote one: a card may set it otherwise for a service."""
        if path in self.defaults:
            return self.defaults[path]
        return self.setting(path).default

    def origin(self, path: KeyPath) -> Origin | None:
        """Where the value of `path` was written; None for a default."""
        return self.written.origins.get(path) or self.written.origins.get(general_of(path))

    def setting(self, path: KeyPath) -> Setting:
        """The setting at `path`, which is known."""
        setting = self.schema.setting(".".join(path))
        if setting is None:
            raise KeyError(".".join(path))
        return setting

    def change(self, path: KeyPath, after: Any, *, main: bool = False) -> Change:
        """A change at `path`, in the file that sets it now; `main`: in durward.toml in any case."""
        origin = self.written.origins.get(path)
        file = self.home.etc / MAIN_FILE if main or origin is None else Path(origin.file)
        return Change(path, spelled(self.value(path), self.setting(path)), after, file)


def general_of(path: KeyPath) -> KeyPath:
    """The setting of a detector for all services, for one that is about one service; else the path itself."""
    return (*path[:2], path[4]) if len(path) == 5 and path[0] == "detectors" else path


def changes_of(ground: Ground, assignments: Mapping[str, str]) -> list[Change]:
    """What `NAME=VALUE` for each name, native or CSF's, changes; each knows of those before. Raises ProblemsError."""
    changes: dict[KeyPath, Change] = {}
    problems: list[Problem] = []
    for name, text in assignments.items():
        try:
            changes |= {one.path: one for one in _changes_for(ground, name, text, changes)}
        except InvalidSettingError as error:
            problems.append(Problem(COMMAND_LINE, 1, name, str(error)))
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return list(changes.values())


def paths_for(ground: Ground, name: str) -> list[KeyPath]:
    """The settings that `name` stands for, native or CSF's. Raises ProblemsError where there is none."""
    if said := instead_of(name, "", ground.value):
        raise ProblemsError([Problem(COMMAND_LINE, 1, name, said)])
    paths = [path for key in ground.schema.lookup(name) if (path := ground.schema.path(key))]
    if paths:
        return paths
    at, _, last = name.rpartition(".")
    table = ground.schema.root
    for part in at.split(".") if at else ():
        table = table.tables.get(part, ground.schema.root)
    nearest = ground.schema.nearest(at, last, table)
    raise ProblemsError([Problem(COMMAND_LINE, 1, name, "is not known", nearest)])


def write_changes(ground: Ground, changes: list[Change], *, dry_run: bool = False) -> Settings:
    """Write the changes, if the settings are right with them; give those settings. Raises ProblemsError.

    Each file is replaced whole. With `dry_run` all is checked and nothing is written.
    """
    by_file: dict[Path, dict[KeyPath, Any]] = {}
    for change in changes:
        by_file.setdefault(change.file, {})[change.path] = change.after
    return write_edits(ground, {file: _setting(values) for file, values in by_file.items()}, dry_run=dry_run)


def write_edits(ground: Ground, edits: Mapping[Path, Edit], *, dry_run: bool = False) -> Settings:
    """Write each file as its edit makes it, on the same terms."""
    etc = ground.home.etc
    try:
        if dry_run and not etc.exists():
            return _written(ground, edits, dry_run=True)
        etc.mkdir(parents=True, exist_ok=True)
        with locked(etc):
            return _written(ground, edits, dry_run=dry_run)
    except OSError as error:
        raise ProblemsError([Problem(str(etc), 1, "", error.strerror or "cannot be written")]) from None


def _setting(values: Mapping[KeyPath, Any]) -> Edit:
    return lambda text: set_values(text, values)


def _written(ground: Ground, edits: Mapping[Path, Edit], *, dry_run: bool) -> Settings:
    texts = {file: _edited(file, edit) for file, edit in edits.items()}
    services, detectors = load_cards(ground.home)
    settings = load_settings(ground.home.etc, services, detectors, instead=texts or NOTHING)
    for file, raw in texts.items():
        if not dry_run:
            # A link stays a link.
            replace_file(Path(os.path.realpath(file)), raw, mode=MODE)
    return settings


def _edited(file: Path, edit: Edit) -> bytes:
    try:
        with file.open("rb") as stream:
            raw = stream.read(DOCUMENT_BYTES_MAX + 1)
    except FileNotFoundError:
        raw = b""
    parse_document(file, raw)  # says line and reason where it is no TOML
    try:
        return edit(raw.decode()).encode()
    except EditError as error:
        raise ProblemsError([Problem(str(file), 1, "", str(error))]) from None


def _changes_for(ground: Ground, name: str, text: str, before: Mapping[KeyPath, Change]) -> list[Change]:
    csf = name.upper()
    if said := instead_of(name, text, ground.value):
        raise InvalidSettingError(said)
    is_csf = ground.schema.setting(name) is None and csf in ground.schema.csf
    if is_csf and csf in ROLES_BY_CSF:
        names = [word.strip() for word in text.strip('" ').split(",") if word.strip()]
        keys = [(*ground.schema.csf[csf][0].split(".")[:-1], word) for word in names]
        return [ground.change(path, ROLES_BY_CSF[csf]) for path in keys]
    changes = []
    for path in paths_for(ground, name):
        if path[-1] == ANY:
            raise InvalidSettingError(f"a name was expected in place of {ANY}")
        setting = ground.setting(path)
        current = setting.read(before[path].after) if path in before else ground.value(path)
        after = from_csf(csf, text, setting, current) if is_csf else native_value(text, setting)
        setting.read(after)
        changes.append(ground.change(path, after))
    return changes


def native_value(text: str, setting: Setting) -> Any:
    """What somebody typed for a native setting, as TOML holds it: `10`, `true`, `1h`, `22,80`, `["a", "b"]`, `a,b`."""
    literals = []
    with suppress(tomllib.TOMLDecodeError):
        literals = [tomllib.loads(f"value = {text}")["value"]]
    parts = [part.strip() for part in text.split(",") if part.strip()]
    readings = [*literals, text, parts] if setting.kind in LITERAL_FIRST else [text, *literals, parts]
    for reading in readings:
        try:
            setting.read(reading)
        except InvalidSettingError:
            continue
        return reading
    setting.read(literals[0] if setting.kind in LITERAL_FIRST and literals else text)
    raise AssertionError(setting.name)  # no reading was right, so the line above has said why
