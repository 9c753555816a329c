"""Question: what was a blocked source called? Its confirmed name, kept with the decision and gone with it."""

from collections.abc import Mapping

from durward.store.store import Store

PUT = "INSERT OR REPLACE INTO source_name (decision, name) SELECT id, ? FROM decision WHERE id = ?"


def keep(store: Store, names: Mapping[int, str]) -> None:
    """Keep names by decision id. Decisions that are not known (any more) are passed over.

    Call inside a transaction. Raises StoreError.
    """
    store.write_many(PUT, ((name, decision) for decision, name in names.items()))


def of(store: Store, decision: int) -> str:
    """The confirmed name of whom a decision is about; empty where none is known. Raises StoreError."""
    rows = store.read("SELECT name FROM source_name WHERE decision = ?", (decision,))
    return str(rows[0][0]) if rows else ""
