"""Logins that are told: what the reason says, how grave it is, what is known of the network, and what is never told."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from tests.engine.samples import NOW, SUBJECT, event, threshold

from durward.detectors import ssh_logins
from durward.detectors.ssh_logins import Detector
from durward.engine.deciding import Deciding
from durward.engine.engine import Engine
from durward.engine.escalation import Escalation
from durward.engine.familiar import NETWORK_SECONDS
from durward.engine.policy import DetectorPolicy, Policy
from durward.engine.room import Room
from durward.model import Event, Incident, Subject

KEY = "SHA256:J1kUyVk2oMvWq0dD3Qw9ZkYVbR0fT7n8sL5xHc4eAgI"
TOLD = threshold(count=1, within=3600.0, block=0.0, name="SSH", remedy="alert")
KINDS = frozenset({"auth.success", "session.opened", "privilege.changed", "auth.failure", "access.denied"})


def policy(**values: Any) -> DetectorPolicy:
    return DetectorPolicy(TOLD, KINDS, {}, values=MappingProxyType(values))


def detector(room: Room | None = None, **values: Any) -> Detector:
    return Detector("ssh_logins", policy(**values), room or Room())


def login(at: float = 0.0, **other: Any) -> Event:
    return event(at, **{"kind": "auth.success", "user_name": "bob", "hits": 0, "about": KEY} | other)


def feed(to: Detector, one: Event, subject: Subject | None = SUBJECT) -> Incident | None:
    found = to.feed(one, subject, one.at)
    return found[0] if found else None


def test_a_login_says_who_how_from_where_and_whether_for_the_first_time() -> None:
    to = detector()
    first = feed(to, login())
    assert first is not None
    assert first.reason == (
        f"bob logged in by SSH from {SUBJECT.value}, for the first time from this network (203.0.113.0/24), "
        f"with the key {KEY}"
    )
    assert (first.severity, first.account, first.subject, len(first.evidence)) == ("warning", "bob", SUBJECT, 1)
    neighbour = Subject("address", "203.0.113.77")
    second = feed(to, login(60.0, source_ip=neighbour.value), neighbour)
    assert second is not None
    assert "not for the first time from this network" in second.reason
    assert (second.severity, second.familiar) == ("notice", True)
    other = feed(to, login(61.0, user_name="anna"))
    assert other is not None
    assert ", for the first time" in other.reason, "it is the account that is known there"


def test_the_silence_begins_anew_with_each_login_that_is_like_it() -> None:
    to = detector()
    told = [feed(to, login(minutes * 60.0)) is not None for minutes in (0, 50, 100, 150, 211)]
    assert told == [True, False, False, False, True]


def test_another_key_another_account_and_another_address_are_other_logins() -> None:
    to = detector()
    assert feed(to, login()) is not None
    assert feed(to, login(1.0, about="password")) is not None
    assert feed(to, login(2.0, user_name="anna")) is not None
    assert feed(to, login(3.0, source_ip="203.0.113.77"), Subject("address", "203.0.113.77")) is not None
    assert feed(to, login(4.0)) is None


def test_a_network_is_known_for_three_months_after_the_last_login() -> None:
    to = detector()
    assert feed(to, login()) is not None
    again = feed(to, login(NETWORK_SECONDS))
    assert again is not None
    assert again.familiar
    late = feed(to, login(2 * NETWORK_SECONDS + 1))
    assert late is not None
    assert ", for the first time" in late.reason


def test_an_ignored_address_is_only_written_down() -> None:
    found = feed(detector(), login(), None)
    assert found is not None
    assert (found.severity, found.subject) == ("info", SUBJECT)
    assert "first time" not in found.reason


@pytest.mark.parametrize(
    ("kind", "about", "reason", "severity"),
    [
        ("privilege.changed", "root", "bob became root by SSH", "notice"),
        ("privilege.changed", None, "bob became another account by SSH", "notice"),
        ("auth.failure", "root", "bob failed to become root by SSH", "warning"),
        ("access.denied", "root", "bob was refused when trying to become root by SSH", "warning"),
        ("session.opened", "/dev/tty1", "bob logged in by SSH at /dev/tty1", "warning"),
        ("session.opened", None, "bob logged in by SSH", "notice"),
        ("auth.success", "password", "bob logged in by SSH, by password", "notice"),
        (
            "auth.success",
            ":".join(["ab"] * 16),
            f"bob logged in by SSH, with the key {':'.join(['ab'] * 16)}",
            "notice",
        ),
    ],
)
def test_without_an_address_it_is_about_the_account(kind: str, about: str | None, reason: str, severity: str) -> None:
    found = feed(detector(), login(kind=kind, about=about, source_ip=None), None)
    assert found is not None
    assert (found.reason, found.severity, found.subject) == (reason, severity, Subject("user", "bob"))


def test_only_those_who_are_named_and_nobody_who_is_named_as_the_exception() -> None:
    to = detector(accounts=("root@*", "Admin"), unless=("root@pbs",))
    told = {name: feed(to, login(user_name=name)) is not None for name in ("root@pam", "ADMIN", "bob", "root@pbs", "")}
    assert told == {"root@pam": True, "ADMIN": True, "bob": False, "root@pbs": False, "": False}


def test_only_failures_where_that_is_wanted() -> None:
    to = detector(only_failures=True)
    assert feed(to, login(kind="privilege.changed", about="root")) is None
    assert feed(to, login(kind="access.denied", about="root")) is not None


def test_forgetting_an_address_has_its_next_login_told() -> None:
    to = detector()
    assert feed(to, login()) is not None
    to.forget(SUBJECT)
    assert feed(to, login(1.0)) is not None


def test_what_was_told_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_logins, "TOLD_MAX", 10)
    to = detector()
    for number in range(100):
        assert feed(to, login(float(number), user_name=f"user{number}")) is not None
        assert len(to._told) <= 10
    to.tick(NOW + 100 + 3600)
    assert to._told == {}


def test_who_is_blocked_and_comes_in_all_the_same_is_told_of() -> None:
    """His last guess was right, or his connection was open: the worst that can happen is not to be passed over."""
    of_logins = policy()
    engine = Engine(Policy({"ssh_logins": of_logins}), {"ssh_logins": Detector("ssh_logins", of_logins, Room())})
    engine.block(SUBJECT, None)
    (decision,) = engine.feed(login())
    assert (decision.verdict, decision.subject) == ("alert", SUBJECT)
    assert not engine.room.familiar.is_familiar(SUBJECT, NOW)


def test_two_accounts_of_one_address_are_decided_apart() -> None:
    deciding = Deciding(
        Policy({"ssh_logins": replace(policy(), default=replace(TOLD, block_seconds=3600.0))}), Escalation(None)
    )
    to = detector()
    incidents = [feed(to, login(user_name=name)) for name in ("bob", "anna", "bob")]
    decided = deciding.decide([one for one in incidents if one is not None], NOW)
    assert [one.incident.account for one in decided if one.incident] == ["bob", "anna"]
