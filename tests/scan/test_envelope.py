"""Envelopes: every way in which a message of sshd comes wrapped, and nothing that merely looks like one."""

import pytest
from tests.scan.cards import card

from durward.scan.envelope import REPEATED_MAX, Programs, readings, shape_of
from durward.scan.scanner import Scanner

SAID = b"Failed password for root from 203.0.113.9 port 40022 ssh2"


def read(line: bytes, programs: Programs) -> list[tuple[bytes, bytes, bytes]]:
    return [(m.stamp, m.pid, m.text) for m in readings(line, "syslog") if m.program in programs]


@pytest.mark.parametrize(
    ("start", "stamp", "pid"),
    [
        (b"Nov 23 08:10:00 web1 sshd[42]: ", b"Nov 23 08:10:00", b"42"),
        (b"Nov  3 08:10:00 web1 sshd[42]: ", b"Nov  3 08:10:00", b"42"),
        (b"Nov 3 08:10:00 web1 sshd[42]: ", b"Nov 3 08:10:00", b"42"),
        (b"Nov 23 08:10:00 web1 sshd: ", b"Nov 23 08:10:00", b""),
        (b"Nov 23 08:10:00 sshd[42]: ", b"Nov 23 08:10:00", b"42"),
        (b"Nov 23 08:10:00 [sshd]: ", b"Nov 23 08:10:00", b""),
        (b"<86>Nov 23 08:10:00 web1 sshd[42]: ", b"Nov 23 08:10:00", b"42"),
        (b"Nov 23 2026 08:10:00 web1 sshd[42]: ", b"Nov 23 2026 08:10:00", b"42"),
        (b"Nov 23 08:10:00 web1.example.net sshd-session[42]: ", b"Nov 23 08:10:00", b"42"),
        (b"Nov 23 08:10:00 2001:db8::1 sshd[42]: ", b"Nov 23 08:10:00", b"42"),
        (b"Nov 23 08:10:00 web1 sshd[42]: [ID 800047 auth.info] ", b"Nov 23 08:10:00", b"42"),
        (b"web1 sshd[42]: kernel:[  970.699396]: ", b"", b"42"),
        (b"web1 sshd[42]: kernel: [  970.699396] ", b"", b"42"),
        (b"web1 sshd[42]: ", b"", b"42"),
        (b"sshd[42]: ", b"", b"42"),
        (b"2026-11-23T08:10:00.123456+01:00 web1 sshd[42]: ", b"2026-11-23T08:10:00.123456+01:00", b"42"),
        (b"2026-11-23T08:10:00Z web1 sshd[42]: ", b"2026-11-23T08:10:00Z", b"42"),
        (b"2026-11-23 08:10:00.123456 web1 sshd[42]: ", b"2026-11-23 08:10:00.123456", b"42"),
        (b"<38>1 2026-11-23T08:10:00Z web1 sshd 42 - - ", b"2026-11-23T08:10:00Z", b"42"),
        (b'<38>1 2026-11-23T08:10:00Z web1 sshd 42 - [a@1 b="[c]" d="\\"]"][e f="g"] ', b"2026-11-23T08:10:00Z", b"42"),
        (b"<38>1 2026-11-23T08:10:00Z web1 sshd - ID9 - \xef\xbb\xbf", b"2026-11-23T08:10:00Z", b""),
    ],
)
def test_every_syslog(start: bytes, stamp: bytes, pid: bytes) -> None:
    assert read(start + SAID, Programs(["sshd", "sshd-session"])) == [(stamp, pid, SAID)]


@pytest.mark.parametrize(
    "start",
    [
        b"Nov 23 08:10:00 web1 xsshd[42]: ",
        b"Nov 23 08:10:00 web1 sshd2[42]: ",
        b"Nov 23 08:10:00 web1 su[42]: sshd[43]: ",
        b"Nov 23 08:10:00 web1 su[42]: web1 sshd[43]: ",
        b"Nov 23 08:10:00 sshd[41]: sshd[43] sshd[44]: x ",
        b"23 Nov 08:10:00 x y web1 sshd[42]: ",
        b"",
    ],
)
def test_another_program_stays_another_program(start: bytes) -> None:
    assert all(text != SAID for _, _, text in read(start + SAID, Programs(["sshd"])))


