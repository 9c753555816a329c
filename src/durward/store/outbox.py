"""Question: what are people to be told, by which channel, and what became of it? Each alert once by each channel.

An alert waits for a channel until `compose` makes it a part of a message. A message is waiting, then `claim` makes it
sending, and `settle` says what it came to: sent; waiting again, for a later time; or failed, when it was tried for long
enough. Whoever was sending and has died leaves it sending: see `interrupted`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from durward.store.columns import stored
from durward.store.store import Store

WAITING_MAX = 2000  # alerts that wait for one channel; beyond it they are counted, and the next digest says how many
KEEP_SECONDS = 30 * 86400.0  # what became of an alert is known this long, and none of the same key comes again
ALERTS_MAX = 100_000  # kept; beyond it the oldest that wait for nobody go earlier
MESSAGES_MAX = 20_000  # the same
STEP_ROWS = 500  # pruned at once
DETAIL_MAX = 500  # characters
PUT = "INSERT INTO alert (key, at, severity, gathering, payload) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
DELIVER = "INSERT INTO delivery (channel, alert) VALUES (?, ?)"
WAITING = (
    "SELECT alert.id, at, severity, gathering FROM delivery JOIN alert ON alert.id = delivery.alert"
    " WHERE channel = ? AND message IS NULL ORDER BY delivery.alert LIMIT ?"
)
NUMBER = "SELECT count(*) FROM delivery WHERE channel = ? AND message IS NULL"
COMPOSE = (
    "INSERT INTO message (channel, state, made_at, next_at, tries, held, more, detail)"
    " VALUES (?, 'waiting', ?, ?, 0, ?, ?, '')"
)
COLUMNS = "id, channel, state, made_at, next_at, tries, held, more, detail, settled_at"
DUE = f"SELECT {COLUMNS} FROM message WHERE channel = ? AND state = 'waiting' ORDER BY next_at LIMIT 1"  # noqa: S608 - ours
BY_ID = f"SELECT {COLUMNS} FROM message WHERE id = ?"  # noqa: S608 - the same
LATEST = f"SELECT {COLUMNS} FROM message ORDER BY id DESC LIMIT ?"  # noqa: S608 - the same
UNSENT = "SELECT count(*) FROM message WHERE channel = ? AND state = 'waiting'"
PAYLOADS = "SELECT payload FROM delivery JOIN alert ON alert.id = delivery.alert WHERE message = ? ORDER BY alert.id"
FAILURE = (
    "SELECT detail FROM message WHERE channel = ? AND state = 'failed' AND settled_at > ?"
    " ORDER BY settled_at DESC LIMIT 1"
)
SPEND = (
    "INSERT INTO channel (name, spent, dropped) VALUES (?, ?, 0)"
    " ON CONFLICT (name) DO UPDATE SET spent = excluded.spent, dropped = 0"
)
DROP = (
    "INSERT INTO channel (name, spent, dropped) VALUES (?, 0, ?)"
    " ON CONFLICT (name) DO UPDATE SET dropped = dropped + excluded.dropped"
)
SENT = (
    "INSERT INTO channel (name, spent, dropped, sent_at) VALUES (?, 0, 0, ?)"
    " ON CONFLICT (name) DO UPDATE SET sent_at = excluded.sent_at"
)
UNSETTLED = (
    "SELECT 1 FROM delivery LEFT JOIN message ON message.id = delivery.message WHERE delivery.alert = alert.id"
    " AND (message.id IS NULL OR message.state IN ('waiting', 'sending'))"
)
# What was told by every channel is needed no longer; that it was told is.
EMPTY = (
    "UPDATE alert SET payload = '' WHERE id IN (SELECT alert FROM delivery WHERE message = ?)"  # noqa: S608 - ours
    f" AND NOT EXISTS ({UNSETTLED})"
)
FORGET = "DELETE FROM alert WHERE id = ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.alert = alert.id)"
OLD_ALERTS = (
    "DELETE FROM alert WHERE id IN"  # noqa: S608 - our own statement within
    f" (SELECT id FROM alert WHERE id <= ? AND NOT EXISTS ({UNSETTLED}) ORDER BY id LIMIT ?)"
)
OLD_MESSAGES = (
    "DELETE FROM message WHERE id IN"
    " (SELECT id FROM message WHERE id <= ? AND settled_at IS NOT NULL ORDER BY id LIMIT ?)"
)
LAST_OLD_ALERT = (
    "SELECT max(coalesce((SELECT max(id) FROM alert WHERE at < ?), 0), coalesce((SELECT max(id) FROM alert), 0) - ?)"
)
LAST_OLD_MESSAGE = (
    "SELECT max(coalesce((SELECT max(id) FROM message WHERE settled_at < ?), 0),"
    " coalesce((SELECT max(id) FROM message), 0) - ?)"
)


@dataclass(frozen=True, slots=True)
class Posted:
    """An alert to keep, and the channels that want it. `severity` counts from 0; `payload` is JSON."""

    key: str
    at: float
    severity: int
    gathering: str
    payload: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An alert that waits for a channel."""

    id: int
    at: float
    severity: int
    gathering: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is kept; `tries` counts those that were begun. Times are epoch seconds."""

    id: int
    channel: str
    state: str
    made_at: float
    next_at: float
    tries: int
    held: str
    more: int
    detail: str
    settled_at: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of one channel: the ledger of its budget, how many were dropped, when it last sent something."""

    spent: float = 0.0
    dropped: int = 0
    sent_at: float | None = None


