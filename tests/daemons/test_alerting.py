"""Alerts in the engine: who is told what and when, what a sender may ask, and what becomes of what he says."""

import json
import select
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, strategies
from tests.store.samples import NOW, decision

from durward.catalog.budgets import Budget, Hours
from durward.catalog.shelf import load_alerts
from durward.daemons import alerting as alerting_module
from durward.daemons.alerting import Alerting
from durward.daemons.desk import MISTAKES, RequestError
from durward.daemons.ledger import Ledger
from durward.messages.wire import read_message
from durward.model import FOREVER, Decision, Finding
from durward.model.alert import Message
from durward.store import outbox


def settings(**own: Any) -> dict[str, dict[str, Any]]:
    """The settings of every channel; mail is on, at once and without limit."""
    values = {card.id: {name: one.default for name, one in card.settings.items()} for card in load_alerts()}
    values["mail"] |= {"enabled": True, "gather": 0.0, "budget": None} | own
    return values


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "durward.db", NOW)
    yield made
    made.close()


class Sender:
    """Asks as the process that sends does."""

    def __init__(self, ledger: Ledger, values: dict[str, dict[str, Any]] | None = None) -> None:
        self.ledger = ledger
        self.alerting = Alerting(ledger, values or settings())

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        (answer,) = self.alerting.answer({"verb": verb, **fields})
        return json.loads(json.dumps(answer))  # type: ignore[no-any-return]

    def claim(self, channel: str = "mail") -> tuple[int, Message]:
        answer = self.ask("claim", channel=channel)
        return answer["id"], read_message(answer["message"])

    def waits(self, channel: str = "mail") -> bool:
        return "wait_seconds" in self.ask("claim", channel=channel)

    def write(self, *made: Decision, refused: dict[int, str] | None = None) -> list[Decision]:
        numbered = self.ledger.number(made)
        self.ledger.write(numbered, {}, time.time(), refused)
        return numbered


def block(subject: str = "203.0.113.9", **other: Any) -> Decision:
    return replace(decision(subject, lines=3), made_at=time.time(), **other)


def test_a_decision_and_its_alert_are_written_together(ledger: Ledger) -> None:
    sender = Sender(ledger)
    (made,) = sender.write(block())
    number, message = sender.claim()
    (alert,) = message.alerts
    assert (alert.subject, alert.decision, len(alert.evidence)) == ("203.0.113.9", made.id, 3)
    assert sender.waits(), "nobody is told twice while it is being sent"
    assert sender.ask("settle", id=number, sent=True) == {"done": True}
    assert sender.waits()


def test_without_a_channel_nothing_is_written(ledger: Ledger) -> None:
    sender = Sender(ledger, settings(enabled=False))
    sender.write(block())
    assert ledger.store.read("SELECT count(*) FROM alert") == [(0,)]
    assert list(sender.alerting.state({}, NOW)) == []
    with pytest.raises(RequestError, match="no channel is switched on"):
        sender.alerting.test({}, NOW)


def test_each_channel_takes_what_it_is_for(ledger: Ledger) -> None:
    values = settings()
    for name in ("hook", "xarf"):
        values[name] |= {"enabled": True, "block": "/bin/true", "to": ("abuse@example.com",)}
    values["mail"] |= {"least": "warning"}
    sender = Sender(ledger, values)
    sender.write(block())
    (refused,) = ledger.number([block("203.0.113.10")])
    ledger.write([refused], {}, NOW, {refused.id: "an administrator is there"})
    sender.write(replace(block(), verdict="unblock", origin="operator:root", incident=None))
    waiting = {name: outbox.waiting_number(ledger.store, name) for name in ("mail", "hook", "xarf")}
    assert waiting == {"mail": 1, "hook": 2, "xarf": 1}
    assert sender.claim()[1].alerts[0].kind == "refused"


def test_a_block_that_ends_is_told_to_those_who_want_it(ledger: Ledger) -> None:
    values = settings()
    values["hook"] |= {"block": "/bin/true"}
    sender = Sender(ledger, values)
    sender.write(block(until=time.time() + 1))
    ledger.expire(time.time() + 2)
    assert outbox.waiting_number(ledger.store, "hook") == 2
    assert outbox.waiting_number(ledger.store, "mail") == 1


def test_beyond_the_budget_there_is_a_digest_that_says_so(ledger: Ledger) -> None:
    sender = Sender(ledger, settings(budget=Budget(2, 3600)))
    for number in range(1, 5):
        made = block(f"203.0.113.{number}")
        assert made.incident is not None
        sender.write(replace(made, incident=replace(made.incident, service=f"service {number}")))
    _, message = sender.claim()
    assert len(message.alerts) == 4
    assert "budget" in message.held
    sender.write(block("203.0.113.77"))
    assert sender.waits()


