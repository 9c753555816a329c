"""Takes settings out of durward.toml and conf.d, wherever they stand: then their defaults hold again."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from durward.catalog.document import DOCUMENT_BYTES_MAX
from durward.catalog.spelling import spelled
from durward.config.changes import Change, Edit, Ground, general_of, paths_for, write_edits
from durward.config.reading import MAIN_FILE, MORE_FILES
from durward.config.schema import ANY, KeyPath
from durward.config.settings import Settings
from durward.config.toml_edits import paths_of, unset_value


def removals_of(ground: Ground, names: Iterable[str]) -> list[Change]:
    """What taking out each of `names`, native or CSF's, changes: one for each file that sets it.

    `after` is what holds then. Raises ProblemsError for a name that is not known.
    """
    wanted = dict.fromkeys(path for name in names for path in paths_for(ground, name))
    standing = {file: _paths_in(file) for file in _files(ground.home.etc)}
    return [
        Change(path, spelled(ground.value(path), ground.setting(path)), _after(ground, path, wanted), file)
        for file, written in standing.items()
        for path in written
        if path in wanted or (*path[:-1], ANY) in wanted
    ]


def write_removals(ground: Ground, removals: Iterable[Change], *, dry_run: bool = False) -> Settings:
    """Take them out, if the settings are right without them; give those settings. Raises ProblemsError."""
    by_file: dict[Path, list[KeyPath]] = {}
    for one in removals:
        by_file.setdefault(one.file, []).append(one.path)
    return write_edits(ground, {file: _without(paths) for file, paths in by_file.items()}, dry_run=dry_run)


def _without(paths: list[KeyPath]) -> Edit:
    def edit(text: str) -> str:
        for path in paths:
            text = unset_value(text, path)
        return text

    return edit


def _after(ground: Ground, path: KeyPath, wanted: Iterable[KeyPath]) -> Any:
    """What holds at `path` without it: what is set for all services, or the default."""
    setting, general = ground.setting(path), general_of(path)
    if general != path and general in ground.written.values and general not in wanted:
        return spelled(ground.written.values[general], setting)
    return spelled(ground.default(path), setting)


def _files(etc: Path) -> Iterator[Path]:
    yield from (etc / MAIN_FILE, *sorted((etc / MORE_FILES).glob("*.toml")))


def _paths_in(file: Path) -> list[KeyPath]:
    """Where values stand in a file; none in one that is not there, or is no TOML."""
    try:
        with file.open("rb") as stream:
            data = tomllib.loads(stream.read(DOCUMENT_BYTES_MAX).decode())
    except (OSError, ValueError):
        return []
    return [path for path, _ in paths_of(data)]
