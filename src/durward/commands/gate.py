"""How the verbs of the firewall ask the enforcer: as root, one word, one answer."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from durward.commands.verb import Exit, fail, here
from durward.control.requests import NoAnswerError
from durward.control.words import ROOT_TABLE, encode

ANSWER_BYTES_MAX = 65_536
ANCESTORS_MAX = 64  # processes that are looked at; a login is never further away
CONNECTION_CHARACTERS_MAX = 200
TIMEOUT_SECONDS = 60.0  # a large rule set on a busy host


def ask_enforcer(word: str, text: str | None = None, **fields: Any) -> dict[str, Any]:
    """Say a word as root, with `text` beside it; an answer that is an error ends the verb. Raises NoAnswerError."""
    if os.geteuid() != 0:
        fail(Exit.WRONG, "the firewall is root's business. Try: sudo durward …")
    path = here().enforcer_socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(str(path))
            with _memory(text) as descriptors:
                socket.send_fds(connection, [encode(word, table=ROOT_TABLE, **fields)], descriptors)
            reply: dict[str, Any] = json.loads(connection.recv(ANSWER_BYTES_MAX) or b"{}")
        except (OSError, ValueError) as error:
            raise NoAnswerError(f"the enforcer does not answer at {path} ({error})") from None
    if not reply:
        raise NoAnswerError(f"the enforcer at {path} ended the connection without an answer")
    if "error" in reply:
        fail(Exit(reply.get("status", Exit.NO)), str(reply["error"]))
    return reply


@contextmanager
def _memory(text: str | None) -> Iterator[list[int]]:
    """A descriptor from which `text` can be read; none for none."""
    if text is None:
        yield []
        return
    with os.fdopen(os.memfd_create("firewall", os.MFD_CLOEXEC), "w") as file:
        file.write(text)
        file.flush()
        yield [file.fileno()]


def connection_name() -> str:
    """What tells this login from others: the addresses and ports of its SSH connection; empty at a console.

    Where sudo or su has taken it out of the environment, a process that started this one still has it.
    """
    found, process = os.environ.get("SSH_CONNECTION", ""), os.getppid()
    for _ in range(ANCESTORS_MAX):
        if found or process <= 1:
            break
        found, process = _connection_of(Path(f"/proc/{process}"))
    return found[:CONNECTION_CHARACTERS_MAX]


def _connection_of(process: Path) -> tuple[str, int]:
    """The SSH connection in the environment of a process, if any, and which process started it (0: unknown)."""
    try:
        words = (process / "environ").read_bytes().split(b"\0")
        status = (process / "status").read_text(errors="replace")
    except OSError:
        return "", 0
    found = [word.partition(b"=")[2].decode(errors="replace") for word in words if word.startswith(b"SSH_CONNECTION=")]
    return "".join(found[:1]), int(status.partition("\nPPid:")[2].split()[0])
