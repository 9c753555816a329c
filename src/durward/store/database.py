"""Opens durward.db: sets it up, brings it up to date, and moves it aside when it cannot be trusted."""

import errno
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from durward.model import Finding
from durward.store.aside import last_moved_aside, move_aside
from durward.store.errors import StoreCorruptError, StoreError, StoreFullError, translated

SCHEMA_VERSION = 6
APPLICATION_ID = 0x64727764  # "drwd"; tells our file from any other database
BUSY_TIMEOUT_MILLISECONDS = 5000
CHECKPOINT_PAGES = 1000  # the write-ahead log is folded back at 4 MiB …
JOURNAL_BYTES_MAX = 16 << 20  # … and cut back to this after a large transaction
CACHE_KIB = 4096
CHECKED_BYTES_MAX = 64 << 20  # a larger file is checked only in the tables that the engine cannot start without
VITAL_TABLES = ("meta", "source_position", "standing", "lifted")
# After a loss ids begin at the seconds since this day, so that none names an element that the kernel still holds.
LOSS_EPOCH_SECONDS = 1735689600.0  # 2025-01-01
MAGIC = b"SQLite format 3\0"
NO_ROOM = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
PACKAGE = Path(__file__).parent
# Read now: the engine opens its database when it may no longer read below a directory of root's alone.
SCHEMA = (PACKAGE / "schema.sql").read_text()
MIGRATIONS = {int(path.name[:4]): path.read_text() for path in (PACKAGE / "migrations").glob("*.sql")}

# locking_mode comes before the first access: one writer, and no shared memory file that a full disk could break.
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX}",
    "PRAGMA foreign_keys = ON",
)


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A connection that is ready for use, and what had to be done to get it."""

    connection: sqlite3.Connection
    findings: tuple[Finding, ...]


def open_database(path: Path, now: float, distrust: str = "") -> OpenedDatabase:
    """Open the database at `path`, making it where there is none; `now` is epoch seconds.

    One that is damaged, not ours, or of a newer version is moved aside, a new one begun, and a Finding given.
    `distrust` says why the caller found the present one damaged; it is then moved aside unread.
    Raises StoreFullError where there is no room, StoreBusyError where another process has it, StoreError otherwise.
    """
    if distrust:
        move_aside(path, now)
    try:
        connection, begun = _open(path)
    except StoreCorruptError as error:
        distrust = str(error)
        move_aside(path, now)
        connection, begun = _open(path)
    lost = last_moved_aside(path) if begun else None
    if lost is None:
        return OpenedDatabase(connection, ())
    _pass_over_lost_ids(connection, now)
    because = f" ({distrust})" if distrust else ""
    detail = f"A new {path} was begun because the last one could not be trusted{because}. That is kept as {lost}."
    return OpenedDatabase(connection, (Finding("durward.store", str(path), "error", detail),))


def _pass_over_lost_ids(connection: sqlite3.Connection, now: float) -> None:
    """Let ids begin where no lost one can have been: fewer than one decision a second was made on average."""
    statement = "INSERT INTO sqlite_sequence (name, seq) VALUES ('decision', ?)"
    try:
        connection.execute(statement, (max(0, int(now - LOSS_EPOCH_SECONDS)),))
    except sqlite3.Error as error:
        connection.close()
        raise translated(error) from error


def _open(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Open, set up and check the file at `path`; says whether it was begun just now. Raises StoreError."""
    _touch(path)
    _look_at(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error as error:
        raise translated(error) from error
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        begun = _bring_up_to_date(connection)
        _check(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise translated(error) from error
    except BaseException:
        connection.close()
        raise
    return connection, begun


def _touch(path: Path) -> None:
    """Make a new file readable for its owner alone, where SQLite would make it readable for all.

    An existing one is left alone: closing a second descriptor of it would give up SQLite's lock.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        kind = StoreFullError if error.errno in NO_ROOM else StoreError
        raise kind(f"{path}: {error.strerror}") from error


def _look_at(path: Path) -> None:
    """Refuse what SQLite would take for an empty database and write over, or throw the write-ahead log of away.

    Raises StoreCorruptError. The process must not have this database open already: its lock would be given up.
    """
    journal = Path(f"{path}-wal")
    try:
        with path.open("rb") as file:
            beginning = file.read(len(MAGIC))
        orphaned = not beginning and journal.exists() and journal.stat().st_size > 0
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    if orphaned or (beginning and beginning != MAGIC):
        raise StoreCorruptError("it does not begin as a database does")


def _bring_up_to_date(connection: sqlite3.Connection) -> bool:
    """Set up an empty database (True), or take an older one through the migrations. Raises StoreCorruptError."""
    version = _number(connection, "PRAGMA user_version")
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if version == 0 and tables == 0:
        _run(connection, SCHEMA, SCHEMA_VERSION)
        return True
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID or version < 1:
        raise StoreCorruptError("it is not a database of durward")
    if version > SCHEMA_VERSION:
        raise StoreCorruptError(f"its version {version} is newer than {SCHEMA_VERSION}")
    migrate(connection, MIGRATIONS, version, SCHEMA_VERSION)
    return False


def migrate(connection: sqlite3.Connection, steps: Mapping[int, str], version: int, target: int) -> None:
    """Take a database from `version` to `target`, each step (by the version that it leads to) in one transaction."""
    for step in range(version + 1, target + 1):
        _run(connection, steps[step], step)


def _run(connection: sqlite3.Connection, script: str, version: int) -> None:
    """Run a script of statements and set the version, all or nothing."""
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {version}; COMMIT;",
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Look for damage: everywhere in a small file, in the vital tables of a large one. Raises StoreCorruptError."""
    whole = path.stat().st_size <= CHECKED_BYTES_MAX
    for scope in ("1",) if whole else VITAL_TABLES:
        (answer,) = connection.execute(f"PRAGMA quick_check({scope})").fetchone()
        if answer != "ok":
            raise StoreCorruptError(str(answer))


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (number,) = connection.execute(statement).fetchone()
    return int(number)
