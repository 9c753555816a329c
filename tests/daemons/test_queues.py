"""Queues are asked for now and then, and not at all where nobody wants to know."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.queues import KIND, Queues

VALUES = {"mode": "enforce", "count": 2001, "every": 300.0}


class Channel:
    """An enforcer that knows one queue, or does not answer."""

    def __init__(self, *, connected: bool = True, answers: bool = True) -> None:
        self.connected, self.answers = connected, answers
        self.asked: list[str] = []

    def ask(self, word: str) -> dict[str, Any]:
        self.asked.append(word)
        if not self.answers:
            raise ChannelError("the enforcer does not answer")
        return {"queues": [["/var/spool/postfix", 42]]}


def queues_of(channel: Channel, **values: Any) -> tuple[Queues, Any]:
    door = SimpleNamespace(channel=channel, degraded="")
    return Queues(VALUES | values, cast("Door", door)), door


def test_a_queue_is_an_event_with_as_many_hits_as_mails() -> None:
    queues, _ = queues_of(Channel())
    assert queues.status() is None
    (event,) = queues.tick(1000.0)
    assert (event.kind, event.about, event.hits, event.at) == (KIND, "/var/spool/postfix", 42, 1000.0)
    assert event.text == "42 mails wait in /var/spool/postfix"
    assert queues.status() == {"/var/spool/postfix": 42}
    assert [one.result for one in queues.findings()] == ["pass"]


def test_it_is_asked_for_no_oftener_than_is_wanted_and_after_the_clock_went_back() -> None:
    channel = Channel()
    queues, _ = queues_of(channel)
    for now in (1000.0, 1100.0, 1299.0, 1300.0, 500.0):
        queues.tick(now)
    assert channel.asked == ["look queues"] * 3


@pytest.mark.parametrize("values", [{"mode": "off"}, {"count": 0}, {"every": 0.0}], ids=str)
def test_nobody_is_asked_where_nobody_wants_to_know(values: dict[str, Any]) -> None:
    channel = Channel()
    queues, _ = queues_of(channel, **values)
    assert queues.tick(1000.0) == []
    assert channel.asked == []


def test_an_enforcer_that_is_away_or_silent_is_no_empty_queue() -> None:
    away, silent = Channel(connected=False), Channel(answers=False)
    assert queues_of(away)[0].tick(1000.0) == []
    assert away.asked == []
    queues, door = queues_of(silent)
    assert queues.tick(1000.0) == []
    assert queues.status() is None
    assert "does not answer" in door.degraded
