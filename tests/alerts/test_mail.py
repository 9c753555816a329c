"""Mail: a real mail server takes what we send, encrypted or not, and no text from outside adds to it."""

import json
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.alerts.receivers import HOST, MailServer, certificate
from tests.messages.samples import LINE, LOGGED, hostile, message, place

from durward.alerts import mail
from durward.catalog.shelf import load_alerts
from durward.messages import mailing
from durward.messages.channel import UndeliveredError

CARDS = {card.id: card for card in load_alerts()}


def values(channel: str = "mail", **own: Any) -> dict[str, Any]:
    settings = {name: one.default for name, one in CARDS["mail"].settings.items()}
    if channel != "mail":
        settings |= {name: one.default for name, one in CARDS[channel].settings.items()}
    return settings | own


def test_a_mail_says_what_why_the_lines_what_was_done_and_how_it_is_undone() -> None:
    with MailServer() as server:
        mail.send(message(), values(server=server.address), place())
    (got,) = server.mails
    assert (got.sender, got.receivers) == ("root@web1.example.com", ("root",))
    assert got.mail["Subject"] == "[durward web1.example.com] 203.0.113.9 is blocked for 1h"
    assert got.mail["Message-ID"] == "<durward.mail.3.1795421400000@web1.example.com>"
    assert got.mail["Auto-Submitted"] == "auto-generated"
    for part in ("5 failed sshd logins in 42 s", LINE, "is dropped for 1h", "durward unblock 203.0.113.9", "K7QM-2XFD"):
        assert part in got.text


def test_starttls_and_a_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    authority = certificate(tmp_path)
    with MailServer(certificate=authority, password="correct horse") as server:
        own = {"security": "starttls", "ca_file": authority.name, "user": "web1", "password_file": "password"}
        mail.send(message(), values(server=server.address, **own), place(tmp_path))
    (got,) = server.mails
    assert (got.encrypted, got.user) == (True, "web1")


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"security": "starttls"}, "certificate verify failed"),  # nobody vouches for it
        ({"user": "web1", "password_file": "wrong"}, "535"),
        ({"user": "web1", "password_file": "missing"}, "No such file"),
        ({"to": ("nobody",)}, "takes no mail for nobody"),
        ({"to": ("a@b.example, c@d.example",)}, "is no mail address"),
        ({"to": ("root\r\nRCPT TO:<x@y.example>",)}, "is no mail address"),
        ({"to": ("-oQ/tmp",)}, "is no mail address"),
        ({"to": ()}, "nobody is named"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_is_sent(tmp_path: Path, own: dict[str, Any], says: str) -> None:
    (tmp_path / "wrong").write_text("guess\n")
    own = {"user": "", **own}
    password = "correct horse" if own["user"] else None
    server = MailServer(certificate(tmp_path), password, frozenset({"nobody"}))
    with server, pytest.raises(UndeliveredError, match=says):
        mail.send(message(), values(server=server.address, **own), place(tmp_path))
    assert server.mails == []


def test_without_a_server_it_is_undelivered() -> None:
    with MailServer() as server:
        port = server.port
    with pytest.raises(UndeliveredError, match="Connection refused"):
        mail.send(message(), values(server=f"{HOST}:{port}"), place())


def test_one_receiver_who_is_refused_does_not_cost_the_others_their_mail() -> None:
    with MailServer(refused=frozenset({"gone@example.com"})) as server:
        mail.send(message(), values(server=server.address, to=("gone@example.com", "root")), place())
    assert [got.receivers for got in server.mails] == [("root",)]


def test_a_password_does_not_leave_this_host_unencrypted(tmp_path: Path) -> None:
    own = values(server="192.0.2.25", security="none", user="web1", password_file="password")
    with pytest.raises(UndeliveredError):  # nobody is there; were there somebody, it would not be sent either
        mail._log_in(None, own, place(tmp_path), "none", "192.0.2.25")  # type: ignore[arg-type]


def test_a_program_takes_the_mail(tmp_path: Path) -> None:
    program = tmp_path / "takes"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\ncat > {tmp_path}/mail\n')
    program.chmod(0o755)
    mail.send(message(), values(sendmail=str(program)), place())
    words = (tmp_path / "arguments").read_text().split()
    assert words == ["-i", "-f", "root@web1.example.com", "--", "root"]
    assert "durward unblock 203.0.113.9" in (tmp_path / "mail").read_text()
    program.write_text("#!/bin/sh\necho full >&2\nexit 75\n")
    with pytest.raises(UndeliveredError, match="status 75: full"):
        mail.send(message(), values(sendmail=str(program)), place())


def test_an_abuse_report_is_read_by_machines() -> None:
    with MailServer() as server:
        own = values("xarf", server=server.address, to=("abuse@example.net",))
        mail.send(message(channel="xarf"), own, place(channel="xarf"))
    (got,) = server.mails
    (attached,) = list(got.mail.iter_attachments())
    report = json.loads(attached.get_content())
    assert (report["source_identifier"], report["type"]) == ("203.0.113.9", "login_attack")
    assert got.mail["X-XARF"] == "PLAIN"
    assert len(report["report_id"]) == 36


def header_names(head: bytes) -> list[bytes]:
    return [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]


@given(LOGGED)
@settings(max_examples=300, deadline=None)
def test_no_text_from_outside_becomes_a_header_a_line_of_smtp_or_html(text: str) -> None:
    made = mailing.mail(message(hostile(text)), place(), "root", ["root"])
    raw = made.as_bytes()
    head, _, body = raw.partition(b"\r\n\r\n")
    harmless, _, _ = mailing.mail(message(), place(), "root", ["root"]).as_bytes().partition(b"\r\n\r\n")
    assert header_names(head) == header_names(harmless)
    assert made.get_content_type() == "text/plain"
    assert not made.is_multipart()
    assert all(len(line) < 1000 for line in raw.split(b"\r\n"))
    subject = str(make_header(decode_header(made["Subject"])))
    for shown in (subject, made.get_content()):
        assert all(character.isprintable() or character == "\n" for character in shown)
    assert len(raw) < 200_000
    assert b"\n.\r" not in body
