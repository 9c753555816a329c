"""Question: why was it decided? The incident behind a decision, and the lines that prove it."""

from dataclasses import replace

from durward.model import Evidence, Incident
from durward.store import decisions
from durward.store.columns import subject_of
from durward.store.decisions import Entry
from durward.store.store import Store

INCIDENT = (
    "SELECT detector, service, kind, subject, first_at, last_at, count, threshold, within_seconds, reason, account"
    " FROM incident WHERE id = ?"
)
EVIDENCE = "SELECT source, position, at, text, user_name FROM evidence WHERE incident = ? ORDER BY ordinal"


def explain(store: Store, decision: int) -> Entry | None:
    """The decision with this id, with its incident and the evidence, oldest line first. Raises StoreError."""
    entry = decisions.by_id(store, decision)
    if entry is None:
        return None
    return replace(entry, decision=replace(entry.decision, incident=incident_of(store, decision)))


def incident_of(store: Store, decision: int) -> Incident | None:
    """The incident that led to a decision; None for one that a person made. Raises StoreError."""
    rows = store.read(INCIDENT, (decision,))
    if not rows:
        return None
    detector, service, kind, subject, first_at, last_at, count, threshold, within_seconds, reason, account = rows[0]
    return Incident(
        detector=detector,
        service=service,
        subject=subject_of(kind, subject),
        first_at=first_at,
        last_at=last_at,
        count=count,
        threshold=threshold,
        within_seconds=within_seconds,
        evidence=tuple(Evidence(*row) for row in store.read(EVIDENCE, (decision,))),
        reason=reason,
        account=account,
    )
