"""It is remembered when a subject was last unblocked."""

from tests.store.samples import NOW, decision, recorded

from durward.model import Subject
from durward.store import decisions, forgiveness
from durward.store.store import Store

ABOUT = Subject.parse("203.0.113.9")


def test_the_last_unblock_is_remembered(store: Store) -> None:
    assert forgiveness.lifted_at(store, ABOUT) is None
    recorded(store, [decision("203.0.113.9", "unblock", made_at=NOW + place) for place in (5, 3)])
    recorded(store, [decision("203.0.113.10", "unblock", made_at=NOW), decision("203.0.113.9", "disallow")])
    assert forgiveness.lifted_at(store, ABOUT) == NOW + 5
    assert forgiveness.load(store, NOW + 1) == {ABOUT: NOW + 5}
    assert list(forgiveness.load(store, 0)) == [ABOUT, Subject.parse("203.0.113.10")]


def test_a_simulated_or_refused_unblock_forgives_nothing(store: Store) -> None:
    refused, simulated = store.number(
        [decision("203.0.113.9", "unblock"), decision("203.0.113.9", "unblock", simulated=True)]
    )
    with store.transaction():
        decisions.record(store, [refused, simulated], {refused.id: "the enforcer does not answer"})
    assert forgiveness.lifted_at(store, ABOUT) is None
