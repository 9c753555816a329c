"""The outbox: each alert once by each channel, whatever dies in between, and never more than it may hold."""

import pytest
from tests.store.samples import NOW

from durward.store import outbox
from durward.store.outbox import KEEP_SECONDS, Posted
from durward.store.store import Store


def post(store: Store, *keys: str, channels: tuple[str, ...] = ("mail",), at: float = NOW) -> int:
    with store.transaction():
        return outbox.post(store, [Posted(key, at, 1, "incident", f'"{key}"', channels) for key in keys])


def compose(store: Store, channel: str = "mail", told: int = 100) -> int:
    rows = [row.id for row in outbox.waiting(store, channel)]
    with store.transaction():
        return outbox.compose(store, channel, rows[:told], 7.0, NOW, settled=rows[told:], held="why")


def settle(store: Store, message: int, state: str, next_at: float = 0.0) -> bool:
    with store.transaction():
        return outbox.settle(store, message, NOW, state=state, detail="what", next_at=next_at)


def claim(store: Store, message: int) -> None:
    with store.transaction():
        outbox.claim(store, message)


def test_a_key_is_posted_once_for_each_channel(store: Store) -> None:
    assert post(store, "a", "b", channels=("mail", "webhook")) == 2
    assert post(store, "b", "c", "c", channels=("mail", "webhook")) == 1
    assert [outbox.waiting_number(store, name) for name in ("mail", "webhook", "syslog")] == [3, 3, 0]


def test_a_message_is_sent_once(store: Store) -> None:
    post(store, "a", "b")
    message = compose(store)
    assert outbox.waiting(store, "mail") == []
    claim(store, message)
    assert outbox.due(store, "mail") is None, "nobody else may send it meanwhile"
    assert outbox.payloads(store, message) == ['"a"', '"b"']
    assert settle(store, message, "sent")
    assert not settle(store, message, "waiting"), "what was said first holds"
    assert outbox.account_of(store, "mail") == outbox.Account(7.0, 0, NOW)
    assert post(store, "a") == 0, "the key is known"
    assert outbox.states(store, "mail") == {"sent": 1}


def test_what_failed_is_tried_again_with_the_same_alerts(store: Store) -> None:
    post(store, "a")
    message = compose(store)
    claim(store, message)
    settle(store, message, "waiting", NOW + 15)
    post(store, "b")
    letter = outbox.due(store, "mail")
    assert letter is not None
    assert (letter.id, letter.tries, letter.next_at, letter.detail) == (message, 1, NOW + 15, "what")
    assert outbox.payloads(store, message) == ['"a"']


def test_who_takes_one_message_gets_the_others_at_once(store: Store) -> None:
    post(store, "a")
    failing = compose(store)
    claim(store, failing)
    settle(store, failing, "waiting", NOW + 3600)
    post(store, "b")
    other = compose(store)
    claim(store, other)
    settle(store, other, "sent")
    letter = outbox.due(store, "mail")
    assert letter is not None
    assert (letter.id, letter.next_at) == (failing, NOW)


def test_what_a_dead_sender_was_sending_is_known(store: Store) -> None:
    post(store, "a")
    message = compose(store)
    claim(store, message)
    assert [letter.id for letter in outbox.interrupted(store)] == [message]


def test_a_text_is_kept_until_every_channel_has_told_it(store: Store) -> None:
    post(store, "a", channels=("mail", "webhook"))
    for channel, rest in (("mail", ['"a"']), ("webhook", [""])):
        message = compose(store, channel)
        claim(store, message)
        settle(store, message, "sent")
        assert outbox.payloads(store, message) == rest


def test_beyond_what_may_wait_alerts_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAITING_MAX", 3)
    assert post(store, *(f"key {number}" for number in range(10))) == 3
    assert outbox.account_of(store, "mail").dropped == 7
    letter = outbox.by_id(store, compose(store, told=1))
    assert letter.more == 2 + 7
    assert outbox.account_of(store, "mail").dropped == 0
    assert store.read("SELECT count(*) FROM alert") == [(1,)], "what is only counted takes no room"


def test_what_is_old_is_forgotten_and_what_waits_is_not(store: Store) -> None:
    post(store, "old", at=NOW - KEEP_SECONDS - 1)
    done = compose(store)
    claim(store, done)
    settle(store, done, "sent")
    post(store, "waits", at=NOW - KEEP_SECONDS - 1)
    with store.transaction():
        assert outbox.prune(store, NOW) == 1
    with store.transaction():
        assert outbox.prune(store, NOW + KEEP_SECONDS + 1) == 1, "the message itself, a month after it was sent"
    assert [row.at for row in outbox.waiting(store, "mail")] == [NOW - KEEP_SECONDS - 1]
    assert outbox.latest(store, 10) == []


def test_never_more_are_kept_than_may_be(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "ALERTS_MAX", 2)
    monkeypatch.setattr(outbox, "MESSAGES_MAX", 1)
    for key in "abcd":
        post(store, key)
        message = compose(store)
        claim(store, message)
        settle(store, message, "sent")
    with store.transaction():
        outbox.prune(store, NOW)
    assert [store.read(f"SELECT count(*) FROM {table}") for table in ("alert", "message")] == [[(2,)], [(1,)]]


def test_why_a_message_was_given_up_is_known_until_another_is_sent(store: Store) -> None:
    for key, state in (("a", "failed"), ("b", "sent")):
        post(store, key)
        message = compose(store)
        claim(store, message)
        settle(store, message, state)
        assert outbox.failure(store, "mail") == ("what" if state == "failed" else "")


def test_there_is_no_such_message(store: Store) -> None:
    with pytest.raises(LookupError):
        outbox.by_id(store, 4711)
    assert outbox.unsent(store, "mail") == 0
