"""Of which decisions people are told: of those that nobody made by hand, each with its undo."""

from dataclasses import replace
from typing import Any

import pytest
from tests.store.samples import NOW, decision, incident

from durward.messages import occasions
from durward.model import EVERYTHING, Decision, Finding, Standing, Subject
from durward.model.alert import Alert

SUBJECT = Subject.parse("203.0.113.9")


def test_a_block_says_everything() -> None:
    made = replace(decision("203.0.113.9", lines=5), id=17, receipt="K7QM-2XFD")
    alert = occasions.of_decision(made, None)
    assert alert is not None
    assert (alert.kind, alert.severity, alert.key) == ("block", "notice", "decision:17")
    assert alert.what == "203.0.113.9 is blocked for 1h"
    assert alert.undo == "durward unblock 203.0.113.9"
    assert (alert.detector, alert.service, len(alert.evidence)) == ("brute_force", "sshd", 5)


@pytest.mark.parametrize(
    ("made", "refused", "kind", "severity"),
    [
        (decision("203.0.113.9", until=None), None, "block", "warning"),
        (decision("203.0.113.0/24"), None, "block", "warning"),
        (decision("203.0.113.9", simulated=True), None, "alert", "info"),
        (decision("203.0.113.9"), "an administrator is logged in from there", "refused", "critical"),
        (decision("203.0.113.9", "alert"), None, "alert", "warning"),
        (decision("203.0.113.9", "allow", origin="knock:bob"), None, "allow", "warning"),
        (decision("203.0.113.9", "unblock", origin="operator:root"), None, "unblock", "info"),
    ],
)
def test_how_grave_it_is(made: object, refused: str | None, kind: str, severity: str) -> None:
    alert = occasions.of_decision(made, refused)  # type: ignore[arg-type]
    assert alert is not None
    assert (alert.kind, alert.severity) == (kind, severity)
    assert alert.undo.startswith("durward ")


@pytest.mark.parametrize("origin", ["operator:root", "list:deny.list", "feed:x"])
def test_nobody_is_told_of_what_people_and_lists_did(origin: str) -> None:
    assert occasions.of_decision(decision("203.0.113.9", origin=origin), None) is None


def test_the_end_of_a_block_is_news_and_that_of_an_allowance_is_not() -> None:
    subject = Subject.parse("203.0.113.9")
    alert = occasions.of_expiry(Standing("block", subject, EVERYTHING, NOW, 17), NOW)
    assert alert is not None
    assert (alert.kind, alert.subject, alert.key) == ("unblock", "203.0.113.9", "expiry:17:203.0.113.9")
    assert occasions.of_expiry(Standing("allow", subject, EVERYTHING, NOW, 17), NOW) is None


def test_the_same_trouble_is_told_once_a_day() -> None:
    trouble = Finding("durward", "enforcer", "fail", "it does not answer")
    first, later, tomorrow = (occasions.of_finding(trouble, NOW + hours * 3600) for hours in (0, 1, 24))
    assert first is not None
    assert later is not None
    assert tomorrow is not None
    assert first.key == later.key != tomorrow.key
    assert occasions.of_finding(replace(trouble, result="pass"), NOW) is None


def told(made: Decision, refused: str | None = None) -> Alert:
    alert = occasions.of_decision(made, refused)
    assert alert is not None
    return alert


def login(subject: Subject = SUBJECT, **other: Any) -> Decision:
    reason = "bob logged in by SSH from 203.0.113.9, for the first time"
    values = {"reason": reason, "account": "bob", "severity": "warning", "about": "SHA256:x"} | other
    made = replace(incident(subject), **values)
    return replace(decision("203.0.113.9", "alert"), subject=subject, incident=made, reason=reason)


def test_a_login_says_what_happened_and_what_helps() -> None:
    alert = told(login())
    assert (alert.what, alert.account, alert.about) == (login().reason, "bob", "SHA256:x")
    assert (alert.done, alert.undo) == ("nothing was blocked; you are only told", "durward block 203.0.113.9")
    assert told(login(severity="info")).severity == "info"
    assert told(login(severity=None)).undo == "durward ignore 203.0.113.9"
    of_account = told(login(Subject("user", "bob; reboot")))
    assert of_account.undo == "durward why 'bob; reboot'", "it can be pasted into a shell"


def test_an_alert_that_is_only_watched_says_what_happened_all_the_same() -> None:
    alert = told(replace(login(), simulated=True))
    assert (alert.what, alert.severity) == (login().reason, "info")


def test_that_a_detector_is_held_is_told_once_for_all_whom_it_would_have_blocked() -> None:
    held = "brute_force is held: 4 of the 10 that it would block have logged in well of late"
    made = [replace(decision(f"203.0.113.{last}"), id=last, held=held) for last in (9, 10)]
    first, second = (told(one, held) for one in made)
    assert first.key == second.key
    assert (first.kind, first.severity, first.done) == ("refused", "critical", f"nothing: {held}")
    assert first.undo == "durward status"
    later = replace(made[0], made_at=made[0].made_at + occasions.HELD_SECONDS)
    assert told(later, held).key != first.key


def test_programs_are_told_of_an_account_once() -> None:
    accused = [login(Subject.parse(address), severity=None) for address in ("203.0.113.9", "203.0.113.10")]
    first, second = (occasions.of_account(one, None) for one in accused)
    assert first is not None
    assert second is not None
    assert (first.kind, first.account, first.key) == ("account", "bob", second.key)
    of_login = occasions.of_account(login(), None)
    assert of_login is not None
    assert of_login.kind == "login"
    assert occasions.of_account(decision("203.0.113.9"), None) is None
    assert occasions.of_account(login(), "a guard") is None
    assert occasions.of_account(replace(login(), held="held"), None) is None
    assert occasions.of_account(replace(login(), simulated=True), None) is None
