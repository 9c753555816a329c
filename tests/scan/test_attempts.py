"""An attempt that several logs tell of counts once, and two attempts count twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.samples import event

from durward.model import Event
from durward.scan.attempts import ENTRIES_MAX, WITHIN_SECONDS, Attempts
from durward.scan.twins import WAITING_MAX, Twins

AUTH, OWN, SITE_ONE, SITE_TWO = "file:/var/log/auth.log", "file:/var/log/vsftpd.log", "file:/s/1.log", "file:/s/2.log"
WRITTEN = {
    AUTH: b"Nov 23 08:10:00 host vsftpd[42]: pam_unix(vsftpd:auth): authentication failure; rhost=203.0.113.9 user=bob",
    "journal": b"vsftpd[42]: pam_unix(vsftpd:auth): authentication failure; rhost=203.0.113.9 user=bob",
    OWN: b'Mon Nov 23 08:10:00 2026 [pid 43] [bob] FAIL LOGIN: Client "203.0.113.9"',
}
AT = 1_795_000_000.0


def told(source: str, at: float = AT, **fields: Any) -> Event:
    line = WRITTEN.get(source, b"of " + source.encode())
    standard = {"line": line, "at": at, "service": "vsftpd", "session": None, "user_name": "bob", "hits": 1}
    return event(source=source, **{**standard, **fields})


def hits_of(twins: Twins, *events: Event) -> list[int]:
    return [one.hits for one in twins.only_first(list(events))]


@pytest.mark.parametrize("sources", [(AUTH, OWN), (OWN, AUTH), ("journal", OWN), (OWN, "journal")])
def test_told_by_two_logs_it_counts_once(sources: tuple[str, str]) -> None:
    twins = Twins()
    assert hits_of(twins, told(sources[0])) == [1]
    assert hits_of(twins, told(sources[1], AT + 2.5)) == []
    assert hits_of(twins, told(sources[1], AT + 2.6)) == [1], "its twin is yet to come"


@given(st.lists(st.sampled_from([AUTH, OWN, SITE_ONE]), max_size=30))
def test_of_each_attempt_as_many_pass_as_its_busiest_log_has(sources: list[str]) -> None:
    passed = hits_of(Twins(), *map(told, sources))
    assert sum(passed) == max([sources.count(source) for source in (AUTH, OWN, SITE_ONE)])


@pytest.mark.parametrize(
    "fields",
    [
        {"at": AT + WITHIN_SECONDS + 0.5},
        {"at": AT - WITHIN_SECONDS - 0.5},
        {"user_name": "eve"},
        {"source_ip": "203.0.113.10"},
        {"service": "proftpd"},
        {"kind": "access.denied"},
    ],
)
def test_another_time_account_source_service_or_kind_is_another_attempt(fields: dict[str, Any]) -> None:
    assert hits_of(Twins(), told(AUTH), told(OWN, **fields)) == [1, 1]


def test_a_line_that_names_no_account_may_mean_any() -> None:
    assert hits_of(Twins(), told(AUTH, user_name=None), told(OWN)) == [1]
    assert hits_of(Twins(), told(OWN), told(AUTH, user_name=None)) == [1]
    assert hits_of(Twins(), told(OWN), told(OWN, user_name="eve"), told(AUTH, user_name=None)) == [1, 1]


def test_a_line_that_stands_for_more_counts_for_what_is_new() -> None:
    assert hits_of(Twins(), told(AUTH), told(OWN, hits=3)) == [1, 2]
    assert hits_of(Twins(), told(OWN, hits=3), told(AUTH)) == [3]
    assert hits_of(Twins(), told(AUTH, hits=-1), told(OWN)) == [-1], "a hint is what the attempt was"


def test_syslogs_file_and_the_journal_are_one_log() -> None:
    twins = Twins()
    other = told("journal", line=b"vsftpd[42]: something else about it")
    assert hits_of(twins, told(AUTH), other) == [1, 1], "their lines are compared word by word"


def test_logs_of_several_sites_tell_of_different_things() -> None:
    twins = Twins(log_of=lambda source: "/s/*.log" if "/s/" in source else source)
    assert hits_of(twins, told(SITE_ONE), told(SITE_TWO)) == [1, 1]
    assert hits_of(Twins(), told(SITE_ONE), told(SITE_TWO)) == [1]


def test_what_counts_nothing_passes() -> None:
    assert hits_of(Twins(), told(AUTH, hits=0), told(OWN, hits=0)) == [0, 0]
    assert hits_of(Twins(), told(AUTH, source_ip=None), told(OWN, source_ip=None)) == [1, 1]


def test_services_with_one_log_are_not_looked_at() -> None:
    twins = Twins()
    twins.told_twice = frozenset({"vsftpd"})
    hits_of(twins, told(AUTH, service="sshd"))
    assert not twins._attempts
    hits_of(twins, told(AUTH))
    assert twins._attempts


def test_what_has_no_twin_is_forgotten_in_the_end() -> None:
    twins = Twins()
    for number in range(WAITING_MAX + 2):
        hits_of(twins, told(AUTH, source_ip=f"2001:db8::{number:x}"))
    hits_of(twins, told(AUTH))
    assert len(twins._attempts) <= WAITING_MAX
    attempts = Attempts()
    for number in range(ENTRIES_MAX * 2):
        assert attempts.heard("one", AT + number, 1) == 1
    assert len(attempts) <= ENTRIES_MAX
    assert attempts.heard("other", AT + ENTRIES_MAX * 2 - 1, 1) == 0


def test_a_flood_takes_time_in_proportion_to_its_length() -> None:
    attempts = Attempts()
    steps = [attempts.heard("one" if number % 2 else "other", AT, 1) for number in range(20_000)]
    assert sum(step or 0 for step in steps) == 10_000