def test_quiet_hours_let_pass_what_is_critical(ledger: Ledger) -> None:
    local = time.localtime()
    now = local.tm_hour * 3600 + local.tm_min * 60
    sender = Sender(ledger, settings(quiet=Hours((now - 3600) % 86400, (now + 3600) % 86400)))
    sender.write(block())
    assert sender.waits()
    (refused,) = ledger.number([block("203.0.113.10")])
    ledger.write([refused], {}, NOW, {refused.id: "a guard"})
    _, message = sender.claim()
    assert [alert.subject for alert in message.alerts] == ["203.0.113.10"]


def test_what_fails_is_tried_ever_later_and_shown(ledger: Ledger) -> None:
    sender = Sender(ledger)
    sender.write(block())
    number, first = sender.claim()
    sender.ask("settle", id=number, sent=False, detail="no\nroute")
    assert sender.waits()
    assert sender.alerting.problems() == ["alerts by mail do not arrive: no\\x0aroute"]
    with ledger.store.transaction():
        ledger.store.write("UPDATE message SET next_at = 0")
    again, second = sender.claim()
    assert (again, second) == (number, replace(first, attempt=2))
    sender.ask("settle", id=number, sent=False, detail="no")
    letter = outbox.by_id(ledger.store, number)
    assert 20 < letter.next_at - time.time() <= 30