def test_programs_with_any_text_inside_and_none_at_all() -> None:
    assert b"postfix/submission/smtpd" in Programs(["postfix/*"])
    assert b"xpostfix/smtpd" not in Programs(["postfix/*"])
    assert b"anything" in Programs([])


def test_repeated_messages_count_as_often_up_to_a_bound() -> None:
    (message,) = [
        m
        for m in readings(b"web1 sshd[42]: message repeated 3 times: [ " + SAID + b"]", "syslog")
        if m.program == b"sshd"
    ]
    assert (message.text, message.repeated) == (SAID, 3)
    line = b"web1 sshd[42]: message repeated 99999 times: [ " + SAID + b"]"
    assert {m.repeated for m in readings(line, "syslog") if m.program == b"sshd"} == {REPEATED_MAX}


@pytest.mark.parametrize(
    "stamp",
    [
        b"[23/Nov/2026:08:10:00 +0000]",
        b"[Mon Nov 23 08:10:00.123 2026]",
        b"2026/11/23 08:10:00",
        b"2026-11-23 08:10:00",
        b"2026-11-23T08:10:00+00:00",
        b"Nov 23 08:10:00",
        b"Mon Nov 23 08:10:00 2026",
        b"1795421400.5",
    ],
)
def test_stamped_lines(stamp: bytes) -> None:
    assert [(m.stamp, m.text) for m in readings(stamp + b" said so", "stamped")] == [(stamp, b"said so")]


def test_a_stamped_line_may_come_with_its_priority() -> None:
    (message,) = readings(b"<166>Nov 23 2026 08:10:00: %ASA-6-605004: Login denied", "stamped")
    assert (message.stamp, message.text) == (b"Nov 23 2026 08:10:00", b"%ASA-6-605004: Login denied")


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-23T08:10:00.123Z,0,2,\x00web1 web1: doord[811]: refused 192.0.2.66",
        "2026-11-23T08:10:00.123Z,0,2 web1 doord[811]: refused 192.0.2.66",
        "2026-11-23T08:10:00Z web1: doord[811]: refused 192.0.2.66",
        "Nov unsafe text web1 doord[811]: refused 192.0.2.66",
    ],
)
def test_what_only_begins_like_syslog_is_none_however_fast_it_is_read(line: str) -> None:
    rule = Scanner([card("refused {ip}")]).rules[0]
    assert not any(column[0] for column in rule.columns_of([line.encode()], shape_of(line.encode())))


def test_plain_lines_are_all_message() -> None:
    assert readings(b"said so", "plain")[0].text == b"said so"
    assert readings(b"said so", "stamped") == []


def test_the_usual_shapes() -> None:
    assert [shape_of(line) for line in (b"Nov 23", b"2026-11", b"<38>1", b"web1", b"")] == [
        "traditional",
        "iso",
        "",
        "",
        "",
    ]


def test_a_line_of_a_log_of_its_own_is_none_of_syslog() -> None:
    """To the second and with a blank: so begin the lines of many services, and the words behind may be a stranger's."""
    for line in (b"2026-11-23 08:10:00 x sshd[1]: Failed", b"2026-11-23 08:10:00 sshd[1]: Failed"):
        assert all(message.program != b"sshd" for message in readings(line, "syslog"))


def test_unless_it_is_read_for_services_that_write_to_syslog() -> None:
    for line in (b"2026-11-23 08:10:00 x sshd[1]: Failed", b"2026-11-23 08:10:00 sshd: Failed"):
        read = [message for message in readings(line, "syslog", named=True) if message.program == b"sshd"]
        assert [(message.stamp, message.text) for message in read] == [(b"2026-11-23 08:10:00", b"Failed")]


@pytest.mark.parametrize("named", [False, True])
def test_a_number_in_brackets_behind_a_zone_is_no_program(named: bool) -> None:
    line = b"2026-11-23 08:10:00.130 UTC [4242] x refused 203.0.113.9@shop LOG:  connection authorized"
    assert all(message.text[:1] != b"x" for message in readings(line, "syslog", named=named))


def test_a_program_s_name_has_no_signs_of_a_message() -> None:
    for line in (b'<co ts="x"sshd[1]: Failed', b"x sshd,1[1]: Failed", b"5,,a,b|sshd[1]: Failed"):
        assert all(b"sshd" not in message.program for message in readings(line, "syslog"))
