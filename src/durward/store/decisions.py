"""Question: what was decided, about whom, and when? `record` is how decisions come in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from durward.model import Decision, Incident, Standing, Subject
from durward.store import forgiveness, standing
from durward.store.columns import containing, network_of, scope_of, stored, subject_of
from durward.store.receipts import parse_receipt
from durward.store.standing import Change
from durward.store.store import Row, Store

LIMIT_MAX = 10_000  # entries given at once, whatever the caller asks
EVIDENCE_MAX = 64  # lines kept of one incident: the last ones
REASON_MAX = 1024  # characters
COLUMNS = "id, receipt, verdict, kind, subject, scope, made_at, until, reason, origin, simulated, refused"
SELECT = f"SELECT {COLUMNS} FROM decision"  # noqa: S608 - our own column names
INSERT = f"INSERT INTO decision ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - the same
INSERT_INCIDENT = (
    "INSERT INTO incident (id, detector, service, kind, subject, first_at, last_at, count, threshold, within_seconds,"
    " reason, lines_to_here, account) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
LINES_SO_FAR = "SELECT lines_to_here FROM incident ORDER BY id DESC LIMIT 1"
INSERT_EVIDENCE = (
    "INSERT INTO evidence (incident, ordinal, source, position, at, text, user_name) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision as it was recorded, without its incident (see explanations.py); `refused` is the guard's reason."""

    decision: Decision
    refused: str | None = None


def record(store: Store, decisions: Sequence[Decision], refused: Mapping[int, str] | None = None) -> list[Change]:
    """Write numbered decisions with their incidents and evidence, and what they change about what stands.

    Call inside a transaction; if that fails nothing is written, and the same decisions may be recorded later.
    `refused` gives the guard's reason by decision id. Gives the changes. Raises StoreError.
    """
    refused = refused or {}
    store.write_many(INSERT, (_row_of(decision, refused.get(decision.id)) for decision in decisions))
    incidents = [(decision.id, decision.incident) for decision in decisions if decision.incident is not None]
    store.write_many(INSERT_INCIDENT, _incident_rows_of(incidents, _lines_so_far(store)))
    store.write_many(INSERT_EVIDENCE, _evidence_rows_of(incidents))
    forgiveness.lift(store, (decision for decision in decisions if decision.id not in refused))
    changes = standing.changes(store, decisions, refused)
    standing.apply(store, changes)
    return changes


def refuse(store: Store, decision: int, reason: str, now: float) -> list[Change]:
    """Note that a guard refused a recorded decision. What stood before it and has not ended at `now` stands again.

    Call inside a transaction. Gives what changes about what stands. Raises StoreError.
    """
    store.write("UPDATE decision SET refused = ? WHERE id = ?", (stored(reason, REASON_MAX), decision))
    changes = [_step_back(store, held, now) for held in standing.of_decision(store, decision)]
    standing.apply(store, changes)
    return changes


def by_id(store: Store, decision: int) -> Entry | None:
    """The decision with this id. Raises StoreError."""
    rows = store.read(f"{SELECT} WHERE id = ?", (decision,))
    return entry_of(rows[0]) if rows else None


def by_receipt(store: Store, text: str) -> Entry | None:
    """The decision whose receipt somebody typed, in whatever case and with or without the dash. Raises StoreError."""
    receipt = parse_receipt(text)
    rows = store.read(f"{SELECT} WHERE receipt = ?", (receipt,)) if receipt else []
    return entry_of(rows[0]) if rows else None


def history(store: Store, subject: Subject, limit: int) -> list[Entry]:
    """Decisions about exactly this subject, the newest first. Raises StoreError."""
    return [entry_of(row) for row in _rows_about(store, subject.value, subject.kind, limit)]


def history_around(store: Store, subject: Subject, limit: int) -> list[Entry]:
    """Decisions about this subject and about the networks that contain it, the newest first. Raises StoreError."""
    network = network_of(subject)
    if network is None:
        return history(store, subject, limit)
    own, *around = containing(network)
    rows = _rows_about(store, own, subject.kind, limit)
    for text in around:
        rows += _rows_about(store, text, "network", limit)
    rows.sort(key=lambda row: -int(row[0]))
    return [entry_of(row) for row in rows[: _bounded(limit)]]


def latest(store: Store, limit: int) -> list[Entry]:
    """The newest decisions about anybody, the newest first. Raises StoreError."""
    return [entry_of(row) for row in store.read(f"{SELECT} ORDER BY id DESC LIMIT ?", (_bounded(limit),))]


