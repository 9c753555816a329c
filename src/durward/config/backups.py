"""Copies of durward.toml, numbered by time: made before each change of many settings, and on request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from durward.catalog.document import DOCUMENT_BYTES_MAX, Problem, ProblemsError, read_document
from durward.catalog.spelling import spelled
from durward.config.changes import MODE, Ground
from durward.config.loading import load_cards
from durward.config.reading import MAIN_FILE, Written, read_written
from durward.config.replacing import locked, replace_file
from durward.config.schema import KeyPath
from durward.config.settings import load_settings

FOLDER = "backup"
BACKUPS_MAX = 100  # are kept; a new one takes the place of the oldest
NAME_CHARACTERS_MAX = 40
NAME = re.compile(r"(\d{8}-\d{6}(?:\.\d)?)-(.+)\.toml", re.ASCII)


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy. `id` is what it is restored by: `20261123-081200-before-high`."""

    id: str
    made_at: datetime
    path: Path


def backups_of(etc: Path) -> list[Backup]:
    """The copies, the newest first."""
    found = []
    for path in sorted((etc / FOLDER).glob("*.toml"), reverse=True):
        if match := NAME.fullmatch(path.name):
            try:
                made_at = datetime.strptime(match[1].partition(".")[0], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            except ValueError:
                continue
            found.append(Backup(path.stem, made_at, path))
    return found


def back_up(etc: Path, name: str, now: datetime) -> Backup | None:
    """Copy durward.toml; None where there is none. Raises ProblemsError."""
    raw = _read(etc / MAIN_FILE)
    if raw is None:
        return None
    folder = etc / FOLDER
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:NAME_CHARACTERS_MAX] or "copy"
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
        with locked(folder):
            path = _free(folder, now, plain)
            replace_file(path, raw, mode=MODE)
            for old in backups_of(etc)[BACKUPS_MAX:]:
                old.path.unlink(missing_ok=True)
    except OSError as error:
        raise ProblemsError([Problem(str(folder), 1, "", error.strerror or "cannot be written")]) from None
    return Backup(path.stem, now.replace(microsecond=0), path)


def backup_named(etc: Path, name: str) -> Backup:
    """The copy of that name; `latest` is the newest. Raises ProblemsError, which offers the nearest."""
    backups = backups_of(etc)
    for backup in backups:
        if name in (backup.id, backup.path.name, "latest"):
            return backup
    nearest = get_close_matches(name, [backup.id for backup in backups], n=1)
    problem = Problem(str(etc / FOLDER), 1, name, "there is no such copy", nearest[0] if nearest else "")
    raise ProblemsError([problem])


def restore(ground: Ground, backup: Backup, now: datetime) -> Backup | None:
    """Put a copy in the place of durward.toml, if it is right; that one is copied first. Raises ProblemsError."""
    etc = ground.home.etc
    raw = _read(backup.path) or b""
    services, detectors = load_cards(ground.home)
    load_settings(etc, services, detectors, instead={etc / MAIN_FILE: raw})
    copied = back_up(etc, "before-restore", now)
    try:
        with locked(etc):
            replace_file((etc / MAIN_FILE).resolve(), raw, mode=MODE)
    except OSError as error:
        raise ProblemsError([Problem(str(etc / MAIN_FILE), 1, "", error.strerror or "cannot be written")]) from None
    return copied


def values_in(backup: Backup, ground: Ground) -> Mapping[KeyPath, Any]:
    """What a copy sets, as TOML holds it. Raises ProblemsError."""
    written = Written()
    read_written(read_document(backup.path), ground.schema, written)
    return {path: spelled(value, ground.setting(path)) for path, value in written.values.items()}


def _free(folder: Path, now: datetime, name: str) -> Path:
    stamp = f"{now.astimezone(UTC):%Y%m%d-%H%M%S}"
    paths = [folder / f"{stamp}{turn}-{name}.toml" for turn in ("", *(f".{number}" for number in range(1, 10)))]
    return next((path for path in paths if not path.exists()), paths[-1])


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProblemsError([Problem(str(path), 1, "", error.strerror or "cannot be read")]) from None
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise ProblemsError([Problem(str(path), 1, "", f"is larger than {DOCUMENT_BYTES_MAX} bytes")])
    return raw
