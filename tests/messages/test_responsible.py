"""Who is responsible for an address: asked of a real name server, and no answer adds a receiver that is no address."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, strategies
from tests.alerts.receivers import HOST, MailServer
from tests.alerts.test_mail import values
from tests.messages.samples import ALERT, message, place

from durward.alerts import mail
from durward.messages.responsible import contacts, question

CONFIGURATION = """\
options {{ directory "{0}"; listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none;
    dnssec-validation no; session-keyfile "{0}/session.key"; }};
controls {{ }};
zone "abuse-contacts.abusix.zone" {{ type primary; file "{0}/zone"; }};
"""
ZONE = """\
$TTL 60
@ SOA ns.example.com. root.example.com. 1 60 60 60 60
@ NS ns.example.com.
"""
RECORDS = {
    "203.0.113.9": 'TXT "abuse@example.net"',
    "203.0.113.10": 'TXT "one@example.net, two@example.net three@example.net"',
    "203.0.113.11": 'TXT "-oX/etc/passwd@example.net root a@b \\010Bcc:x@example.net <y@example.net>"',
    "203.0.113.12": 'TXT "abuse@exam" "ple.net"',
    "203.0.113.13": "A 192.0.2.1",
    "2001:db8::1": 'TXT "six@example.net"',
}


@pytest.fixture(scope="module")
def name_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """BIND with the zone, at a port of loopback."""
    program = shutil.which("named")
    if program is None:
        pytest.skip("BIND is not installed")
    directory = tmp_path_factory.mktemp("named")
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    names = {ip_address(address).reverse_pointer.rsplit(".", 2)[0]: record for address, record in RECORDS.items()}
    (directory / "zone").write_text(ZONE + "".join(f"{name} {record}\n" for name, record in names.items()))
    (directory / "named.conf").write_text(CONFIGURATION.format(directory, port))
    with subprocess.Popen(
        [program, "-g", "-n", "1", "-c", directory / "named.conf"], stderr=subprocess.DEVNULL
    ) as server:
        try:
            until_it_answers(port)
            yield port
        finally:
            server.terminate()


def until_it_answers(port: int) -> None:
    for _ in range(200):
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            peer.settimeout(0.1)
            peer.connect((HOST, port))
            try:
                peer.send(question(1, "203.0.113.9"))
                peer.recv(4096)
            except OSError:
                time.sleep(0.05)
            else:
                return
    pytest.fail("the name server does not answer")


@pytest.fixture
def asks(name_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This host's name server is that one."""
    (tmp_path / "resolv.conf").write_text(f"search example.com\nnameserver {HOST}\n")
    monkeypatch.setattr(mail, "RESOLVERS", tmp_path / "resolv.conf")
    monkeypatch.setattr(mail, "DNS_PORT", name_server)
    monkeypatch.setattr(mail, "KNOWN", {})


def of(address: str) -> tuple[str, ...]:
    return mail.responsible_for(replace(ALERT, subject=address))


@pytest.mark.usefixtures("asks")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", ("abuse@example.net",)),
        ("203.0.113.10", ("one@example.net", "two@example.net")),
        ("203.0.113.11", ()),
        ("203.0.113.12", ("abuse@example.net",)),
        ("203.0.113.13", ()),
        ("203.0.113.14", ()),
        ("2001:db8::1", ("six@example.net",)),
        ("2001:db8::/64", ()),
    ],
)
def test_the_zone_says_who_it_is(address: str, expected: tuple[str, ...]) -> None:
    assert of(address) == expected


@pytest.mark.usefixtures("asks")
def test_a_report_goes_to_them_and_without_anybody_to_nobody() -> None:
    with MailServer() as server:
        own = values("xarf", server=server.address, abuse_contacts=True)
        mail.send(message(channel="xarf"), own, place(channel="xarf"))
        mail.send(message(replace(ALERT, subject="203.0.113.14"), channel="xarf"), own, place(channel="xarf"))
        mail.send(message(channel="xarf"), own | {"to": ("us@example.com",)}, place(channel="xarf"))
        mail.send(message(channel="xarf"), own | {"to": ("us@example.com",), "abuse_contacts": False}, place())
    assert [mail.receivers for mail in server.mails] == [
        ("abuse@example.net",),
        ("us@example.com", "abuse@example.net"),
        ("us@example.com",),
    ]


@pytest.mark.usefixtures("asks")
def test_it_is_asked_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of("203.0.113.9") == ("abuse@example.net",)
    monkeypatch.setattr(mail, "DNS_PORT", 9)
    assert of("203.0.113.9") == ("abuse@example.net",)
    assert of("203.0.113.10") == (), "who is not known is not waited for"
    assert "203.0.113.10" not in mail.KNOWN


@given(strategies.binary(max_size=600))
def test_an_answer_of_any_bytes_names_nobody_that_is_no_address(data: bytes) -> None:
    asked = question(7, "203.0.113.9")
    for answer in (data, asked[:2] + data, asked + data, asked[:2] + b"\x80\0\0\1\0\x05\0\0\0\0" + asked[12:] + data):
        for found in contacts(answer, asked):
            assert "@" in found
            assert not found.startswith("-")
            assert found.isascii()
            assert found.isprintable()


def test_an_answer_to_another_question_is_none() -> None:
    asked = question(7, "203.0.113.9")
    text = b"\x11abuse@example.net"
    record = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c" + len(text).to_bytes(2, "big") + text
    answer = asked[:2] + b"\x80\0\0\1\0\1\0\0\0\0" + asked[12:] + record
    assert contacts(answer, asked) == ("abuse@example.net",)
    assert contacts(b"\0\x08" + answer[2:], asked) == ()
    assert contacts(answer, question(7, "203.0.113.8")) == ()
    assert contacts(answer[:2] + b"\x82" + answer[3:], asked) == (), "it was cut off"
    assert contacts(answer[:3] + b"\x03" + answer[4:], asked) == (), "there is no such name"
