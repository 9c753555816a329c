"""Decisions are found by id, receipt and subject, come back as they were made, and a guard may refuse them."""

from dataclasses import replace

import pytest
from tests.store.samples import NOW, decision, recorded

from durward.model import Decision, Port, Scope, Subject
from durward.store import decisions, explanations, standing
from durward.store.decisions import Entry
from durward.store.standing import Change
from durward.store.store import Store


def ids(entries: list[Entry]) -> list[int]:
    return [entry.decision.id for entry in entries]


def test_a_decision_comes_back_as_it_was_made(store: Store) -> None:
    made = decision("203.0.113.9", until=None, scope=Scope((Port(80), Port(22)), "out"), origin="operator:root")
    alert = Decision("alert", Subject("user", "mallory"), NOW, None, "rea\udc80son", "detector:x", simulated=True)
    first, second = recorded(store, [made, alert])
    assert decisions.by_id(store, first.id) == Entry(first)
    assert decisions.by_receipt(store, first.receipt.lower().replace("-", "")) == Entry(first)
    assert decisions.by_id(store, second.id) == Entry(replace(second, reason="rea\\udc80son"))


def test_who_asks_for_what_is_not_there_gets_nothing(store: Store) -> None:
    assert decisions.by_id(store, 1) is None
    assert decisions.by_receipt(store, "K7QM-2XFD") is None
    assert decisions.by_receipt(store, "not a receipt") is None
    assert decisions.history_around(store, Subject.parse("203.0.113.9"), 10) == []
    assert explanations.explain(store, 1) is None


def test_history_is_newest_first_and_limited(store: Store) -> None:
    recorded(store, [decision("203.0.113.9"), decision("203.0.113.10")] * 3)
    assert ids(decisions.history(store, Subject.parse("203.0.113.9"), 2)) == [5, 3]
    assert ids(decisions.latest(store, 3)) == [6, 5, 4]
    assert ids(decisions.since(store, 4, 10)) == [5, 6]
    assert decisions.latest(store, -1) == []


def test_history_around_an_address_takes_in_the_networks_that_hold_it(store: Store) -> None:
    about = ["203.0.113.9", "203.0.113.0/24", "203.0.113.8", "203.0.112.0/22", "0.0.0.0/0", "203.0.113.9", "::/0"]
    recorded(store, [decision(text, "alert") for text in about])
    assert ids(decisions.history_around(store, Subject.parse("203.0.113.9"), 10)) == [6, 5, 4, 2, 1]
    assert ids(decisions.history_around(store, Subject.parse("203.0.113.9"), 2)) == [6, 5]
    assert ids(decisions.history_around(store, Subject.parse("203.0.113.0/24"), 10)) == [5, 4, 2]


def test_history_around_an_ipv6_address(store: Store) -> None:
    recorded(store, [decision(text, "alert") for text in ("2001:db8::/64", "2001:db8::1", "2001:db8:1::/64")])
    assert ids(decisions.history_around(store, Subject.parse("2001:db8::1"), 10)) == [2, 1]


def test_a_user_named_like_an_address_is_not_that_address(store: Store) -> None:
    user = Decision("alert", Subject("user", "203.0.113.9"), NOW, None, "odd", "detector:x")
    recorded(store, [user, decision("203.0.113.9")])
    assert ids(decisions.history_around(store, Subject("user", "203.0.113.9"), 10)) == [1]
    assert ids(decisions.history_around(store, Subject.parse("203.0.113.9"), 10)) == [2]


def test_the_lines_that_proved_it_come_back(store: Store) -> None:
    (made,) = recorded(store, [decision("203.0.113.9", lines=5)])
    assert explanations.explain(store, made.id) == Entry(made)
    assert explanations.incident_of(store, made.id) == made.incident


def test_of_too_many_lines_the_last_are_kept(store: Store) -> None:
    (made,) = recorded(store, [decision("203.0.113.9", lines=decisions.EVIDENCE_MAX + 10)])
    incident = explanations.incident_of(store, made.id)
    assert incident is not None
    assert made.incident is not None
    assert incident.evidence == made.incident.evidence[10:]


def test_what_a_guard_refused_is_recorded_and_does_not_stand(store: Store) -> None:
    refused, made = store.number([decision("203.0.113.9"), decision("203.0.113.10")])
    with store.transaction():
        changes = decisions.record(store, [refused, made], {refused.id: "it is the gateway"})
    assert decisions.by_id(store, refused.id) == Entry(refused, "it is the gateway")
    assert [change.standing.decision for change in changes] == [made.id]
    assert standing.of(store, refused.subject) == []


def test_a_later_refusal_takes_it_out(store: Store) -> None:
    (made,) = recorded(store, [decision("203.0.113.9")])
    (stood,) = standing.of(store, made.subject)
    with store.transaction():
        changes = decisions.refuse(store, made.id, "too many blocks", NOW)
    assert changes == [Change(stood, removed=True)]
    assert standing.of(store, made.subject) == []
    assert decisions.by_id(store, made.id) == Entry(made, "too many blocks")


@pytest.mark.parametrize(("now", "stands"), [(NOW + 50, True), (NOW + 60, False)])
def test_what_stood_before_a_refusal_stands_again_unless_it_ended(store: Store, now: float, *, stands: bool) -> None:
    recorded(store, [decision("203.0.113.9", until=NOW + 600), decision("203.0.113.9", "unblock")])
    recorded(store, [decision("203.0.113.9", until=NOW + 60), decision("203.0.113.9", simulated=True)])
    before = standing.of(store, Subject.parse("203.0.113.9"))
    assert [one.decision for one in before] == [3]
    (longer,) = recorded(store, [decision("203.0.113.9", until=NOW + 120)])
    with store.transaction():
        decisions.refuse(store, longer.id, "too many blocks", now)
    assert standing.of(store, longer.subject) == (before if stands else [])


def test_refusing_what_no_longer_stands_changes_nothing(store: Store) -> None:
    made, _ = recorded(store, [decision("203.0.113.9"), decision("203.0.113.9", until=None)])
    with store.transaction():
        assert decisions.refuse(store, made.id, "late", NOW) == []
    assert [one.decision for one in standing.of(store, made.subject)] == [2]


def test_what_would_have_been_done_is_counted_by_detector(store: Store) -> None:
    recorded(store, [decision("203.0.113.9", simulated=True), decision("203.0.113.10", "throttle", simulated=True)])
    recorded(store, [decision("203.0.113.11")])
    ((origin, counted),) = decisions.simulated_since(store, 0.0).items()
    assert origin.startswith("detector:")
    assert counted == {"block": 1, "throttle": 1}
    assert decisions.simulated_since(store, NOW + 1e6) == {}
