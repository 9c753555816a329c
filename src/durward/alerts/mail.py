"""Sends mail: to a mail server, encrypted wherever it leaves this host, or through a program that takes mails."""

import secrets
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from durward.messages import inert, mailing, responsible
from durward.messages.channel import Place, UndeliveredError
from durward.model.alert import Alert, Message

TIMEOUT_SECONDS = 30.0
PROGRAM_SECONDS = 30.0
PASSWORD_CHARACTERS_MAX = 1024
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
SMTPS_PORT, SMTP_PORT = 465, 25
RESOLVERS = Path("/etc/resolv.conf")
DNS_PORT, DNS_SECONDS = 53, 3.0
KNOWN_SECONDS, KNOWN_MAX = 86400.0, 10_000  # contacts are asked for once a day; beyond so many all are asked for anew
KNOWN: dict[str, tuple[float, tuple[str, ...]]] = {}  # addresses: when they were asked for, and who it is
ANSWER_CHARACTERS_MAX = 300  # of what a server says to a failure


def send(message: Message, settings: Mapping[str, Any], place: Place) -> None:
    """Send one mail to everybody in `to`. Raises UndeliveredError where not a single one of them gets it."""
    sender = settings["from"] or f"root@{mailing.domain_of(place.host)}"
    (sender,) = mailing.addresses((sender,))
    asks = settings.get("abuse_contacts", False)
    others = responsible_for(message.alerts[0]) if asks else ()
    if asks and not settings["to"] and not others:
        return  # nobody is responsible, as far as is known: there is nobody to tell
    receivers = mailing.addresses((*settings["to"], *others))
    compose = mailing.report if place.channel == "xarf" else mailing.mail
    made = compose(message, place, sender, receivers)
    if settings["sendmail"]:
        _hand_to_program(made, settings["sendmail"], sender, receivers)
    else:
        _hand_to_server(made, settings, place, sender, receivers)


def responsible_for(alert: Alert) -> tuple[str, ...]:
    """Whom the public zone names for the address that an alert is about; nobody where it does not answer in time."""
    if alert.kind != "block" or "/" in alert.subject:
        return ()
    now = time.monotonic()
    known = KNOWN.get(alert.subject)
    if known is not None and now - known[0] < KNOWN_SECONDS:
        return known[1]
    found = _ask(alert.subject)
    if found is None:
        return ()
    if len(KNOWN) >= KNOWN_MAX:
        KNOWN.clear()
    KNOWN[alert.subject] = (now, found)
    return found


def _ask(address: str) -> tuple[str, ...] | None:
    """Ask the first name server of this host; None where it does not answer."""
    asked = responsible.question(secrets.randbelow(1 << 16), address)
    try:
        words = [line.split() for line in RESOLVERS.read_text(encoding="ascii", errors="replace").splitlines()]
        server = next((line[1] for line in words if line[:1] == ["nameserver"] and line[1:]), "127.0.0.1")
        family, kind, _, _, target = socket.getaddrinfo(
            server, DNS_PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        with socket.socket(family, kind) as peer:
            peer.settimeout(DNS_SECONDS)
            peer.connect(target)  # answers of others are not heard
            peer.send(asked)
            return responsible.contacts(peer.recv(responsible.MESSAGE_BYTES_MAX), asked)
    except (OSError, ValueError):
        return None


def _hand_to_server(
    made: EmailMessage, settings: Mapping[str, Any], place: Place, sender: str, receivers: list[str]
) -> None:
    host, port = _server(settings["server"])
    security = settings["security"]
    if security == "auto":
        security = "tls" if port == SMTPS_PORT else "none" if host in LOCAL else "starttls"
    try:
        with _connected(host, port, security, settings, place) as server:
            if settings["user"]:
                _log_in(server, settings, place, security, host)
            # Those who are refused are not asked again: the others would get the same mail twice.
            server.sendmail(sender, receivers, made.as_bytes(policy=SMTP))
            with suppress(smtplib.SMTPException, OSError):  # it has taken the mail; how it says goodbye does not matter
                server.quit()
    except smtplib.SMTPResponseException as error:
        raise UndeliveredError(f"{host} says {error.smtp_code}: {_said(error.smtp_error)}") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise UndeliveredError(f"{host} takes no mail for {', '.join(error.recipients)}") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise UndeliveredError(f"{host} port {port}: {_said(str(error))}") from None


def _connected(host: str, port: int, security: str, settings: Mapping[str, Any], place: Place) -> smtplib.SMTP:
    name = mailing.domain_of(place.host)
    if security == "none":
        return smtplib.SMTP(host, port, local_hostname=name, timeout=TIMEOUT_SECONDS)
    trusted = ssl.create_default_context(cafile=place.path(settings["ca_file"]) if settings["ca_file"] else None)
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=TIMEOUT_SECONDS, context=trusted)
    server = smtplib.SMTP(host, port, local_hostname=name, timeout=TIMEOUT_SECONDS)
    try:
        server.starttls(context=trusted)
    except BaseException:
        server.close()
        raise
    return server


def _log_in(server: smtplib.SMTP, settings: Mapping[str, Any], place: Place, security: str, host: str) -> None:
    if security == "none" and host not in LOCAL:
        raise UndeliveredError("the password would go over the network unencrypted; it was not sent", lasting=True)
    path = Path(place.path(settings["password_file"]))
    try:
        with path.open() as file:
            password = file.readline(PASSWORD_CHARACTERS_MAX).rstrip("\n")
    except (OSError, ValueError) as error:
        raise UndeliveredError(f"password_file {path.name}: {getattr(error, 'strerror', '') or 'is no text'}") from None
    server.login(settings["user"], password)


def _hand_to_program(made: EmailMessage, program: str, sender: str, receivers: list[str]) -> None:
    command = [program, "-i", "-f", sender, "--", *receivers]
    try:
        done = subprocess.run(
            command,
            input=made.as_bytes(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UndeliveredError(f"{program}: {_said(str(error))}") from None
    if done.returncode != 0:
        raise UndeliveredError(f"{program} ended with status {done.returncode}: {_said(done.stderr)}")


def _server(text: str) -> tuple[str, int]:
    """The host and port of `mail.example.com:587`, `[2001:db8::25]:25`, or nothing."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.endswith("]")):
        host, port = text, str(SMTP_PORT)
    return host.strip("[]") or "localhost", int(port)


def _said(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return inert.line(text.strip(), ANSWER_CHARACTERS_MAX)
