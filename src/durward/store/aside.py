"""Moves a database that cannot be trusted out of the way, so that nothing of it is lost and a new one can begin."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from durward.store.errors import StoreError

COMPANIONS = ("", "-wal", "-shm")  # the write-ahead log holds the newest part of the damaged one
NAME = re.compile(r"\.corrupt-([0-9]{8}T[0-9]{6}Z)(?:-([0-9]{1,9}))?$")
KEPT_MAX = 5  # beyond it the oldest is removed, so that a failing disk is not also a full one


def move_aside(path: Path, now: float) -> None:
    """Rename the database at `path` with its companions. Raises StoreError."""
    try:
        kept = _free_name(path, now)
        for companion in COMPANIONS:
            with suppress(FileNotFoundError):
                Path(f"{path}{companion}").rename(f"{kept}{companion}")
        _remove_oldest(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be moved aside: {error.strerror}") from error


def last_moved_aside(path: Path) -> Path | None:
    """The database that was last moved aside from `path`, if one is still there."""
    found = _moved_aside(path)
    return found[-1] if found else None


def _free_name(path: Path, now: float) -> Path:
    """A name beside `path` that carries the time and comes after all that carry the same."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    numbers = [number for other, number in map(_order, _moved_aside(path)) if other == stamp]
    suffix = f"-{max(numbers) + 1}" if numbers else ""
    return path.with_name(f"{path.name}.corrupt-{stamp}{suffix}")


def _moved_aside(path: Path) -> list[Path]:
    """The databases that were moved aside from `path`, the oldest first."""
    found = path.parent.glob(f"{escape(path.name)}.corrupt-*")
    return sorted((name for name in found if NAME.search(name.name)), key=_order)


def _order(name: Path) -> tuple[str, int]:
    """The time and the number in a name that `_free_name` made."""
    match = NAME.search(name.name)
    return (match[1], int(match[2] or 1)) if match else ("", 0)


def _remove_oldest(path: Path) -> None:
    """Remove the oldest databases that were moved aside, beyond KEPT_MAX."""
    for name in _moved_aside(path)[:-KEPT_MAX]:
        for companion in COMPANIONS:
            Path(f"{name}{companion}").unlink(missing_ok=True)
