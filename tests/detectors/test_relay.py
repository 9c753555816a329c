"""What the stories of the relay detectors do not say: how much is remembered, and what a hook is to be given."""

from typing import Any

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.detectors import relay
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.messages.occasions import of_account
from durward.model import Decision, Event, Subject

BEGIN = 1_795_421_400.0
CARDS = {card.id: card for card in load_detectors(directories_of("detectors"))}
SERVICES = load_services(directories_of("services"))


def engine_of(card: str, **settings: Any) -> Engine:
    known = {one.id: Known(one.name, one.ports) for one in SERVICES}
    policy = detector_policy(CARDS[card], detector_settings(CARDS[card], settings, SERVICES), known)
    return assemble(Policy({card: policy}), [CARDS[card]])


def mail(number: int, **fields: Any) -> Event:
    given = {"source_ip": "203.0.113.9", "user_name": "bob", "about": "authrelay", "hits": 0} | fields
    at = BEGIN + number
    return Event("mail.relayed", at, at, "exim", "file:mainlog", number, f"mail {number}".encode(), **given)


def test_a_decision_has_what_the_hooks_of_csf_are_given() -> None:
    """RT_ACTION: address or user, class, what was done, count, sample mails. LF_DIST_ACTION: what, account, text."""
    engine = engine_of("relay_authenticated", block_for="1h")
    decisions = [one for number in range(101) for one in engine.feed(mail(number))]
    told, block = decisions
    assert (told.subject, told.verdict) == (Subject("user", "bob"), "alert")
    assert (block.subject, block.verdict) == (Subject.parse("203.0.113.9"), "block")
    for one in decisions:
        assert one.incident is not None
        assert (one.incident.account, one.incident.count) == ("bob", 101)
        assert one.incident.detector == "relay_authenticated"
        assert one.incident.about == "authrelay"
        assert [line.text for line in one.incident.evidence] == [f"mail {number}" for number in range(76, 101)]
        assert "101 recipients" in one.reason
        for_programs = of_account(one, None)
        assert for_programs is not None
        assert (for_programs.account, for_programs.about, for_programs.count) == ("bob", "authrelay", 101)


def test_a_script_s_decision_names_the_directory_with_its_lines() -> None:
    """LF_SCRIPT_ACTION: path, count, sample lines."""
    engine = engine_of("script_mail")
    at = [BEGIN + number for number in range(101)]
    lines = [
        Event("mail.script", one, one, "exim", "file:mainlog", n, f"cwd {n}".encode(), hits=0, about="/home/bob/site")
        for n, one in enumerate(at)
    ]
    (told,) = [one for line in lines for one in engine.feed(line)]
    assert told.subject == Subject("file", "/home/bob/site")
    for_programs = of_account(told, None)
    assert for_programs is not None
    assert (for_programs.subject, for_programs.count) == ("/home/bob/site", 101)
    assert told.incident is not None
    assert told.incident.count == 101
    assert len(told.incident.evidence) == 25


def test_mails_and_logins_are_forgotten_beyond_what_is_remembered(monkeypatch: Any) -> None:
    monkeypatch.setattr(relay, "MAILS_MAX", 2)
    engine = engine_of("relay_authenticated", count=10)
    decided: list[Decision] = []
    for number, session in enumerate("abc"):
        decided += engine.feed(mail(number, session=session))
    assert decided == []
    at = BEGIN + 9
    queued = Event("mail.queued", at, at, "exim", "file:mainlog", 9, b"queue", hits=0, quantity=7)
    assert engine.feed(queued._replace(session="a")) == []  # nobody knows any more whose it is: 3 and not 9
    assert engine.feed(queued._replace(session="b")) == []  # 9
    (told,) = engine.feed(queued._replace(session="c"))  # 15
    assert told.subject == Subject("user", "bob")


def test_a_login_of_a_mail_account_is_no_reason_to_hold_a_detector() -> None:
    """All who are told of here log in well: that is what it is about."""
    engine = engine_of("pop3_logins", count=3)
    blocks = []
    for number in range(30):
        for turn in range(3):
            at = BEGIN + turn
            login = Event("auth.success", at, at, "dovecot", "file:mail.log", number * 3 + turn, b"in")
            blocks += engine.feed(
                login._replace(source_ip=f"203.0.113.{number}", user_name="bob", about="pop3", hits=0)
            )
    assert len(blocks) == 30
    assert not any(one.held for one in blocks)


def test_whoever_hands_mail_in_behind_a_login_is_known() -> None:
    """Exim and Postfix write no other line about such a login."""
    names = ("brute_force", "relay_authenticated")
    known = {one.id: Known(one.name, one.ports) for one in SERVICES}
    policies = {
        name: detector_policy(CARDS[name], detector_settings(CARDS[name], {}, SERVICES), known) for name in names
    }
    engine = assemble(Policy(policies), [CARDS[name] for name in names])
    engine.feed(mail(0))
    failure = Event("auth.failure", BEGIN, BEGIN, "sshd", "file:auth.log", 0, b"wrong", "203.0.113.9", user_name="root")
    (block,) = [one for number in range(5) for one in engine.feed(failure._replace(position=number))]
    assert block.until == BEGIN + 600
    assert [port.number for port in block.scope.ports] == [22]
