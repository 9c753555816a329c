"""The Store: transactions are all or nothing, ids and receipts come before writing and are never used twice."""

import sqlite3
from pathlib import Path

import pytest
from tests.store.samples import NOW, decision, kept, opened, recorded

from durward.model import Decision
from durward.store import decisions, findings, positions, pruning, standing
from durward.store.errors import StoreError, StoreFullError
from durward.store.store import Store


def test_a_batch_is_kept_as_a_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.transaction():
        positions.save(store, {"file:/var/log/auth.log": "100"})
        decisions.record(store, store.number([decision("203.0.113.9", lines=2)]))
    with opened(tmp_path) as store:
        assert positions.load(store) == {"file:/var/log/auth.log": "100"}
        assert [entry.decision.id for entry in decisions.latest(store, 10)] == [1]
        assert standing.count(store, "block") == 1


def test_an_exception_undoes_the_batch(store: Store) -> None:
    def batch() -> None:
        with store.transaction():
            positions.save(store, {"journal": "s=1"})
            decisions.record(store, store.number([decision("203.0.113.9", lines=2)]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        batch()
    assert positions.load(store) == {}
    assert decisions.latest(store, 10) == []
    assert standing.count(store, "block") == 0


def test_writing_needs_a_transaction_and_there_is_one_at_a_time(store: Store) -> None:
    with pytest.raises(RuntimeError, match="outside of a transaction"):
        positions.save(store, {"journal": "s=1"})
    with store.transaction(), pytest.raises(RuntimeError, match="open already"), store.transaction():
        pass


def test_a_decision_is_numbered_before_it_is_recorded(store: Store) -> None:
    with pytest.raises(RuntimeError, match="numbered"), store.transaction():
        decisions.record(store, [decision("203.0.113.9")])


def test_numbering_leaves_what_is_numbered_alone(store: Store) -> None:
    first = store.number([decision("203.0.113.9"), decision("203.0.113.10")])
    again = store.number([*first, decision("203.0.113.11")])
    assert again[:2] == first
    assert [one.id for one in again] == [1, 2, 3]
    assert len({one.receipt for one in again}) == 3


def test_receipts_that_are_taken_or_promised_are_not_given_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["AAAA-0001", "AAAA-0001", "AAAA-0002", "AAAA-0001", "AAAA-0002", "AAAA-0003"])
    monkeypatch.setattr("durward.store.store.DRAWN_AHEAD", 0)
    monkeypatch.setattr("durward.store.store.draw_receipt", lambda: next(drawn))
    (written,) = recorded(store, [decision("203.0.113.9")])
    (promised,) = store.number([decision("203.0.113.10")])
    (last,) = store.number([decision("203.0.113.11")])
    assert [written.receipt, promised.receipt, last.receipt] == ["AAAA-0001", "AAAA-0002", "AAAA-0003"]


def test_an_id_is_never_used_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        recorded(store, [decision("203.0.113.9", until=NOW + 1) for _ in range(3)])
        with store.transaction():
            standing.expire(store, NOW + 2)
            assert pruning.prune(store, NOW + 2 * pruning.KEEP_SECONDS).deleted == 3
    with opened(tmp_path) as store:
        assert [one.id for one in store.number([decision("203.0.113.9")])] == [4]


def limit_pages(store: Store, spare: int) -> None:
    """Let the database grow by so many pages only, as if the disk ended there."""
    ((pages,),) = store.read("PRAGMA page_count")
    store.read(f"PRAGMA max_page_count = {pages + spare}")


def write(store: Store, batch: list[Decision], cursor: str) -> None:
    with store.transaction():
        positions.save(store, {"journal": cursor})
        decisions.record(store, batch)


def test_a_full_database_keeps_nothing_of_a_batch_and_takes_it_later(store: Store) -> None:
    (before,) = recorded(store, [decision("203.0.113.9", lines=2)])
    limit_pages(store, spare=20)
    batch = store.number([decision("198.51.100.7", lines=5) for _ in range(500)])
    with pytest.raises(StoreFullError):
        write(store, batch, "s=1")
    assert positions.load(store) == {}
    assert [entry.decision.id for entry in decisions.latest(store, 10)] == [before.id]
    assert [change.standing.decision for change in standing.changes(store, batch)] == [batch[0].id]
    later = store.number([decision("198.51.100.8")])
    limit_pages(store, spare=10_000)
    write(store, [*batch, *later], "s=2")
    assert positions.load(store) == {"journal": "s=2"}
    assert decisions.by_receipt(store, batch[-1].receipt) is not None
    assert [entry.decision.id for entry in decisions.latest(store, 1)] == [later[0].id]


def test_what_no_column_can_hold_is_an_error_of_the_store(store: Store) -> None:
    with pytest.raises(StoreError):
        decisions.by_id(store, 1 << 70)
    with pytest.raises(StoreError), store.transaction():
        store.write("INSERT INTO meta (name, value) VALUES ('x', ?)", ("\udcff",))
    with pytest.raises(StoreError), store.transaction():
        decisions.record(store, store.number([decision("203.0.113.9", made_at=float("nan"))]))
    assert decisions.latest(store, 1) == []


def test_hostile_text_is_kept_as_text(store: Store) -> None:
    with store.transaction():
        positions.save(store, {"file:/var/log/\udcff.log": "1"})
        decisions.record(store, [], {})
    assert positions.load(store) == {"file:/var/log/\udcff.log": "1"}


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.close()
    with pytest.raises(StoreError):
        findings.known(store)


def test_the_changes_are_those_of_the_batch_as_a_whole(store: Store) -> None:
    assert kept(store, [decision("203.0.113.9"), decision("203.0.113.9", "unblock")])[1] == []


def test_no_other_connection_comes_between(store: Store) -> None:
    with sqlite3.connect(store.path, timeout=0) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT count(*) FROM decision")
    other.close()
