"""What can go wrong with the database, as the rest of durward sees it."""

import sqlite3

# Primary result codes of SQLite (the lower byte of the extended code).
WRITE_REFUSED = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
)
DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
# Failures that belong to a disk that cannot be read, where waiting for room does not help.
READ_FAILED = frozenset((sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ))


class StoreError(Exception):
    """The database cannot do what was asked of it."""


class StoreFullError(StoreError):
    """Nothing can be written now: no room, a read-only or failing disk. Nothing was half written; try again later."""


class StoreCorruptError(StoreError):
    """The database holds what it never wrote. Close it and open it again with `distrust`: it is moved aside."""


class StoreBusyError(StoreError):
    """Another process has the database open; there is one writer."""


# What the sqlite3 module raises: its own, for text that is no Unicode, and for numbers beyond 64 bits.
RAISED = (sqlite3.Error, UnicodeEncodeError, OverflowError)


def translated(error: Exception) -> StoreError:
    """The StoreError that stands for one of RAISED."""
    extended: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = extended & 0xFF
    if primary in DAMAGED:
        return StoreCorruptError(str(error))
    if primary in WRITE_REFUSED and extended not in READ_FAILED:
        return StoreFullError(str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(str(error))
    return StoreError(str(error))
