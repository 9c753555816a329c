"""What is old or beyond the row maximum goes, with all that is its own; what stands stays."""

import pytest
from tests.store.samples import NOW, address, decision, recorded

from durward.model import Decision
from durward.store import counters, decisions, escalation, explanations, forgiveness, pruning, standing
from durward.store.counters import Traffic
from durward.store.pruning import KEEP_SECONDS, STEP_ROWS
from durward.store.store import Store

LATER = NOW + KEEP_SECONDS + 3600


def prune(store: Store, now: float = LATER, rows_max: int = 1_000_000) -> int:
    """Prune to the end; gives how many decisions went."""
    deleted = examined_to = 0
    for _ in range(1000):
        with store.transaction():
            step = pruning.prune(store, now, rows_max=rows_max, examined_to=examined_to)
        deleted, examined_to = deleted + step.deleted, step.examined_to
        if step.finished:
            return deleted
    pytest.fail("pruning never ends")


def rows_of(store: Store, table: str) -> int:
    ((number,),) = store.read(f"SELECT count(*) FROM {table}")
    return int(number)


def alerts(number: int, made_at: float = NOW, lines: int = 1) -> list[Decision]:
    return [decision(address(place), "alert", made_at=made_at, lines=lines) for place in range(number)]


def test_an_empty_store_needs_no_pruning(store: Store) -> None:
    assert prune(store) == 0


def test_what_is_old_goes_with_all_that_is_its_own(store: Store) -> None:
    recorded(store, alerts(2 * STEP_ROWS + 10, lines=2))
    young = recorded(store, alerts(3, made_at=LATER))
    with store.transaction():
        counters.add(store, {1: Traffic(1, 1)})
    assert prune(store) == 2 * STEP_ROWS + 10
    assert rows_of(store, "decision") == rows_of(store, "incident") == rows_of(store, "evidence") == 3
    assert rows_of(store, "counter") == 0
    assert [entry.decision.id for entry in decisions.since(store, 0, 10)] == [one.id for one in young]


def test_a_step_is_small(store: Store) -> None:
    recorded(store, alerts(2 * STEP_ROWS))
    with store.transaction():
        step = pruning.prune(store, LATER)
    assert (step.deleted, step.finished) == (STEP_ROWS, False)


def test_what_stands_stays_however_old(store: Store) -> None:
    (stands,) = recorded(store, [decision("203.0.113.9", until=None, lines=3)])
    recorded(store, [decision(address(place), until=None) for place in range(STEP_ROWS + 10)])
    recorded(store, alerts(20))
    assert prune(store) == 20
    explained = explanations.explain(store, stands.id)
    assert explained is not None
    assert explained.decision.incident == stands.incident
    recorded(store, [decision("203.0.113.9", "unblock", made_at=LATER)])
    assert prune(store) == 1
    assert explanations.explain(store, stands.id) is None


def test_beyond_the_row_maximum_the_oldest_decisions_go(store: Store) -> None:
    recorded(store, alerts(50, lines=0))
    assert prune(store, NOW, rows_max=20) == 30
    assert [entry.decision.id for entry in decisions.since(store, 0, 1)] == [31]


def test_lines_of_evidence_have_the_same_maximum(store: Store) -> None:
    recorded(store, alerts(20, lines=5))
    assert prune(store, NOW, rows_max=30) == 14
    assert rows_of(store, "evidence") == 30
    recorded(store, alerts(2, lines=5))
    assert prune(store, NOW, rows_max=30) == 2
    assert rows_of(store, "evidence") == 30


def test_one_decision_from_the_future_does_not_keep_the_others(store: Store) -> None:
    recorded(store, alerts(1, made_at=LATER))
    recorded(store, alerts(2 * STEP_ROWS))
    assert prune(store) == 2 * STEP_ROWS


def test_forgiveness_is_forgotten_with_what_it_forgave(store: Store) -> None:
    (block, lifted) = recorded(store, [decision("203.0.113.9"), decision("203.0.113.9", "unblock")])
    recorded(store, [decision("203.0.113.10", "unblock", made_at=LATER)])
    assert prune(store) == 2
    assert forgiveness.lifted_at(store, block.subject) is None
    assert len(forgiveness.load(store, 0)) == 1
    assert escalation.offences(store, lifted.subject, 0).count == 0
    assert standing.of(store, block.subject) == []
