"""Question: what is old enough to forget? Deletes it in small steps, never what still stands."""

from dataclasses import dataclass

from durward.store.store import Store

KEEP_SECONDS = 365 * 86400.0
ROWS_MAX = 2_000_000  # of decisions, and of lines of evidence; beyond it the oldest decisions go with their evidence
STEP_ROWS = 500  # decisions looked at in one step: a few milliseconds
EXAMINE = (
    "SELECT decision.id, made_at, lines_to_here, EXISTS (SELECT 1 FROM standing WHERE standing.decision = decision.id)"
    " FROM decision LEFT JOIN incident ON incident.id = decision.id WHERE decision.id > ? ORDER BY decision.id LIMIT ?"
)
DROP_LIFTED = (
    "DELETE FROM lifted WHERE (subject, kind) IN (SELECT subject, kind FROM lifted WHERE at < ? ORDER BY at LIMIT ?)"
)
LAST_LINES = "SELECT lines_to_here FROM incident ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step did. `examined_to` goes into the next step; `finished` says that there is no more to do."""

    deleted: int
    examined_to: int
    finished: bool


def prune(
    store: Store, now: float, rows_max: int = ROWS_MAX, keep_seconds: float = KEEP_SECONDS, examined_to: int = 0
) -> Pruned:
    """Delete some of what is older than `keep_seconds` or beyond the newest `rows_max` rows. Call inside a transaction.

    Call it again with the result's `examined_to` until it is `finished`, with other work in between. Raises StoreError.
    """
    oldest_at = now - keep_seconds
    last_id, last_lines = _last(store)
    rows = store.read(EXAMINE, (examined_to, STEP_ROWS))
    # Ids and lines are compared instead of counted: both have few gaps, and counting millions of rows takes seconds.
    old = [
        (number, stands)
        for number, made_at, lines, stands in rows
        if made_at < oldest_at or number <= last_id - rows_max or (lines or last_lines) <= last_lines - rows_max
    ]
    doomed = [(number,) for number, stands in old if not stands]
    store.write_many("DELETE FROM decision WHERE id = ?", doomed)
    finished = not old or len(rows) < STEP_ROWS
    if finished:
        store.write(DROP_LIFTED, (oldest_at, STEP_ROWS))
    return Pruned(len(doomed), 0 if finished else rows[-1][0], finished)


def _last(store: Store) -> tuple[int, int]:
    """The highest id of a decision, and how many lines of evidence were ever stored."""
    ((last_id,),) = store.read("SELECT max(id) FROM decision")
    lines = store.read(LAST_LINES)
    return last_id or 0, lines[0][0] if lines else 0
