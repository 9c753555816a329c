"""Question: what must be true in the kernel now? And: what do decisions change about it?"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from durward.model import Decision, Listing, Network, Scope, Standing, Subject, Verdict
from durward.store.columns import canonical, containing, scope_of, subject_of
from durward.store.store import Row, Store

PUTS: dict[Verdict, Listing] = {"block": "block", "throttle": "throttle", "allow": "allow", "ignore": "ignore"}
DROPS: dict[Verdict, tuple[Listing, ...]] = {
    "unblock": ("block", "throttle"),  # whoever is let in again is let in whole
    "disallow": ("allow",),
    "unignore": ("ignore",),
}
TAKEN_OFF_MAX = 200_000
TAKEN_OFF = (
    "SELECT verdict, kind, subject, scope, max(id) FROM decision INDEXED BY decision_lifting"
    " WHERE verdict IN ('unblock', 'disallow') AND made_at >= ? AND NOT EXISTS (SELECT 1 FROM standing"
    " WHERE standing.listing = CASE verdict WHEN 'unblock' THEN 'block' ELSE 'allow' END"
    " AND standing.subject = decision.subject AND standing.kind = decision.kind AND standing.scope = decision.scope)"
    " GROUP BY verdict, kind, subject, scope ORDER BY max(id) DESC LIMIT ?"
)
# Few are ever throttled, so only of those it is said again that they are not.
THROTTLED_BEFORE = (
    "SELECT kind, subject, scope, max(id) FROM decision INDEXED BY decision_lifting"
    " WHERE verdict IN ('unblock', 'disallow') AND verdict = 'unblock' AND made_at >= ?"
    " AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.listing = 'throttle'"
    " AND standing.subject = decision.subject AND standing.kind = decision.kind AND standing.scope = decision.scope)"
    " AND EXISTS (SELECT 1 FROM decision AS other WHERE other.subject = decision.subject"
    " AND other.kind = decision.kind AND other.verdict = 'throttle')"
    " GROUP BY kind, subject, scope ORDER BY max(id) DESC LIMIT ?"
)
PAGE_ROWS = 1000
EXPIRED_MAX = 10_000  # taken at once; the rest waits for the next call
SELECT = "SELECT listing, kind, subject, scope, until, decision FROM standing"
ANY_LISTING = (
    "listing IN ('allow', 'block', 'ignore', 'throttle')"  # names the first column of the key, so that the key is used
)
AROUND = "subject IN (SELECT value FROM json_each(?)) AND kind IN ('address', 'network')"
COVERING = f"{SELECT} WHERE {ANY_LISTING} AND {AROUND} AND (until IS NULL OR until > ?)"
PUT = (
    "INSERT INTO standing (listing, kind, subject, scope, until, decision) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (listing, subject, kind, scope) DO UPDATE SET until = excluded.until, decision = excluded.decision"
)
DROP = "DELETE FROM standing WHERE listing = ? AND kind = ? AND subject = ? AND scope = ?"

Scopes = dict[Scope, Standing]
Touched = dict[tuple[str, str, str], tuple[Scopes, Scopes]]  # by list, kind and value: as found, and as it is to be


@dataclass(frozen=True, slots=True)
class Change:
    """One step by which a list changes: `standing` is put (anew, or with another end) or, if `removed`, taken out."""

    standing: Standing
    removed: bool = False


def all_of(store: Store, listing: Listing) -> Iterator[Standing]:
    """Every entry of one list, ordered by subject, page by page: writing in between is allowed. Raises StoreError."""
    statement = (
        f"{SELECT} WHERE listing = ? AND (subject, kind, scope) > (?, ?, ?)"
        f" ORDER BY subject, kind, scope LIMIT {PAGE_ROWS}"
    )
    last = ("", "", "")
    while rows := store.read(statement, (listing, *last)):
        yield from map(_standing_of, rows)
        last = (rows[-1][2], rows[-1][1], rows[-1][3])


def of(store: Store, subject: Subject) -> list[Standing]:
    """What stands for exactly this subject, on all lists and for all scopes. Raises StoreError."""
    statement = f"{SELECT} WHERE {ANY_LISTING} AND subject = ? AND kind = ?"
    return [_standing_of(row) for row in store.read(statement, (subject.value, subject.kind))]


def of_decision(store: Store, decision: int) -> list[Standing]:
    """What stands because of one decision. Raises StoreError."""
    return [_standing_of(row) for row in store.read(f"{SELECT} WHERE decision = ?", (decision,))]


def covering(store: Store, network: Network, now: float) -> list[Standing]:
    """What stands at `now` for `network` or for any network around it, the narrowest first. Raises StoreError."""
    around = containing(network)
    rows = store.read(COVERING, (json.dumps(around), now))
    width = {text: place for place, text in enumerate(around)}
    return sorted(map(_standing_of, rows), key=lambda standing: (width[standing.subject.value], standing.listing))


def taken_off(store: Store, since: float) -> list[Standing]:
    """What was taken off the lists of the blocked, throttled and allowed since then, and does not stand again.

    TAKEN_OFF_MAX at most, the ones taken off last. Raises StoreError.
    """
    rows = store.read(TAKEN_OFF, (since, TAKEN_OFF_MAX))
    lifted: list[tuple[Listing, Row]] = [(DROPS[row[0]][0], row[1:]) for row in rows]
    lifted += [("throttle", row) for row in store.read(THROTTLED_BEFORE, (since, TAKEN_OFF_MAX))]
    return [
        Standing(listing, subject_of(kind, subject), scope_of(scope), None, decision)
        for listing, (kind, subject, scope, decision) in lifted
    ]


def count(store: Store, listing: Listing) -> int:
    """How many entries a list has. Raises StoreError."""
    ((number,),) = store.read("SELECT count(*) FROM standing WHERE listing = ?", (listing,))
    return int(number)


def expire(store: Store, now: float) -> list[Standing]:
    """Take out what ended at or before `now` and give it, the earliest end first; EXPIRED_MAX at most.

    Call inside a transaction. Raises StoreError.
    """
    rows = store.read(f"{SELECT} WHERE until <= ? ORDER BY until LIMIT {EXPIRED_MAX}", (now,))
    ended = [_standing_of(row) for row in rows]
    store.write_many(DROP, map(_key_of, ended))
    return ended


def changes(store: Store, decisions: Iterable[Decision], refused: Collection[int] = ()) -> list[Change]:
    """What `decisions`, in their order, change about what stands; `refused` are the ids that a guard refused.

    Only reads. While the disk is full, give all the decisions that are not written yet: the result is what they change
    together. Alerts, simulated and refused decisions change nothing. Raises StoreError.
    """
    touched: Touched = {}
    for decision in decisions:
        if decision.simulated or decision.id in refused:
            continue
        subject = decision.subject
        for listing in listings_of(decision.verdict):
            key = (listing, subject.kind, subject.value)
            if key not in touched:
                found = _scopes(store, listing, subject)
                touched[key] = (found, dict(found))
            follow(touched[key][1], decision)
    return list(_differences(touched))


def listings_of(verdict: Verdict) -> tuple[Listing, ...]:
    """The lists that a decision is about; none for an alert."""
    return DROPS.get(verdict) or ((PUTS[verdict],) if verdict in PUTS else ())


def follow(scopes: Scopes, decision: Decision) -> None:
    """Let one decision change what stands for its subject on its list.

    A decision against the list takes out its own scope alone: other ports may be blocked by somebody else. A person's
    decision replaces what stands for its scope; an automatic one only ever makes it longer.
    """
    scope = canonical(decision.scope)
    if decision.verdict in DROPS:
        scopes.pop(scope, None)
        return
    old = scopes.get(scope)
    if old is None or decision.origin.startswith("operator:") or _ends_later(decision.until, old.until):
        listing = PUTS[decision.verdict]
        scopes[scope] = Standing(listing, decision.subject, scope, decision.until, decision.id)


def apply(store: Store, steps: Iterable[Change]) -> None:
    """Write changes. Call inside the transaction that writes their decisions. Raises StoreError."""
    steps = list(steps)
    store.write_many(DROP, (_key_of(step.standing) for step in steps if step.removed))
    store.write_many(PUT, (_row_of(step.standing) for step in steps if not step.removed))


def _ends_later(until: float | None, other: float | None) -> bool:
    """Does one end lie after the other? None is for ever."""
    return other is not None and (until is None or until > other)


def _scopes(store: Store, listing: Listing, subject: Subject) -> Scopes:
    """What stands for one subject on one list, by scope."""
    statement = "SELECT scope, until, decision FROM standing WHERE listing = ? AND subject = ? AND kind = ?"
    rows = store.read(statement, (listing, subject.value, subject.kind))
    found = ((scope_of(scope), until, decision) for scope, until, decision in rows)
    return {scope: Standing(listing, subject, scope, until, decision) for scope, until, decision in found}


def _differences(touched: Touched) -> Iterator[Change]:
    """The steps that lead from what was found to what is to be held."""
    for found, held in touched.values():
        for scope, standing in found.items():
            if scope not in held:
                yield Change(standing, removed=True)
        for scope, standing in held.items():
            if found.get(scope) != standing:
                yield Change(standing)


def _standing_of(row: Row) -> Standing:
    listing, kind, subject, scope, until, decision = row
    return Standing(listing, subject_of(kind, subject), scope_of(scope), until, decision)


def _row_of(standing: Standing) -> Row:
    return (*_key_of(standing), standing.until, standing.decision)


def _key_of(standing: Standing) -> Row:
    return (standing.listing, standing.subject.kind, standing.subject.value, str(standing.scope))
