"""Of which decisions people are told: of those that nobody made by hand, each with its undo."""

from dataclasses import replace

import pytest
from tests.store.samples import NOW, decision

from durward.messages import occasions
from durward.model import EVERYTHING, Finding, Standing, Subject


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
