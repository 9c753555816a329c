"""Clients of mail servers: whoever tries passwords, and whoever knows one."""

import base64
import http.client
import imaplib
import poplib
import smtplib
import socket
from collections.abc import Callable

from tests.services.mail_stage import OWN, Stage

IMAP, POP3, SIEVE, SUBMISSION, SMTP, CONTROLLER = 143, 110, 4190, 587, 25, 11334
PATIENCE_SECONDS = 60


class Imap(imaplib.IMAP4):
    """IMAP from an address of our choice."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__(OWN, IMAP)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return socket.create_connection((OWN, IMAP), timeout or PATIENCE_SECONDS, (self._source, 0))


class Pop3(poplib.POP3):
    """POP3 from an address of our choice."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__(OWN, POP3, timeout=PATIENCE_SECONDS)

    def _create_socket(self, timeout: float) -> socket.socket:
        return socket.create_connection((OWN, POP3), timeout, (self._source, 0))


def refused(attempt: Callable[[], object], *errors: type[Exception]) -> None:
    """Carry out an attempt that has to fail in one of these ways."""
    try:
        attempt()
    except errors:
        return
    raise AssertionError("it was let in")


def imap(stage: Stage, source: str, user: str, *passwords: str) -> None:
    """One connection to IMAP in which wrong passwords are tried, if any."""
    with stage.network.inside(), Imap(source) as client:
        for password in passwords:
            refused(lambda password=password: client.login(f'"{user}"', password), imaplib.IMAP4.error)  # type: ignore[misc]


def pop3(stage: Stage, source: str, user: str, *passwords: str) -> None:
    """One connection to POP3 in which wrong passwords are tried."""
    with stage.network.inside():
        client = Pop3(source)
        for password in passwords:
            client.user(user)
            refused(lambda password=password: client.pass_(password), poplib.error_proto)  # type: ignore[misc]
        client.quit()


def smtp(
    stage: Stage, source: str, user: str, *passwords: str, mechanism: str = "PLAIN", hello: str = "laptop.example.net"
) -> None:
    """One connection to SMTP in which wrong passwords are tried."""
    with stage.network.inside(), _smtp(source) as client:
        client.ehlo(hello)
        client.user = user
        for password in passwords:
            client.password = password
            answer = client.auth_plain if mechanism == "PLAIN" else client.auth_login
            refused(lambda answer=answer: client.auth(mechanism, answer), smtplib.SMTPAuthenticationError)  # type: ignore[misc]


def kept(stage: Stage, source: str, user: str, password: str, *, port: int = IMAP) -> None:
    """Log in with the right password, and hand in a mail if it is a port for that."""
    with stage.network.inside():
        if port == IMAP:
            with Imap(source) as client:
                client.login(user, password)
            return
        with _smtp(source) as sender:
            sender.login(user, password)
            sender.sendmail("bob@example.com", ["bob@example.com"], "Subject: hello\n\nhello\n")


def sieve(stage: Stage, source: str, user: str, password: str) -> None:
    """One connection to ManageSieve in which a wrong password is tried."""
    secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    with stage.network.inside(), _connected(source, SIEVE) as talk, talk.makefile("rb") as heard:
        while not heard.readline().startswith(b"OK"):
            pass
        talk.sendall(f'AUTHENTICATE "PLAIN" "{secret}"\r\n'.encode())
        assert heard.readline().startswith(b"NO")
        talk.sendall(b"LOGOUT\r\n")
        heard.read()


def controller(stage: Stage, source: str, password: str) -> int:
    """Ask Rspamd's controller with a password; gives the status."""
    with stage.network.inside():
        connection = http.client.HTTPConnection(OWN, CONTROLLER, timeout=PATIENCE_SECONDS, source_address=(source, 0))
        try:
            connection.request("GET", "/stat", headers={"Password": password, "X-Forwarded-For": "127.0.0.4"})
            return connection.getresponse().status
        finally:
            connection.close()


def say(stage: Stage, source: str, port: int, *lines: str, early: bool = False) -> None:
    """Speak with a server line by line, waiting for each answer; `early` is without waiting for its greeting."""
    with stage.network.inside(), _connected(source, port) as talk, talk.makefile("rb") as heard:
        for line in lines if early else ("", *lines):
            if line:
                talk.sendall(line.encode() + b"\r\n")
            while heard.readline()[3:4] == b"-":
                pass


def _smtp(source: str) -> smtplib.SMTP:
    return smtplib.SMTP(OWN, SUBMISSION, timeout=PATIENCE_SECONDS, source_address=(source, 0))


def _connected(source: str, port: int) -> socket.socket:
    return socket.create_connection((OWN, port), PATIENCE_SECONDS, (source, 0))