def since(store: Store, decision: int, limit: int) -> list[Entry]:
    """Decisions with an id above this one, the oldest first: what `log --follow` asks. Raises StoreError."""
    rows = store.read(f"{SELECT} WHERE id > ? ORDER BY id LIMIT ?", (decision, _bounded(limit)))
    return [entry_of(row) for row in rows]


def entry_of(row: Row) -> Entry:
    """The entry that COLUMNS stand for. Raises StoreCorruptError."""
    number, receipt, verdict, kind, subject, scope, made_at, until, reason, origin, simulated, refused = row
    decision = Decision(
        verdict=verdict,
        subject=subject_of(kind, subject),
        made_at=made_at,
        until=until,
        reason=reason,
        origin=origin,
        scope=scope_of(scope),
        simulated=bool(simulated),
        id=number,
        receipt=receipt,
    )
    return Entry(decision, refused)


def simulated_since(store: Store, since: float) -> dict[str, dict[str, int]]:
    """How often each detector in shadow mode would have acted since then (epoch seconds), by verdict.

    Raises StoreError.
    """
    rows = store.read(
        "SELECT origin, verdict, count(*) FROM decision INDEXED BY decision_simulated WHERE simulated = 1"
        " AND made_at >= ? GROUP BY origin, verdict ORDER BY origin, verdict",
        (since,),
    )
    found: dict[str, dict[str, int]] = {}
    for origin, verdict, number in rows:
        found.setdefault(str(origin), {})[str(verdict)] = int(number)
    return found


def _step_back(store: Store, held: Standing, now: float) -> Change:
    """What stands for a scope when the decision behind it was refused: what its subject's other decisions say."""
    statement = (
        f"{SELECT} WHERE subject = ? AND kind = ? AND refused IS NULL AND simulated = 0 ORDER BY id DESC LIMIT ?"
    )
    rows = store.read(statement, (held.subject.value, held.subject.kind, LIMIT_MAX))
    scopes: standing.Scopes = {}
    for entry in reversed([entry_of(row) for row in rows]):
        if held.listing in standing.listings_of(entry.decision.verdict):
            standing.follow(scopes, entry.decision)
    before = scopes.get(held.scope)
    if before is None or (before.until is not None and before.until <= now):
        return Change(held, removed=True)
    return Change(before)


def _rows_about(store: Store, subject: str, kind: str, limit: int) -> list[Row]:
    statement = f"{SELECT} WHERE subject = ? AND kind = ? ORDER BY id DESC LIMIT ?"
    return store.read(statement, (subject, kind, _bounded(limit)))


def _bounded(limit: int) -> int:
    return max(0, min(limit, LIMIT_MAX))


def _row_of(decision: Decision, refused: str | None) -> Row:
    if not decision.id:
        raise RuntimeError("a decision is numbered before it is recorded")
    return (
        decision.id,
        decision.receipt,
        decision.verdict,
        decision.subject.kind,
        stored(decision.subject.value),
        str(decision.scope),
        decision.made_at,
        decision.until,
        stored(decision.reason, REASON_MAX),
        stored(decision.origin),
        decision.simulated,
        None if refused is None else stored(refused, REASON_MAX),
    )


def _lines_so_far(store: Store) -> int:
    rows = store.read(LINES_SO_FAR)
    return int(rows[0][0]) if rows else 0


def _incident_rows_of(incidents: Iterable[tuple[int, Incident]], lines: int) -> Iterator[Row]:
    """The rows of incidents by decision id; `lines` of evidence were ever stored before them."""
    for number, incident in incidents:
        lines += min(len(incident.evidence), EVIDENCE_MAX)
        yield (
            number,
            incident.detector,
            incident.service,
            incident.subject.kind,
            stored(incident.subject.value),
            incident.first_at,
            incident.last_at,
            incident.count,
            incident.threshold,
            incident.within_seconds,
            stored(incident.reason, REASON_MAX),
            lines,
            None if incident.account is None else stored(incident.account),
        )


def _evidence_rows_of(incidents: Iterable[tuple[int, Incident]]) -> Iterator[Row]:
    for number, incident in incidents:
        for ordinal, line in enumerate(incident.evidence[-EVIDENCE_MAX:]):
            account = None if line.user_name is None else stored(line.user_name)
            yield number, ordinal, stored(line.source), line.position, line.at, stored(line.text), account
