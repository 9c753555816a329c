"""What people ask the engine: one JSON line in, JSON lines out, over a Unix stream socket; only root may ask."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REQUEST_BYTES_MAX = 65_536
LINE_BYTES_MAX = 16 << 20  # of an answer
TIMEOUT_SECONDS = 30.0


class NoAnswerError(OSError):
    """The engine is not running, or does not answer."""


def ask(path: Path, verb: str, **fields: Any) -> Iterator[dict[str, Any]]:
    """Ask the engine; give its answers as they come. Raises NoAnswerError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
            if fields.get("follow"):
                connection.settimeout(None)
            with connection.makefile("rb") as answers:
                while line := answers.readline(LINE_BYTES_MAX):
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise NoAnswerError(f"the engine does not answer at {path} ({error})") from None


def ask_one(path: Path, verb: str, **fields: Any) -> dict[str, Any]:
    """Ask the engine something that has one answer. Raises NoAnswerError."""
    for answer in ask(path, verb, **fields):
        return answer
    raise NoAnswerError(f"the engine at {path} ended the connection without an answer")
