"""Question: how is the host, and how is durward itself? The last outcome of each check, and since when it is so."""

from collections.abc import Iterable
from dataclasses import dataclass

from durward.model import Finding
from durward.store.columns import stored
from durward.store.store import Store

FINDINGS_MAX = 10_000  # kept; beyond it those that were not seen for longest are dropped
KNOWN = "SELECT check_id, subject, result, detail, first_at, last_at FROM finding ORDER BY check_id, subject"
REPORT = (
    "INSERT INTO finding (check_id, subject, result, detail, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (check_id, subject) DO UPDATE SET"
    " first_at = CASE WHEN result = excluded.result THEN first_at ELSE excluded.first_at END,"
    " result = excluded.result, detail = excluded.detail, last_at = excluded.last_at"
)
DROP_OLDEST = (
    "DELETE FROM finding WHERE (check_id, subject) IN (SELECT check_id, subject FROM finding ORDER BY last_at LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A finding; it has had this result since `first_at` and was last seen at `last_at` (epoch seconds)."""

    finding: Finding
    first_at: float
    last_at: float


def report(store: Store, found: Iterable[Finding], now: float) -> None:
    """Keep findings, each in place of the last one of its check and subject. Call inside a transaction.

    Raises StoreError.
    """
    rows = ((stored(one.check), stored(one.subject), one.result, stored(one.detail), now, now) for one in found)
    store.write_many(REPORT, rows)
    ((number,),) = store.read("SELECT count(*) FROM finding")
    if number > FINDINGS_MAX:
        store.write(DROP_OLDEST, (number - FINDINGS_MAX,))


def known(store: Store) -> list[Known]:
    """All findings, by check and subject; FINDINGS_MAX at most. Raises StoreError."""
    rows = store.read(KNOWN)
    return [Known(Finding(*row[:4]), row[4], row[5]) for row in rows]


def withdraw(store: Store, check: str, subject: str | None = None) -> int:
    """Forget a check's findings, all or those about one subject; gives how many. Call inside a transaction.

    Raises StoreError.
    """
    if subject is None:
        return store.write("DELETE FROM finding WHERE check_id = ?", (check,))
    return store.write("DELETE FROM finding WHERE check_id = ? AND subject = ?", (check, subject))