def post(store: Store, posted: Iterable[Posted]) -> int:
    """Keep alerts for their channels; one whose key is known changes nothing. Gives how many are new.

    Beyond WAITING_MAX for a channel they are counted only. Call inside a transaction. Raises StoreError.
    """
    new, room, dropped = 0, dict[str, int](), Counter[str]()
    for one in posted:
        for channel in one.channels:
            if channel not in room:
                room[channel] = WAITING_MAX - waiting_number(store, channel)
        wanting = [channel for channel in one.channels if room[channel] > 0]
        if not wanting:  # it is counted, and not kept
            dropped.update(one.channels)
            continue
        if not store.write(PUT, (stored(one.key), one.at, one.severity, stored(one.gathering), one.payload)):
            continue
        new += 1
        ((number,),) = store.read("SELECT last_insert_rowid()")
        store.write_many(DELIVER, ((channel, number) for channel in wanting))
        dropped.update(set(one.channels) - set(wanting))
        for channel in wanting:
            room[channel] -= 1
    store.write_many(DROP, dropped.items())
    return new


def waiting_number(store: Store, channel: str) -> int:
    """How many alerts wait for a channel. Raises StoreError."""
    ((number,),) = store.read(NUMBER, (channel,))
    return int(number)


def waiting(store: Store, channel: str) -> list[Row]:
    """The alerts that wait for a channel, in the order in which they came. Raises StoreError."""
    return [Row(*row) for row in store.read(WAITING, (channel, WAITING_MAX))]


def account_of(store: Store, channel: str) -> Account:
    """What is known of a channel. Raises StoreError."""
    rows = store.read("SELECT spent, dropped, sent_at FROM channel WHERE name = ?", (channel,))
    return Account(*rows[0]) if rows else Account()


def compose(
    store: Store,
    channel: str,
    told: Sequence[int],
    spent: float,
    now: float,
    *,
    settled: Sequence[int] = (),
    held: str = "",
) -> int:
    """Make a message that tells of the alerts `told` and counts those `settled`; gives its id.

    `spent` is the ledger of the budget after it. Call inside a transaction. Raises StoreError.
    """
    dropped = account_of(store, channel).dropped
    store.write(COMPOSE, (channel, now, now, held, len(settled) + dropped))
    ((message,),) = store.read("SELECT last_insert_rowid()")
    put = "UPDATE delivery SET message = ? WHERE channel = ? AND alert = ?"
    store.write_many(put, ((message, channel, alert) for alert in told))
    store.write_many("DELETE FROM delivery WHERE channel = ? AND alert = ?", ((channel, alert) for alert in settled))
    store.write_many(FORGET, ((alert,) for alert in settled))
    store.write(SPEND, (channel, spent))
    return int(message)