def test_what_can_never_arrive_is_given_up(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    sender = Sender(ledger, settings(give_up=60.0))
    sender.write(block())
    number, _ = sender.claim()
    sender.ask("settle", id=number, sent=False, detail="nobody is named", lasting=True)
    assert outbox.by_id(ledger.store, number).state == "failed"
    assert "given up: nobody is named" in capsys.readouterr().err
    sender.write(block("203.0.113.10"))
    number, _ = sender.claim()
    with ledger.store.transaction():
        ledger.store.write("UPDATE message SET made_at = made_at - 61")
    sender.ask("settle", id=number, sent=False, detail="no")
    assert outbox.by_id(ledger.store, number).state == "failed"


def test_a_second_sender_repeats_what_the_first_left_or_gives_it_up(ledger: Ledger) -> None:
    values = settings()
    values["hook"] |= {"block": "/bin/true"}
    sender = Sender(ledger, values)
    sender.write(block())
    mail, first = sender.claim()
    hook, _ = sender.claim("hook")
    assert sender.ask("begin") == {"channels": ["hook", "mail"]}
    again, second = sender.claim()
    assert (again, second.key, second.alerts) == (mail, first.key, first.alerts)
    assert sender.waits("hook")
    letter = outbox.by_id(ledger.store, hook)
    assert (letter.state, letter.detail) == ("failed", alerting_module.UNSURE)


def test_messages_that_nobody_takes_do_not_stop_the_others_but_some_wait_for_a_digest(ledger: Ledger) -> None:
    sender = Sender(ledger)
    for number in range(alerting_module.UNSENT_MAX):
        sender.write(block(f"203.0.113.{number + 1}"))
        message, _ = sender.claim()
        sender.ask("settle", id=message, sent=False, detail="no")
    sender.write(block("203.0.113.77"), block("203.0.113.78"))
    assert sender.waits()
    assert outbox.waiting_number(ledger.store, "mail") == 2


def test_what_stays_wrong_is_told_and_what_passes_is_not(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting_module, "HEED_SECONDS", 0.0)
    sender = Sender(ledger)
    trouble = Finding("durward", "enforcer", "fail", "it does not answer")
    now = time.time()
    sender.alerting.tick(now, lambda: [trouble])
    sender.alerting.tick(now, list)
    assert sender.waits()
    for _ in range(3):
        sender.alerting.tick(now, lambda: [trouble])
    _, message = sender.claim()
    assert [alert.why for alert in message.alerts] == ["it does not answer"]
    assert sender.waits(), "once a day"


def test_what_was_told_to_be_wrong_is_told_when_it_is_right_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting_module, "HEED_SECONDS", 0.0)
    sender = Sender(ledger)
    trouble = Finding("syslog", "liveness", "fail", "a line of ours did not arrive")
    now = time.time()
    for troubles in ([trouble], [trouble], [], []):
        sender.alerting.tick(now, lambda found=tuple(troubles): found)  # type: ignore[misc]
    told = []
    while "message" in (handed := sender.ask("claim", channel="mail")):
        told += [(alert.what, alert.severity) for alert in read_message(handed["message"]).alerts]
        sender.ask("settle", id=handed["id"], sent=True)
    assert told == [
        ("syslog: liveness is not as it should be", "critical"),
        ("syslog: liveness is as it should be again", "notice"),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"verb": "block"},
        {"verb": "claim"},
        {"verb": "claim", "channel": "webhook"},
        {"verb": "claim", "channel": "x"},
    ],
)
def test_a_sender_may_ask_nothing_else(ledger: Ledger, asked: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        Sender(ledger).alerting.answer(asked)


NUMBERS = strategies.integers() | strategies.floats() | strategies.text() | strategies.none()


@given(
    strategies.fixed_dictionaries(
        {"verb": strategies.sampled_from(["claim", "settle", "begin"])},
        optional={"channel": strategies.just("mail") | NUMBERS, "id": NUMBERS, "sent": NUMBERS, "detail": NUMBERS},
    )
)
def test_no_question_of_a_sender_ends_the_engine(asked: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger(Path(directory) / "durward.db", NOW)
        try:
            list(Sender(ledger).alerting.answer(asked))
        except MISTAKES:
            pass
        finally:
            ledger.close()


def test_a_follower_hears_of_news(ledger: Ledger, tmp_path: Path) -> None:
    sender, epoll = Sender(ledger), select.epoll()
    sender.alerting.open(tmp_path / "alerts.sock", epoll)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as follower:
        follower.connect(str(tmp_path / "alerts.sock"))
        follower.sendall(b'{"verb": "follow", "follow": true}\n')
        for _ in range(2):
            for descriptor, happened in epoll.poll(1):
                assert sender.alerting.handle(descriptor, happened)
        sender.write(block())
        sender.alerting.notify()
        follower.settimeout(5)
        assert follower.recv(100) == b'{"news": true}\n'
    desk = sender.alerting._desk
    assert desk is not None
    for client in list(desk._clients.values()):
        desk._part(client)
    desk._listener.close()
    epoll.close()


def test_a_full_disk_loses_no_alert(ledger: Ledger) -> None:
    sender = Sender(ledger)
    ((pages,),) = ledger.store.read("PRAGMA page_count")
    ledger.store.read(f"PRAGMA max_page_count = {pages}")
    for number in range(300):
        sender.write(block(f"203.0.113.{number % 250 + 1}"))
    assert ledger.degraded
    ledger.store.read("PRAGMA max_page_count = 1073741823")
    ledger.write([], {}, time.time())
    sender.write(block("198.51.100.7"))
    assert outbox.waiting_number(ledger.store, "mail") == 301


def test_a_test_goes_at_once(ledger: Ledger) -> None:
    sender = Sender(ledger, settings(budget=Budget(1, 86400), gather=3600.0))
    (sent,) = sender.alerting.test({"channel": "mail"}, time.time())
    number, message = sender.claim()
    assert (number, message.alerts[0].kind) == (sent["message"], "test")
    (found,) = sender.alerting.state({"message": number}, NOW)
    assert found["state"] == "sending"
    with pytest.raises(RequestError, match="is not used"):
        sender.alerting.test({"channel": "webhook"}, NOW)
    with pytest.raises(RequestError, match="there is no message"):
        sender.alerting.state({"message": 99}, NOW)


class Wanted:
    """What people want to hear of one detector."""

    def __init__(self, **values: Any) -> None:
        self.values = {"alert": True, "block_for": 3600.0} | values

    def of(self, _service: str) -> dict[str, Any]:
        return self.values


@pytest.mark.parametrize(
    ("wanted", "until", "told"),
    [
        ({}, 60.0, True),
        ({"alert": False}, 60.0, False),
        ({"alert": False}, None, False),
        ({"alert_temporary": False}, 60.0, False),
        ({"alert_temporary": False}, None, True),
        ({"alert_permanent": False}, None, False),
        ({"alert_permanent": False}, 60.0, True),
        ({"alert_permanent": False, "block_for": FOREVER}, None, True),
    ],
)
def test_people_say_of_which_detectors_they_hear_and_programs_are_run_anyway(
    ledger: Ledger, wanted: dict[str, Any], until: float | None, *, told: bool
) -> None:
    values = settings()
    values["hook"] |= {"block": "/bin/true"}
    sender = Sender(ledger, values)
    sender.alerting = Alerting(ledger, values, cast("Any", {"brute_force": Wanted(**wanted)}))
    sender.write(block(until=None if until is None else time.time() + until))
    waiting = {name: outbox.waiting_number(ledger.store, name) for name in ("mail", "hook")}
    assert waiting == {"mail": int(told), "hook": 1}
    (refused,) = ledger.number([block("203.0.113.10")])
    ledger.write([refused], {}, NOW, {refused.id: "an administrator is there"})
    assert outbox.waiting_number(ledger.store, "mail") == int(told) + 1, "what a guard refused is told in any case"


def test_an_account_has_its_program_run_once_for_all_its_addresses(ledger: Ledger) -> None:
    values = settings()
    values["hook"] |= {"account": "/bin/true"}
    sender = Sender(ledger, values)
    at = time.time()
    made = [block(f"203.0.113.{last}") for last in (9, 10, 11)]
    named = [replace(one, made_at=at, incident=replace(one.incident, account="shop")) for one in made if one.incident]
    sender.write(*named)
    message = sender.claim("hook")[1]
    kinds = [alert.kind for alert in message.alerts]
    while not sender.waits("hook"):
        pass
    assert outbox.waiting_number(ledger.store, "mail") == 3
    assert kinds[0] in {"block", "account"}
    assert ledger.store.read("SELECT count(*) FROM alert WHERE key LIKE 'account:%'") == [(1,)]
