"""Question: when was a subject last unblocked? What it did before that no longer counts."""

from collections.abc import Iterable

from durward.model import Decision, Subject
from durward.store.columns import stored, subject_of
from durward.store.store import Store

LOADED_MAX = 200_000  # subjects; beyond it the ones lifted last are given
LIFT = (
    "INSERT INTO lifted (subject, kind, at, decision) VALUES (?, ?, ?, ?) ON CONFLICT (subject, kind)"
    " DO UPDATE SET at = max(at, excluded.at), decision = max(decision, excluded.decision)"
)


def lift(store: Store, decisions: Iterable[Decision]) -> None:
    """Remember the unblocks among `decisions` that are not simulated. `decisions.record` does it. Raises StoreError."""
    lifting = (decision for decision in decisions if decision.verdict == "unblock" and not decision.simulated)
    rows = ((stored(one.subject.value), one.subject.kind, one.made_at, one.id) for one in lifting)
    store.write_many(LIFT, rows)


def lifted_at(store: Store, subject: Subject) -> float | None:
    """When exactly this subject was last unblocked, epoch seconds; None where never. Raises StoreError."""
    rows = store.read("SELECT at FROM lifted WHERE subject = ? AND kind = ?", (subject.value, subject.kind))
    return rows[0][0] if rows else None


def load(store: Store, since: float) -> dict[Subject, float]:
    """When each subject that was unblocked at or after `since` last was; LOADED_MAX at most. Raises StoreError."""
    statement = "SELECT kind, subject, at FROM lifted WHERE at >= ? ORDER BY at DESC LIMIT ?"
    return {subject_of(kind, subject): at for kind, subject, at in store.read(statement, (since, LOADED_MAX))}
