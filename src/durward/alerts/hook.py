"""Runs a program for each block and unblock, with CSF's arguments in CSF's order: no shell, no rights."""

import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from durward.messages import inert
from durward.messages.channel import Place, UndeliveredError
from durward.model.alert import Alert, Message

OUTPUT_BYTES_MAX = 300  # of a program that failed are shown
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def send(message: Message, settings: Mapping[str, Any], place: Place) -> None:
    """Run the program that is for this kind of alert, if there is one. Raises UndeliveredError."""
    for alert in message.alerts:
        if alert.kind == "test":
            for name in ("block", "unblock"):
                if settings[name]:
                    _is_trusted(place.path(settings[name]))  # nobody is to be reported because of a test
            continue
        program = settings["unblock" if alert.kind == "unblock" else "block"]
        if program:
            path = place.path(program)
            _is_trusted(path)
            _run([path, *arguments(alert)], settings["timeout"])


def arguments(alert: Alert) -> list[str]:
    """What CSF gives to such a program: none of it can be taken for an option, because an address comes first."""
    subject, ports = inert.line(alert.subject), inert.line(alert.ports)
    if alert.kind == "unblock":
        return [subject, *([ports] if ports else [])]
    lasting = alert.until is None
    seconds = 0 if alert.until is None else max(0, round(alert.until - alert.at))
    return [
        subject,
        ports or "*",
        "1" if lasting else "0",
        alert.direction,
        str(seconds),
        inert.line(alert.why),
        "\n".join(inert.lines(alert.evidence)),
        inert.line(alert.detector),
    ]


def _is_trusted(path: str) -> None:
    """Raises UndeliveredError for a program that somebody else than root could have written."""
    try:
        status = Path(path).stat()
    except OSError as error:
        raise UndeliveredError(f"{path}: {error.strerror}", lasting=True) from None
    if not stat.S_ISREG(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise UndeliveredError(f"{path} is not a file that root alone writes, and is not run", lasting=True)


def _run(command: list[str], timeout_seconds: float) -> None:
    with tempfile.TemporaryFile() as output:
        try:
            running = subprocess.Popen(
                command,
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise UndeliveredError(f"{command[0]}: {error.strerror}") from None
        try:
            status = running.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise UndeliveredError(f"{command[0]} ran longer than {timeout_seconds:g} s and was ended") from None
        finally:
            _end_group(running)
        if status != 0:
            output.seek(0)
            said = inert.line(output.read(OUTPUT_BYTES_MAX).decode("utf-8", "replace").strip(), OUTPUT_BYTES_MAX)
            raise UndeliveredError(f"{command[0]} ended with status {status}: {said}")


def _end_group(running: subprocess.Popen[bytes]) -> None:
    """End what the program left behind, too: its session is its own."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
