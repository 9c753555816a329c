"""The Store: the one connection to the database, its transactions, and the numbers that decisions are given."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from durward.model import Decision, Finding
from durward.store.database import open_database
from durward.store.errors import RAISED, StoreError, translated
from durward.store.receipts import draw_receipt

Row = tuple[Any, ...]
DRAWN_AHEAD = 256  # receipts
TAKEN = "SELECT receipt FROM decision WHERE receipt IN (SELECT value FROM json_each(?))"


class Store:
    """The database of one host. Used by one thread; every other process asks the engine.

    Reading methods may be called at any time. Writing ones belong inside `with store.transaction():`, and either all
    of what is written there is kept or nothing.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._promised: set[str] = set()
        self._pool: list[str] = []
        self._last_id = self._read_last_id()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; an open transaction is undone."""
        self._connection.close()

    @contextmanager
    def durable_transaction(self) -> Iterator[None]:
        """As `transaction`; what it wrote is on the disk when it ends, where others wait for the next of them.

        Only a power cut can tell the difference.
        """
        self._run("PRAGMA synchronous = FULL")
        try:
            with self.transaction():
                yield
        finally:
            self._run("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One batch: all of what is written inside is kept, or nothing.

        Raises StoreFullError where the disk refuses (nothing was written; the same batch may be tried again later) and
        StoreError otherwise. An exception from inside undoes the batch and passes through.
        """
        if self._connection.in_transaction:
            raise RuntimeError("a transaction is open already; a batch is one transaction")
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            self._undo()
            raise
        self._promised.clear()

    def number(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Give each decision that has none its id and its receipt. Nothing is written, so it works on a full disk.

        Write them with `decisions.record`, in the order of their ids; if that fails, again later with the same ids.
        """
        given = list(decisions)
        receipts = iter(self._draw_receipts(sum(1 for decision in given if not decision.id)))
        numbered = []
        for decision in given:
            if decision.id:
                numbered.append(decision)
                continue
            self._last_id += 1
            numbered.append(replace(decision, id=self._last_id, receipt=next(receipts)))
        return numbered

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows that a statement gives; the caller bounds them. Raises StoreError."""
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except RAISED as error:
            raise translated(error) from error

    def write(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Run one writing statement inside a transaction; gives the number of rows changed. Raises StoreError."""
        self._require_transaction()
        return self._run(statement, parameters).rowcount

    def write_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one writing statement for each of `rows`, inside a transaction. Raises StoreError."""
        self._require_transaction()
        try:
            self._connection.executemany(statement, rows)
        except RAISED as error:
            raise translated(error) from error

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, parameters)
        except RAISED as error:
            raise translated(error) from error

    def _undo(self) -> None:
        """Undo the open transaction, if SQLite has not done so itself (it does where the disk is full)."""
        if self._connection.in_transaction:
            self._run("ROLLBACK")

    def _require_transaction(self) -> None:
        if not self._connection.in_transaction:
            raise RuntimeError("a write outside of a transaction")

    def _read_last_id(self) -> int:
        """The highest id ever given to a decision that was written, also where it has been pruned since."""
        rows = self.read("SELECT seq FROM sqlite_sequence WHERE name = 'decision'")
        return int(rows[0][0]) if rows else 0

    def _draw_receipts(self, count: int) -> list[str]:
        """Receipts that no decision carries: neither a written one nor one that was numbered and waits for the disk.

        They are drawn ahead, because a decision waits for its own.
        """
        while len(self._pool) < count:
            fresh = {draw_receipt() for _ in range(count + DRAWN_AHEAD)} - self._promised - set(self._pool)
            self._pool += fresh - self._taken(list(fresh))
        drawn, self._pool = self._pool[:count], self._pool[count:]
        self._promised.update(drawn)
        return drawn

    def _taken(self, receipts: list[str]) -> set[str]:
        """Those of `receipts` that a written decision carries."""
        return {row[0] for row in self.read(TAKEN, (json.dumps(receipts),))}


@dataclass(frozen=True, slots=True)
class Opened:
    """A store that is ready for use. `findings` says what was lost on the way; the caller reports it."""

    store: Store
    findings: tuple[Finding, ...]


def open_store(path: Path, now: float, distrust: str = "") -> Opened:
    """Open the database at `path`, making it where there is none; `now` is epoch seconds.

    A damaged one is moved aside, a new one begun, and that is one of `findings`. `distrust` is why the caller no
    longer trusts the present one (after StoreCorruptError). Raises StoreFullError, StoreBusyError, StoreError.
    """
    opened = open_database(path, now, distrust)
    try:
        return Opened(Store(opened.connection, path), opened.findings)
    except StoreError:
        opened.connection.close()
        raise