def unsent(store: Store, channel: str) -> int:
    """How many messages of a channel are still to be sent. Raises StoreError."""
    ((number,),) = store.read(UNSENT, (channel,))
    return int(number)


def due(store: Store, channel: str) -> Letter | None:
    """The message of a channel that is to be tried next, now or later. Raises StoreError."""
    rows = store.read(DUE, (channel,))
    return Letter(*rows[0]) if rows else None


def claim(store: Store, message: int) -> None:
    """Note that a message is being sent from now on. Call inside a transaction. Raises StoreError."""
    store.write("UPDATE message SET state = 'sending', tries = tries + 1 WHERE id = ?", (message,))


def settle(store: Store, message: int, now: float, *, state: str, detail: str = "", next_at: float = 0.0) -> bool:
    """Note what became of a message that was being sent: sent, failed for good, or waiting until `next_at`.

    Gives False where it was not being sent: somebody said so already. Call inside a transaction. Raises StoreError.
    """
    at = None if state == "waiting" else now
    put = "UPDATE message SET state = ?, detail = ?, next_at = ?, settled_at = ? WHERE id = ? AND state = 'sending'"
    changed = store.write(put, (state, stored(detail, DETAIL_MAX), next_at, at, message))
    if changed and at is not None:
        store.write(EMPTY, (message,))
    if changed and state == "sent":
        channel = by_id(store, message).channel
        store.write(SENT, (channel, now))
        # Whoever takes one takes others: those that failed before need not wait.
        store.write("UPDATE message SET next_at = ? WHERE channel = ? AND state = 'waiting'", (now, channel))
    return bool(changed)


def by_id(store: Store, message: int) -> Letter:
    """The message with this id. Raises StoreError, and LookupError where there is none."""
    rows = store.read(BY_ID, (message,))
    if not rows:
        raise LookupError(f"there is no message {message}")
    return Letter(*rows[0])


def interrupted(store: Store) -> list[Letter]:
    """The messages of which nobody knows whether they were sent: whoever sent them has gone. Raises StoreError."""
    rows = store.read(f"SELECT {COLUMNS} FROM message WHERE state = 'sending'")  # noqa: S608 - our own column names
    return [Letter(*row) for row in rows]


def failure(store: Store, channel: str) -> str:
    """Why a channel gave up the last message that it did; empty where it has sent one since. Raises StoreError."""
    rows = store.read(FAILURE, (channel, account_of(store, channel).sent_at or 0.0))
    return str(rows[0][0]) if rows else ""


def payloads(store: Store, message: int) -> list[str]:
    """The alerts of a message as JSON. Raises StoreError."""
    return [payload for (payload,) in store.read(PAYLOADS, (message,))]


def latest(store: Store, limit: int) -> list[Letter]:
    """The newest messages, the newest first. Raises StoreError."""
    return [Letter(*row) for row in store.read(LATEST, (max(0, min(limit, 1000)),))]


def states(store: Store, channel: str) -> Mapping[str, int]:
    """How many messages of a channel are in each state. Raises StoreError."""
    return dict(store.read("SELECT state, count(*) FROM message WHERE channel = ? GROUP BY state", (channel,)))


def prune(store: Store, now: float) -> int:
    """Forget some of what is settled and old, or too much; gives how much. Call inside a transaction.

    Raises StoreError.
    """
    old = now - KEEP_SECONDS
    ((alert,),) = store.read(LAST_OLD_ALERT, (old, ALERTS_MAX))
    ((message,),) = store.read(LAST_OLD_MESSAGE, (old, MESSAGES_MAX))
    return store.write(OLD_ALERTS, (alert, STEP_ROWS)) + store.write(OLD_MESSAGES, (message, STEP_ROWS))
