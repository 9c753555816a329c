"""Counting by a card's data: by which key, what has to differ, which lines count, and what the reason says."""

from typing import Any

import pytest
from tests.engine.samples import HERE, NOW, event, threshold

from durward.catalog.counting import Counting as Card
from durward.engine.counting import Counting
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Event, Incident, Subject

HEARS = frozenset({"auth.failure"})


def counting(card: Card, **limits: Any) -> Counting:
    return Counting("mine", DetectorPolicy(threshold(**limits), HEARS, counting=card), Room())


def fed(to: Counting, events: list[Event]) -> list[Incident]:
    found: list[Incident] = []
    for one in events:
        subject = Subject.parse(one.source_ip) if one.source_ip else None
        found += to.feed(one, subject, one.at)
    return found


def test_hits_of_a_source_per_service() -> None:
    mine = counting(Card(says="{count} {service} hits of {source} in {span}"), count=3)
    events = [event(at, service=service) for at in range(2) for service in ("sshd", "exim")]
    assert fed(mine, events) == []
    assert mine.nearest(Subject.parse(HERE)) == (2, 3)
    (incident,) = fed(mine, [event(9)])
    assert (incident.subject.value, incident.count, incident.threshold) == (HERE, 3, 3)
    assert incident.reason == f"3 sshd hits of {HERE} in 9 s"
    assert len(incident.evidence) == 3


def test_all_services_together() -> None:
    mine = counting(Card(apart=False), count=3)
    assert len(fed(mine, [event(at, service=f"s{at}") for at in range(3)])) == 1


@pytest.mark.parametrize(
    ("key", "fields", "subject"),
    [
        ("account", {"user_name": "bob"}, Subject("user", "bob")),
        ("about", {"about": "/home/bob"}, Subject("file", "/home/bob")),
        ("network", {}, Subject.parse("203.0.113.0/24")),
        ("source+account", {"user_name": "bob"}, Subject.parse(HERE)),
    ],
)
def test_keys(key: Any, fields: dict[str, str], subject: Subject) -> None:
    (incident,) = fed(counting(Card(key=key), count=2), [event(at, **fields) for at in range(2)])
    assert incident.subject == subject
    assert incident.account == (fields.get("user_name") if "account" in key else None)


@pytest.mark.parametrize("key", ["account", "about", "source"])
def test_what_names_no_key_counts_for_nobody(key: Any) -> None:
    assert fed(counting(Card(key=key), count=1), [event(0, None)]) == []


def test_a_pair_of_source_and_account_is_counted_apart_from_others() -> None:
    mine = counting(Card(key="source+account"), count=3)
    assert fed(mine, [event(at, user_name=f"u{at % 2}") for at in range(4)]) == []
    assert len(fed(mine, [event(9, user_name="u1")])) == 1
    mine.forget(Subject.parse(HERE))
    assert fed(mine, [event(10 + at, user_name="u0") for at in range(2)]) == []


def test_what_has_to_differ() -> None:
    mine = counting(Card(distinct="account", says="{distinct} accounts"), count=4, distinct=3)
    assert fed(mine, [event(at, user_name="bob") for at in range(50)]) == []
    found = fed(mine, [event(60 + at, user_name=f"u{at}") for at in range(2)])
    assert [one.reason for one in found] == ["3 accounts"]


def test_lines_that_are_only_worth_knowing_count_where_the_card_says_so() -> None:
    known = [event(at, hits=0) for at in range(5)]
    assert fed(counting(Card(), count=5), known) == []
    assert len(fed(counting(Card(unit="events"), count=5), known)) == 1


def test_only_what_is_about_the_right_thing() -> None:
    mine = counting(Card(only_about=frozenset({"imap"})), count=2)
    assert fed(mine, [event(at, about="pop3") for at in range(9)]) == []
    assert len(fed(mine, [event(10 + at, about="imap") for at in range(2)])) == 1


def test_a_large_threshold_is_exact() -> None:
    mine = counting(Card(), count=5000, within=10_000)
    assert fed(mine, [event(at) for at in range(4999)]) == []
    assert len(fed(mine, [event(4999)])) == 1


def test_a_value_is_never_read_as_a_field() -> None:
    mine = counting(Card(key="account", says="{account} {count}"), count=1)
    assert [one.reason for one in fed(mine, [event(user_name="{count}")])] == ["{count} 1"]


def test_old_hits_are_let_go() -> None:
    mine = counting(Card(distinct="account"), count=3, within=60)
    fed(mine, [event(at, user_name="bob") for at in range(2)])
    mine.tick(NOW + 120)
    assert mine.nearest(Subject.parse(HERE)) == (0, 3)
