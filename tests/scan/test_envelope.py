"""Envelopes: every way in which a message of sshd comes wrapped, and nothing that merely looks like one."""

import pytest

from durward.scan.envelope import REPEATED_MAX, Programs, readings, shape_of

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
        (b"2026-11-23 08:10:00 web1 sshd[42]: ", b"2026-11-23 08:10:00", b"42"),
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
