"""Question: what was decided because of failures on an account? What a support desk asks for a customer."""

from durward.store.decisions import LIMIT_MAX
from durward.store.store import Store

BETWEEN = "SELECT id, account FROM incident WHERE id BETWEEN ? AND ? AND account IS NOT NULL"
ABOUT = "SELECT DISTINCT incident FROM evidence WHERE user_name = ? ORDER BY incident DESC LIMIT ?"


def decisions_about(store: Store, account: str, limit: int) -> list[int]:
    """The ids of decisions whose evidence names this account, the newest first. Raises StoreError."""
    return [row[0] for row in store.read(ABOUT, (account, min(limit, LIMIT_MAX)))]


def named_between(store: Store, first: int, last: int) -> dict[int, str]:
    """The accounts that the decisions with these ids and those between accuse or tell of. Raises StoreError."""
    return {int(number): str(account) for number, account in store.read(BETWEEN, (first, last))}
