"""Question: was this knock used already? On the disk, so that a restart forgives no replay."""

from typing import Literal

from durward.store.store import Store

NONCES_MAX = 65_536  # kept; while there are so many, no further one is taken
FLOOR = "knock_floor"  # in `meta`: the time of the latest knock that was forgotten
COUNT = "SELECT count(*) FROM knock_nonce"
FORGET = "DELETE FROM knock_nonce WHERE sent_at < ?"
LATEST = "SELECT max(sent_at) FROM knock_nonce WHERE sent_at < ?"
PUT_FLOOR = (
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
    " SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))"
)
Spent = Literal["new", "used", "full"]


def spend(store: Store, nonce: bytes, sent_at: int, forget_before: int) -> Spent:
    """Use up a nonce; gives "used" for one that was, or that may have been: older than one that is forgotten.

    Times are in milliseconds since the epoch, as the knocks say; those before `forget_before` are forgotten. Call
    inside a durable transaction. Raises StoreError.
    """
    ((latest,),) = store.read(LATEST, (forget_before,))
    if latest is not None:
        store.write(FORGET, (forget_before,))
        store.write(PUT_FLOOR, (FLOOR, str(latest)))
    floor = store.read("SELECT value FROM meta WHERE name = ?", (FLOOR,))
    if floor and sent_at <= int(floor[0][0]):  # the clock was set back meanwhile
        return "used"
    if store.read("SELECT 1 FROM knock_nonce WHERE nonce = ?", (nonce,)):
        return "used"
    ((count,),) = store.read(COUNT)
    if count >= NONCES_MAX:
        return "full"
    store.write("INSERT INTO knock_nonce (nonce, sent_at) VALUES (?, ?)", (nonce, sent_at))
    return "new"
