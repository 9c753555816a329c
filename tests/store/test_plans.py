"""No question that an operator or the engine asks walks through the history: each has an index to go by."""

import re
import sqlite3
from collections.abc import Callable

import pytest
from tests.store.samples import NOW, decision, recorded

from durward.model import Subject, parse_network
from durward.store import (
    counters,
    decisions,
    errands,
    escalation,
    explanations,
    forgiveness,
    outbox,
    pruning,
    standing,
)
from durward.store.store import Store

ABOUT = Subject.parse("203.0.113.9")
NETWORK = parse_network("2001:db8::1")
# A question that is not here because it is meant to walk: positions.load and findings.known, whose tables are small.
QUESTIONS: dict[str, Callable[[Store], object]] = {
    "by id": lambda store: decisions.by_id(store, 1),
    "by receipt": lambda store: decisions.by_receipt(store, "K7QM-2XFD"),
    "history": lambda store: decisions.history(store, ABOUT, 10),
    "history around": lambda store: decisions.history_around(store, Subject.parse("2001:db8::1"), 10),
    "latest": lambda store: decisions.latest(store, 10),
    "since": lambda store: decisions.since(store, 1, 10),
    "explain": lambda store: explanations.explain(store, 1),
    "offences": lambda store: escalation.offences(store, ABOUT, NOW),
    "all offences": lambda store: escalation.load(store, NOW),
    "lifted": lambda store: forgiveness.lifted_at(store, ABOUT),
    "all lifted": lambda store: forgiveness.load(store, NOW),
    "all of a list": lambda store: list(standing.all_of(store, "block")),
    "what stands for": lambda store: standing.of(store, ABOUT),
    "what stands because of": lambda store: standing.of_decision(store, 1),
    "what covers": lambda store: standing.covering(store, NETWORK, NOW),
    "what was lifted": lambda store: standing.taken_off(store, NOW),
    "what would have been": lambda store: decisions.simulated_since(store, NOW),
    "how many": lambda store: standing.count(store, "block"),
    "expire": lambda store: standing.expire(store, NOW),
    "traffic": lambda store: counters.of(store, 1),
    "errands": lambda store: errands.due(store, NOW),
    "what waits to be told": lambda store: outbox.waiting(store, "mail"),
    "how much waits to be told": lambda store: outbox.waiting_number(store, "mail"),
    "what to tell next": lambda store: outbox.due(store, "mail"),
    "how much is not told yet": lambda store: outbox.unsent(store, "mail"),
    "of what a message tells": lambda store: outbox.payloads(store, 1),
    "why it was given up": lambda store: outbox.failure(store, "mail"),
    "tell": lambda store: outbox.compose(store, "mail", [1], 0.0, NOW, settled=[2]),
    "told": lambda store: outbox.settle(store, 1, NOW, state="sent"),
    "prune": lambda store: pruning.prune(store, NOW),
    "refuse": lambda store: decisions.refuse(store, 1, "no", NOW),
    "record": lambda store: decisions.record(store, store.number([decision("203.0.113.9", "unblock", lines=1)])),
    "add": lambda store: counters.add(store, {1: counters.Traffic(1, 1)}),
}
WALK = re.compile(r"SCAN (?!json_each|CONSTANT)")
# The newest of all, up to a limit: this walk ends after as many rows as were asked for. With a condition it would not.
ENDS_EARLY = re.compile(r"(?!.* WHERE ).* ORDER BY id DESC LIMIT ")


def walks(store: Store, statement: str) -> list[str]:
    """The steps of a statement's plan that go through a whole table."""
    steps = [row[3] for row in store.read(f"EXPLAIN QUERY PLAN {statement}")]
    return [step for step in steps if WALK.match(step) and not ENDS_EARLY.match(statement)]


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_walks_through_a_table(store: Store, question: str) -> None:
    recorded(store, [decision("203.0.113.9", lines=2)])
    asked: list[str] = []
    connection: sqlite3.Connection = store._connection
    with store.transaction():
        connection.set_trace_callback(asked.append)
        QUESTIONS[question](store)
        connection.set_trace_callback(None)
        assert asked
        assert [(one, walks(store, one)) for one in asked if not one.startswith("--") and walks(store, one)] == []


def test_a_walk_is_seen(store: Store) -> None:
    assert walks(store, "SELECT * FROM decision WHERE reason = 'x'") != []
    assert walks(store, "SELECT * FROM decision WHERE reason = 'x' ORDER BY id DESC LIMIT 1") != []
    assert walks(store, "SELECT * FROM decision ORDER BY made_at LIMIT 1") != []
