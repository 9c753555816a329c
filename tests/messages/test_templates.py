"""CSF's templates are filled in once, with values that do no harm."""

from dataclasses import replace

from hypothesis import given
from tests.messages.samples import ALERT, HOSTILE, LINE, hostile, message, place

from durward.messages import mailing
from durward.messages.templates import filled

OLD = """From: root
To: root
Subject: lfd on [hostname]: blocked [ip] ([IPCOUNT])

Time:     [time]
IP:       [ip] ([unknown])
Failures: [ipcount] ([iptick] seconds)
Blocked:  [block]

Log entries:

[text]
"""


def test_a_template_of_csf_becomes_the_mail() -> None:
    made = mailing.mail(message(), place(alert=OLD), "root", ["root"])
    assert made["Subject"] == "lfd on web1.example.com: blocked 203.0.113.9 (5)"
    text = made.get_content().replace("\r\n", "\n")
    assert "IP:       203.0.113.9 ([unknown])\nFailures: 5 (42 seconds)\n" in text
    assert text.count(LINE) == 5
    assert "Temporary Block until 2026-11-23 09:10:00 UTC" in text
    assert made["To"] == "root"


def test_the_template_is_that_of_the_detector() -> None:
    templates = {"alert.txt": "x\n\nusual [ip]", "portscan.txt": "Subject: scan\n\n[count] ports"}
    assert filled(replace(ALERT, detector="port_scan"), "web1", templates) == ("scan", "5 ports")
    assert filled(replace(ALERT, kind="alert"), "web1", templates) is None
    assert filled(ALERT, "web1", {}) is None


@given(HOSTILE)
def test_no_value_adds_a_header_or_is_filled_in_itself(text: str) -> None:
    templates = {"alert.txt": "Subject: [why] [text]\n\n[text]\n[why]"}
    found = filled(hostile(f"[hostname]{text}"), "web1.example.com", templates)
    assert found is not None
    subject, body = found
    assert subject.isprintable()
    assert "web1.example.com" not in subject + body
    assert all(line.isprintable() for line in body.split("\n"))
