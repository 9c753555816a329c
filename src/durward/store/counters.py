"""Question: how much did a block keep out? Saved when its kernel element ends, added up over its elements."""

from collections.abc import Mapping
from dataclasses import dataclass

from durward.store.store import Store

COUNT_MAX = (1 << 63) - 1  # a sum stays at it; it stands in ADD too
ADD = (
    "INSERT INTO counter (decision, packets, bytes) SELECT id, ?, ? FROM decision WHERE id = ?"
    " ON CONFLICT (decision) DO UPDATE SET"
    " packets = packets + min(excluded.packets, 9223372036854775807 - packets),"
    " bytes = bytes + min(excluded.bytes, 9223372036854775807 - bytes)"
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
    rows = ((min(one.packets, COUNT_MAX), min(one.bytes, COUNT_MAX), decision) for decision, one in traffic.items())
    store.write_many(ADD, rows)


def of(store: Store, decision: int) -> Traffic:
    """What was saved for a decision; zero where nothing was. Raises StoreError."""
    rows = store.read("SELECT packets, bytes FROM counter WHERE decision = ?", (decision,))
    return Traffic(*rows[0]) if rows else Traffic()
