"""CSF's templates are filled in once, with values that do no harm."""

from dataclasses import replace

import pytest
from hypothesis import given
from tests.messages.samples import ALERT, HOSTILE, LINE, hostile, message, place

from durward.messages import mailing
from durward.messages.templates import filled
from durward.model.alert import Alert, AlertKind

LOGIN = replace(ALERT, kind="alert", account="bob", about="SHA256:3Qw9", count=1, evidence=(LINE,))
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


@pytest.mark.parametrize(
    ("alert", "template", "text", "expected"),
    [
        (replace(LOGIN, detector="ssh_logins"), "sshalert", "[account] [ip] [method]", "bob 203.0.113.9 SHA256:3Qw9"),
        (
            replace(LOGIN, detector="su_use", about="root"),
            "sualert",
            "[from] [to] [status]",
            "bob root Successful login",
        ),
        (replace(LOGIN, detector="sudo_use", severity="warning"), "sudoalert", "[from] [status]", "bob Failed login"),
        (replace(LOGIN, detector="console_logins"), "consolealert", "[line]", LINE),
        (replace(LOGIN, detector="webmin_logins"), "webminalert", "[account] [ip]", "bob 203.0.113.9"),
        (replace(LOGIN, detector="panel_logins"), "cpanelalert", "[user] [ip]", "bob 203.0.113.9"),
        (replace(LOGIN, detector="relay_local", about="localrelay"), "relayalert", "[check] [count]", "LOCALRELAY 1"),
        (replace(LOGIN, detector="script_mail", subject="/home/x"), "scriptalert", "[path] [count]", "/home/x 1"),
        (replace(LOGIN, detector="port_knock", about="22/tcp"), "portknocking", "[ip] [port]", "203.0.113.9 22/tcp"),
        (replace(LOGIN, detector="outbound_probing"), "uidscan", "[uid]", "bob"),
        (replace(LOGIN, detector="imap_logins"), "tracking", "[account] [logins]", "bob 1"),
        (replace(LOGIN, detector="mail_queue", subject="/var/spool/x"), "queuealert", "[what]", ALERT.what),
        (replace(ALERT, until=None), "permblock", "[ip] [count]", "203.0.113.9 5"),
        (
            replace(ALERT, detector="neighbourhood", subject="203.0.113.0/24"),
            "netblock",
            "[block] [class]",
            "203.0.113.0/24 C",
        ),
        (replace(ALERT, kind="finding", gathering="finding:syslog"), "syslogalert", "[log]", ALERT.why),
    ],
)
def test_each_template_of_csf_has_its_alerts_and_its_tags(
    alert: Alert, template: str, text: str, expected: str
) -> None:
    found = filled(alert, "web1", {f"{template}.txt": f"Subject: [what]\n\n{text}"})
    assert found == (ALERT.what, expected)


@pytest.mark.parametrize("kind", ["alert", "finding", "refused", "test"])
def test_the_template_of_blocks_is_for_blocks(kind: AlertKind) -> None:
    assert filled(replace(ALERT, kind=kind), "web1", {"alert.txt": "x\n\ny"}) is None
