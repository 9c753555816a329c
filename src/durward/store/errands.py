"""Question: what did we promise to the outside and have not done yet? At least once each, told apart by their keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from durward.store.errors import StoreError
from durward.store.store import Store

ERRANDS_MAX = 100_000  # kept; beyond it those that are due last are dropped
PAYLOAD_MAX = 64 << 10  # characters; a longer one is refused
DUE_MAX = 1000  # given at once
PROMISE = "INSERT INTO errand (key, payload, tries, next_at) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
DROP_LAST = "DELETE FROM errand WHERE key IN (SELECT key FROM errand ORDER BY next_at DESC LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Errand:
    """A promise: `payload` is JSON, `tries` how often it failed, `next_at` when to try (again), epoch seconds."""

    key: str
    payload: str
    next_at: float
    tries: int = 0


def promise(store: Store, errands: Iterable[Errand]) -> None:
    """Keep errands; one whose key is kept already changes nothing. Call inside a transaction. Raises StoreError."""
    given = list(errands)
    if any(len(errand.payload) > PAYLOAD_MAX for errand in given):
        raise StoreError(f"an errand is longer than {PAYLOAD_MAX} characters")
    store.write_many(PROMISE, ((one.key, one.payload, one.tries, one.next_at) for one in given))
    ((number,),) = store.read("SELECT count(*) FROM errand")
    if number > ERRANDS_MAX:
        store.write(DROP_LAST, (number - ERRANDS_MAX,))


def due(store: Store, now: float, limit: int = DUE_MAX) -> list[Errand]:
    """The errands to try now, the longest due first. Raises StoreError."""
    statement = "SELECT key, payload, next_at, tries FROM errand WHERE next_at <= ? ORDER BY next_at LIMIT ?"
    return [Errand(*row) for row in store.read(statement, (now, max(0, min(limit, DUE_MAX))))]


def done(store: Store, keys: Iterable[str]) -> None:
    """Forget errands that were done or given up. Call inside a transaction. Raises StoreError."""
    store.write_many("DELETE FROM errand WHERE key = ?", ((key,) for key in keys))


def postpone(store: Store, key: str, next_at: float) -> None:
    """Count one failed try and try again at `next_at`. Call inside a transaction. Raises StoreError."""
    store.write("UPDATE errand SET tries = tries + 1, next_at = ? WHERE key = ?", (next_at, key))
