"""Question: who logged in well of late? And what is the secret that accounts are hashed with?"""

import secrets
from collections.abc import Iterable

from durward.store.store import Store

KEY_NAME = "familiar_key"  # in `meta`
KEY_BYTES = 32
LOGINS_MAX = 200_000  # given at most, the last ones
PUT_META = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
SINCE = (
    "SELECT source, account, at FROM familiar WHERE at >= ? AND (at >= ? OR source LIKE 'network:%')"
    " ORDER BY at DESC LIMIT ?"
)
LET_GO = "DELETE FROM familiar WHERE at < ? AND (at < ? OR source NOT LIKE 'network:%')"
PUT = (
    "INSERT INTO familiar (source, account, at) VALUES (?, ?, ?)"
    " ON CONFLICT (source, account) DO UPDATE SET at = excluded.at"
)
Row = tuple[str, bytes, float]  # a source, the hash of an account, and when it logged in last (epoch seconds)


def key(store: Store) -> bytes:
    """This host's secret; it is made when it is first asked for. Raises StoreError."""
    rows = store.read("SELECT value FROM meta WHERE name = ?", (KEY_NAME,))
    try:
        found = bytes.fromhex(rows[0][0]) if rows else b""
    except (ValueError, TypeError):
        found = b""
    if len(found) == KEY_BYTES:
        return found
    made = secrets.token_bytes(KEY_BYTES)
    with store.transaction():
        store.write(PUT_META, (KEY_NAME, made.hex()))
        store.write("DELETE FROM familiar")
    return made


def load(store: Store, since: float, networks_since: float | None = None) -> list[Row]:
    """The logins noted since then, and those by their networks, the oldest first. Raises StoreError."""
    rows = store.read(SINCE, (min(since, since if networks_since is None else networks_since), since, LOGINS_MAX))
    return [(str(source), bytes(account), float(at)) for source, account, at in reversed(rows)]


def save(store: Store, logins: Iterable[Row], forget_before: float, networks_before: float | None = None) -> None:
    """Keep these logins, and let go of those before `forget_before`; of those by their networks before the other one.

    Call inside a transaction. Raises StoreError.
    """
    store.write_many(PUT, logins)
    store.write(LET_GO, (forget_before, forget_before if networks_before is None else networks_before))
