"""Question: how often was this subject blocked before? What escalation counts, for the engine's start and for `why`."""

from dataclasses import dataclass

from durward.model import Subject
from durward.store.columns import subject_of
from durward.store.store import Store

SUBJECTS_MAX = 200_000  # loaded at the start: those blocked last; older ones begin again at their first offence
# The same condition as of the index decision_offence.
COUNTS = (
    "verdict = 'block' AND simulated = 0 AND refused IS NULL AND origin >= 'detector:' AND origin < 'detector;'"
    " AND decision.id > coalesce((SELECT lifted.decision FROM lifted"
    " WHERE lifted.subject = decision.subject AND lifted.kind = decision.kind), 0)"
)
ONE = "SELECT count(*), max(made_at) FROM decision INDEXED BY decision_subject"
ALL = "SELECT kind, subject, count(*), max(made_at) FROM decision INDEXED BY decision_offence"
OF_SUBJECT = f"{ONE} WHERE subject = ? AND kind = ? AND made_at >= ? AND {COUNTS}"
OF_ALL = f"{ALL} WHERE made_at >= ? AND {COUNTS} GROUP BY subject, kind ORDER BY max(made_at) DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Offences:
    """How often a subject was blocked by a detector, and when last (epoch seconds; None where never)."""

    count: int = 0
    last_at: float | None = None


def offences(store: Store, subject: Subject, since: float) -> Offences:
    """The blocks that count against a subject: made by detectors at or after `since` and not forgiven since.

    Simulated and refused ones, and those that people or feeds made, do not count. Raises StoreError.
    """
    ((count, last_at),) = store.read(OF_SUBJECT, (subject.value, subject.kind, since))
    return Offences(count, last_at)


def load(store: Store, since: float, subjects_max: int = SUBJECTS_MAX) -> dict[Subject, Offences]:
    """The same for every subject at once; of more than `subjects_max` those blocked last. Raises StoreError."""
    rows = store.read(OF_ALL, (since, subjects_max))
    return {subject_of(kind, subject): Offences(count, last_at) for kind, subject, count, last_at in rows}
