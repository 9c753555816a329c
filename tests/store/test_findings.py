"""The last outcome of each check is kept, with how long it has been so."""

import pytest
from tests.store.samples import NOW

from durward.model import Finding
from durward.store import findings
from durward.store.findings import Known
from durward.store.store import Store

BAD = Finding("sshd.root_login", "/etc/ssh/sshd_config", "fail", "PermitRootLogin yes")
GOOD = Finding("sshd.root_login", "/etc/ssh/sshd_config", "pass", "PermitRootLogin no")


def report(store: Store, found: list[Finding], now: float) -> None:
    with store.transaction():
        findings.report(store, found, now)


def test_a_result_is_as_old_as_its_first_sighting_in_a_row(store: Store) -> None:
    report(store, [BAD], NOW)
    worse = Finding(BAD.check, BAD.subject, "fail", "PermitRootLogin yes, in two files")
    report(store, [worse], NOW + 1)
    assert findings.known(store) == [Known(worse, NOW, NOW + 1)]
    report(store, [GOOD], NOW + 2)
    assert findings.known(store) == [Known(GOOD, NOW + 2, NOW + 2)]


def test_findings_are_withdrawn_by_check_and_by_subject(store: Store) -> None:
    report(store, [BAD, Finding(BAD.check, "other", "fail", ""), Finding("mounts.tmp", "/tmp", "pass", "")], NOW)
    with store.transaction():
        assert findings.withdraw(store, BAD.check, "other") == 1
    assert [known.finding.check for known in findings.known(store)] == ["mounts.tmp", BAD.check]
    with store.transaction():
        assert findings.withdraw(store, BAD.check) == 1
    assert len(findings.known(store)) == 1


def test_of_too_many_the_ones_not_seen_for_longest_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "FINDINGS_MAX", 3)
    for place in range(5):
        report(store, [Finding("check", str(place), "fail", "")], NOW + place)
    assert [known.finding.subject for known in findings.known(store)] == ["2", "3", "4"]
