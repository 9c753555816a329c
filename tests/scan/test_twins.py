"""A line that comes by two ways is one line; lines that only look alike are as many as they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.samples import event

from durward.catalog.service_card import PENDING
from durward.model import Event
from durward.scan.twins import SOURCES_MAX, WAITING_MAX, Twins

FILE, JOURNAL, OWN_LOG = "file:/var/log/auth.log", "journal", "file:/var/log/proftpd/proftpd.log"
MESSAGE = b"Failed password for root from 203.0.113.9 port 40022 ssh2"


def line(source: str, message: bytes = MESSAGE, session: str = "4001", **fields: str | int) -> Event:
    """An event of one line: each source puts an envelope of its own around the message."""
    stamp = b"Nov 23 08:10:00 host sshd[4001]" if source == FILE else b"sshd[4001]"
    return event(source=source, line=stamp + b": " + message, session=session, **fields)


def passed(twins: Twins, *events: Event) -> list[str]:
    return [one.source for one in twins.only_first(list(events))]


def test_whichever_comes_first_passes_and_its_twin_does_not() -> None:
    for first, second in ((FILE, JOURNAL), (JOURNAL, FILE)):
        twins = Twins()
        assert passed(twins, line(first)) == [first]
        assert passed(twins, line(second)) == []
        assert passed(twins, line(second)) == [second], "its twin is yet to come"


def test_what_is_pending_stands_for_no_attempt_of_another_log() -> None:
    twins = Twins()
    assert passed(twins, line(JOURNAL, b"authentication failure", hits=PENDING), line(OWN_LOG)) == [JOURNAL, OWN_LOG]
    assert passed(twins, line(FILE, b"authentication failure", hits=PENDING)) == [], "but it is one line"


def test_the_same_line_twice_from_one_source_is_two_lines() -> None:
    twins = Twins()
    assert passed(twins, line(FILE), line(FILE), line(FILE)) == [FILE] * 3
    assert passed(twins, line(JOURNAL), line(JOURNAL), line(JOURNAL)) == []
    assert passed(twins, line(JOURNAL)) == [JOURNAL]


def test_other_messages_sessions_and_services_are_no_twins() -> None:
    others = [line(JOURNAL, b"another"), line(JOURNAL, session="4002"), line(JOURNAL, service="dovecot")]
    assert passed(Twins(), line(FILE), *others) == [FILE, JOURNAL, JOURNAL, JOURNAL]


@given(st.lists(st.tuples(st.sampled_from([FILE, JOURNAL]), st.integers(0, 2)), max_size=60))
def test_of_each_line_as_many_pass_as_its_busier_source_has(arrivals: list[tuple[str, int]]) -> None:
    twins, count = Twins(), {}
    for source, number in arrivals:
        count[number] = count.get(number, 0) + len(passed(twins, line(source, b"%d" % number)))
    for number, found in count.items():
        sources = [source for source, other in arrivals if other == number]
        assert found == max(sources.count(FILE), sources.count(JOURNAL))


ERRORS, ACCESS, OTHER = "file:/var/log/x/error.log", "file:/var/log/x/access.log", "file:/var/log/y/access.log"
WRITTEN = {
    ERRORS: b'2026/11/23 08:10:00 [error] 42#42: *1 user "bob": password mismatch, client: 203.0.113.9, server: x',
    ACCESS: b'203.0.113.9 - bob [23/Nov/2026:08:10:00 +0000] "GET / HTTP/1.1" 401 179 "-" "-"',
    OTHER: b'{"remote_addr":"203.0.113.9","status":401,"remote_user":"bob"}',
}
WEB = frozenset({"nginx"})


def request(source: str, **fields: Any) -> Event:
    return event(source=source, line=WRITTEN[source], session=None, **{"service": "nginx", **fields})


def passed_of_web(twins: Twins, *events: Event) -> list[str]:
    return [one.source for one in twins.only_first(list(events), journal=False)]


@given(st.permutations([ERRORS] * 3 + [ACCESS] * 2 + [OTHER]))
def test_a_request_that_a_web_server_writes_of_in_two_logs_is_one(sources: list[str]) -> None:
    assert len(passed_of_web(Twins(WEB), *map(request, sources))) == 3


def test_access_logs_of_two_sites_are_no_twins() -> None:
    assert len(passed_of_web(Twins(WEB), request(ACCESS), request(OTHER), request(ACCESS))) == 3


@pytest.mark.parametrize(
    "fields",
    [{"kind": "http.not_found"}, {"service": "caddy"}, {"source_ip": "203.0.113.10"}, {"hits": 0}, {"source_ip": None}],
)
def test_requests_of_another_kind_server_or_client_are_no_twins(fields: dict[str, Any]) -> None:
    assert len(passed_of_web(Twins(WEB), request(ERRORS), request(ACCESS, **fields))) == 2


def test_which_logs_are_of_which_kind_is_forgotten_in_the_end() -> None:
    twins = Twins(WEB)
    for number in range(SOURCES_MAX + 1):
        twins.only_first([request(ERRORS)._replace(source=f"file:/{number}")])
    assert len(twins._ways) <= SOURCES_MAX


def test_what_has_no_twin_is_forgotten_in_the_end_the_oldest_first() -> None:
    twins = Twins()
    for start in range(0, WAITING_MAX + 2, 1024):
        twins.only_first([line(FILE, b"%d" % number) for number in range(start, start + 1024)])
    assert passed(twins, line(FILE, b"one more")) == [FILE]
    assert len(twins._waiting) <= WAITING_MAX
    assert passed(twins, line(JOURNAL, b"0")) == [JOURNAL], "forgotten, so it counts again"
    assert passed(twins, line(JOURNAL, b"%d" % (WAITING_MAX - 1))) == []
