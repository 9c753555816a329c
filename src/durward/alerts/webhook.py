"""Tells a web server by POST: JSON, signed with a shared secret, under a key that never changes."""

import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from durward import __version__
from durward.messages import inert, page
from durward.messages.channel import Place, UndeliveredError
from durward.model.alert import Alert, Message

FORMAT = 1  # of the body; it grows when a field changes its meaning
SECRET_CHARACTERS_MAX = 1024
ANSWER_BYTES_MAX = 65_536  # of the receiver are read; what he says does not matter


def send(message: Message, settings: Mapping[str, Any], place: Place) -> None:
    """Deliver one message; any answer from 200 to 299 says that it has come. Raises UndeliveredError."""
    url = urlsplit(settings["url"])
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise UndeliveredError("url should be like https://example.com/durward", lasting=True)
    body = json.dumps(document(message, place.host)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"durward/{__version__}",
        "Idempotency-Key": message.key,
        "Durward-Attempt": str(message.attempt),
    }
    if settings["secret_file"]:
        headers |= signed(body, _secret(place.path(settings["secret_file"])), int(time.time()))
    status = _posted(url, body, headers, settings, place)
    if not 200 <= status < 300:
        raise UndeliveredError(f"{url.hostname} answered with status {status}")


def signed(body: bytes, secret: bytes, timestamp: int) -> dict[str, str]:
    """The headers that prove who sent this body, and when: HMAC-SHA256 of `timestamp.body`."""
    digest = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Durward-Timestamp": str(timestamp), "Durward-Signature": f"v1={digest}"}


def document(message: Message, host: str) -> dict[str, Any]:
    """The body: the same text that people get elsewhere, safe for a chat, and each alert with its fields."""
    return {
        "format": FORMAT,
        "key": message.key,
        "host": inert.line(host),
        "made_at": page.iso(message.made_at),
        "title": page.title(message, host, inert.chat),
        "text": page.body(message, host, inert.chat),
        "digest": message.held or None,
        "more": message.more,
        "alerts": [_fields(alert) for alert in message.alerts],
    }


def _fields(alert: Alert) -> dict[str, Any]:
    fields = asdict(alert)
    for name, value in fields.items():
        if isinstance(value, str):
            fields[name] = inert.line(value)
    times = {name: page.iso(fields[name]) for name in ("at", "first_at", "last_at")}
    until = None if alert.until is None else page.iso(alert.until)
    texts = {"evidence": inert.lines(alert.evidence), "files": inert.lines(alert.files)}
    return fields | times | texts | {"until": until}


def _posted(
    url: SplitResult, body: bytes, headers: Mapping[str, str], settings: Mapping[str, Any], place: Place
) -> int:
    """The status of the answer. Redirections are not followed: a message goes where the settings say, or nowhere."""
    timeout, host = settings["timeout"], url.netloc.rpartition("@")[2]
    target = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}"
    try:
        if url.scheme == "https":
            authority = place.path(settings["ca_file"]) if settings["ca_file"] else None
            trusted = ssl.create_default_context(cafile=authority)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, timeout=timeout, context=trusted)
        else:
            connection = http.client.HTTPConnection(host, timeout=timeout)
        try:
            connection.request("POST", target, body, dict(headers))
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES_MAX)
            return answer.status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UndeliveredError(f"{host}: {inert.line(str(error) or type(error).__name__, 200)}") from None


def _secret(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            secret = file.readline(SECRET_CHARACTERS_MAX).strip()
    except OSError as error:
        raise UndeliveredError(f"secret_file: {error.strerror}") from None
    if not secret:
        raise UndeliveredError("secret_file is empty", lasting=True)
    return secret
