"""The scanner: the same events however a log is cut into blocks, in order, and no harm from any bytes."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scan.cards import card

import durward.services
from durward.catalog.document import ProblemsError
from durward.catalog.service_card import load_services
from durward.model import Event
from durward.model.event import TEXT_BYTES_MAX
from durward.scan.grammar import LINE_BYTES_MAX
from durward.scan.scanner import PREFILTERS_MAX, Scanner
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0
SSHD = Scanner([one for one in load_services([Path(path) for path in durward.services.__path__]) if one.id == "sshd"])
START = b"Nov 23 08:10:00 web1 sshd[4242]: "
LINES = (
    START + b"Failed password for root from 203.0.113.9 port 40022 ssh2",
    START + b"Failed password for invalid user bob smith from 203.0.113.10 port 40022 ssh2",
    START + b"Failed password for invalid user x from 198.51.100.7 port 1 from 203.0.113.9 port 40022 ssh2",
    START + b"Invalid user  from 2001:db8::9 port 40022",
    START + b"Connection closed by 203.0.113.9 port 40022 [preauth]",
    START + b"Connection closed by 203.0.113.9 port 40022",
    b"2026-11-23T08:10:00.5+00:00 web1 sshd-session[77]: Accepted publickey for bob from 192.0.2.7 port 5 ssh2: RSA x",
    b"<38>1 2026-11-23T08:10:00Z web1 sshd 42 - - Failed password for root from 203.0.113.11 port 40022 ssh2",
    b"web1 sshd[9]: message repeated 2 times: [ Failed password for root from 203.0.113.12 port 4 ssh2]",
    b"Nov 23 08:10:01 web1 CRON[1]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    START + b"Failed password for \xff\xfe\x00 from 203.0.113.13 port 40022 ssh2",
    START + b"Failed password for root from 203.0.113.14 port 40022 ssh2\r",
    b"",
    b"\x00\x00\x00",
    b"Failed " * 3,
)


def scan(scanner: Scanner, block: bytes, position: int = 0, services: frozenset[str] | None = None) -> list[Event]:
    return scanner.events(
        block, source="file:log", position=position, observed_at=NOW, calendar=Calendar(NOW), services=services
    )


def test_an_event_says_all_that_the_line_does() -> None:
    block = LINES[9] + b"\n" + LINES[0] + b"\n"
    assert scan(SSHD, block, position=1000) == [
        Event(
            kind="auth.failure",
            at=1_795_421_400.0,
            observed_at=NOW,
            service="sshd",
            source="file:log",
            position=1000 + len(LINES[9]) + 1,
            line=LINES[0],
            source_ip="203.0.113.9",
            source_port=40022,
            source_host=None,
            user_name="root",
            session="4242",
            hits=1,
        )
    ]


def test_a_stamp_that_many_services_write_is_syslog_s_where_services_are_named() -> None:
    line = LINES[0].replace(b"Nov 23", b"2026-11-23")
    assert scan(SSHD, line) == []
    (event,) = scan(SSHD, line, services=frozenset({"sshd"}))
    assert (event.source_ip, event.at) == ("203.0.113.9", 1_795_421_400.0)


@pytest.mark.parametrize("hole", ["ip", "ip_or_host"])
@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::7"])
def test_a_dot_behind_an_address_is_none_of_it(hole: str, address: str) -> None:
    scanner = Scanner([card(f"refused at {{{hole}}}", rf"refused at {{{hole}}}\.", programs=("sshd",))])
    for end in ("", ".", ". "):
        (event,) = scan(scanner, START + f"refused at {address}{end}".encode())
        assert event.source_ip == address


def test_a_last_line_without_its_end_is_a_line() -> None:
    assert [event.line for event in scan(SSHD, LINES[0])] == [LINES[0]]


@given(st.lists(st.sampled_from(LINES), max_size=30), st.data())
def test_cutting_a_log_into_blocks_changes_nothing(lines: list[bytes], data: st.DataObject) -> None:
    log = b"".join(line + b"\n" for line in lines)
    ends = [0, *(place + 1 for place, byte in enumerate(log) if byte == 10)]
    cuts = sorted({0, len(log), *data.draw(st.lists(st.sampled_from(ends)))})
    pieces = [event for start, end in pairwise(cuts) for event in scan(SSHD, log[start:end], position=start)]
    assert pieces == scan(SSHD, log)
    assert [event.position for event in pieces] == sorted({event.position for event in pieces})
    for event in pieces:
        assert log[event.position :].startswith(event.line)


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_a_line_gives_the_same_among_others_as_alone(lines: list[bytes]) -> None:
    together = scan(SSHD, b"\n".join(lines))
    alone = [event for line in lines for event in scan(SSHD, line)]
    assert [event._replace(position=0) for event in together] == [event._replace(position=0) for event in alone]


@given(st.lists(st.binary(max_size=60) | st.sampled_from(LINES), max_size=8).map(b" ".join))
@settings(max_examples=300)
def test_no_bytes_do_harm(block: bytes) -> None:
    for event in scan(SSHD, block):
        assert event.source_ip is None or event.source_ip.encode() in block


@given(st.sampled_from(LINES), st.integers(0, 120), st.binary(min_size=1, max_size=3))
def test_a_damaged_line_is_the_true_peer_s_or_nobody_s(line: bytes, place: int, damage: bytes) -> None:
    damaged = line[:place] + damage.replace(b"\n", b"") + line[place:]
    intact = {event.source_ip for event in scan(SSHD, line)}
    within = new_words(line, damaged)
    assert {event.source_ip for event in scan(SSHD, damaged)} <= intact | within | {None}


def new_words(line: bytes, damaged: bytes) -> set[str]:
    """Addresses of a damaged line that its intact one does not have: where the damage fell into the address itself."""
    return {word.decode("latin-1").rstrip(":") for word in set(damaged.split()) - set(line.split())}


def test_a_line_of_a_megabyte_gives_nothing_and_its_neighbours_all() -> None:
    huge = START + b"Failed password for " + b"x" * 1_000_000 + b" from 203.0.113.99 port 40022 ssh2"
    events = scan(SSHD, b"\n".join([LINES[0], huge, LINES[4]]))
    assert [event.source_ip for event in events] == ["203.0.113.9", "203.0.113.9"]


def test_long_lines_up_to_the_bound() -> None:
    name = b"x" * (LINE_BYTES_MAX + 1)
    line = START + b"Bad protocol version identification '" + name + b"' from 203.0.113.9 port 1"
    assert scan(SSHD, line) == []
    short = START + b"Bad protocol version identification '" + b"x" * 900 + b"' from 203.0.113.9 port 1"
    assert [event.source_ip for event in scan(SSHD, short)] == ["203.0.113.9"]
    padded = START + b"Bad protocol version identification '" + b"x" * 1020 + b"' from 203.0.113.9 port 1"
    assert [len(event.line) for event in scan(SSHD, padded)] == [TEXT_BYTES_MAX]


def test_only_the_services_that_a_source_is_read_for() -> None:
    scanner = Scanner([card("knock from {ip}"), card("knock from {ip} again", name="gate", programs=("gated",))])
    block = b"h doord[1]: knock from 203.0.113.9\nh gated[1]: knock from 203.0.113.9 again\n"
    assert [event.service for event in scan(scanner, block)] == ["door", "gate"]
    assert [event.service for event in scan(scanner, block, services=frozenset({"gate"}))] == ["gate"]
    assert scan(scanner, block, services=frozenset()) == []
    for number in range(PREFILTERS_MAX * 2):
        scan(scanner, block, services=frozenset({f"service{number}"}))
    assert [event.service for event in scan(scanner, block)] == ["door", "gate"]


def test_a_scanner_without_cards_finds_nothing() -> None:
    assert scan(Scanner([]), LINES[0]) == []


def test_two_readings_that_disagree_leave_nobody() -> None:
    scanner = Scanner([card("knock of {user} from {ip}(?:: {text})?", "knock of {user} at {ip}")])
    assert [event.source_ip for event in scan(scanner, b"h doord: knock of bob from 203.0.113.9")] == ["203.0.113.9"]
    assert scan(scanner, b"h doord: knock of x from 198.51.100.7: at 203.0.113.9") == []
    assert scan(scanner, b"h doord: knock of x from 198.51.100.7: y from 203.0.113.9") == []


def test_every_bad_pattern_is_a_problem_with_its_line() -> None:
    with pytest.raises(ProblemsError) as error:
        Scanner([card("fine from {ip}", "(bad) from {ip}", "{user}{ip} worse", "{ip}")])
    assert [problem.line for problem in error.value.problems] == [2, 3, 4]


def test_which_rule_is_at_work() -> None:
    rule = SSHD.rule_for(LINES[0])
    assert rule is not None
    assert rule.line.startswith("Failed {word} for")
    assert SSHD.rule_for(LINES[5]) is None
