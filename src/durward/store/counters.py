"""Question: how much did a block keep out? Saved when its kernel element ends, added up over its elements."""

from collections.abc import Mapping
from dataclasses import dataclass

from durward.store.store import Store

COUNT_MAX = (1 << 63) - 1  # a sum stays at it
ADD = (
    "INSERT INTO counter (decision, packets, bytes)"
    " SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM decision WHERE id = ?1)"
    " ON CONFLICT (decision) DO UPDATE SET"
    " packets = CASE WHEN packets > ?4 - excluded.packets THEN ?4 ELSE packets + excluded.packets END,"
    " bytes = CASE WHEN bytes > ?4 - excluded.bytes THEN ?4 ELSE bytes + excluded.bytes END"
)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a kernel counter says."""

    packets: int = 0
    bytes: int = 0


def add(store: Store, traffic: Mapping[int, Traffic]) -> None:
    """Add to what is known by decision id. Decisions that are not known (any more) are passed over.

    Call inside a transaction. Raises StoreError.
    """
    rows = (
        (decision, min(one.packets, COUNT_MAX), min(one.bytes, COUNT_MAX), COUNT_MAX)
        for decision, one in traffic.items()
    )
    store.write_many(ADD, rows)


def of(store: Store, decision: int) -> Traffic:
    """What was saved for a decision; zero where nothing was. Raises StoreError."""
    rows = store.read("SELECT packets, bytes FROM counter WHERE decision = ?", (decision,))
    return Traffic(*rows[0]) if rows else Traffic()
