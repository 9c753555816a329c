"""Runs a program for each block, unblock and accused account, with CSF's arguments: no shell, no rights."""

import os
import re
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

PROGRAMS = ("block", "unblock", "account", "shared_account", "panel_login", "relay", "script")
# A name that no program can take for anything else; whose account has another one is told of, and no program is run.
ACCOUNT = re.compile(r"[A-Za-z0-9_.@%+=][A-Za-z0-9_.@%+=-]{0,254}", re.ASCII)
CHANGED = "; changed "  # stands behind what a file calls; see daemons/scripts.py
SHARED = {"shared_ftp_account": "LF_DISTFTP", "shared_smtp_account": "LF_DISTSMTP"}  # and CSF's names of them
PANEL, SCRIPT = "panel_logins", "script_mail"
RELAYS = frozenset({"relay", "authrelay", "poprelay", "localrelay", "localhostrelay"})
OUTPUT_BYTES_MAX = 300  # of a program that failed are shown
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def send(message: Message, settings: Mapping[str, Any], place: Place) -> None:
    """Run the programs that are for this kind of alert, as far as there are any. Raises UndeliveredError."""
    failures: list[UndeliveredError] = []
    for alert in message.alerts:
        if alert.kind == "test":
            for name in PROGRAMS:
                if settings.get(name):
                    check_trusted(place.path(settings[name]))  # nobody is to be reported because of a test
            continue
        for name, given in calls(alert):
            if settings.get(name):
                path = place.path(settings[name])
                try:
                    check_trusted(path)
                    _run([path, *given], settings["timeout"])
                except UndeliveredError as error:
                    failures.append(error)  # the other programs know nothing of this one
    if failures:
        raise failures[0]


def calls(alert: Alert) -> list[tuple[str, list[str]]]:
    """The settings whose programs are for an alert, and the arguments of each.

    None of them can be taken for an option: what comes first is an address, a plain name, a full path or our own word.
    """
    if alert.kind in {"block", "unblock"}:
        return [(alert.kind, arguments(alert))]
    who = alert.account if ACCOUNT.fullmatch(alert.account) else ""
    subject, lines = inert.line(alert.subject), "\n".join(inert.lines(alert.evidence))
    found: list[tuple[str, list[str]]] = []
    if alert.kind == "login":
        if alert.detector == PANEL and who:
            found.append(("panel_login", [subject, who, subject]))
        return found
    if who:
        about, why = inert.line(alert.about), inert.line(alert.why)
        found.append(("account", [who, alert.detector, alert.service, subject, about, str(alert.count), why, lines]))
    if who and alert.detector in SHARED:
        found.append(("shared_account", [SHARED[alert.detector], who, "\n".join([inert.line(alert.why), lines])]))
    if alert.about in RELAYS and not subject.startswith("-"):
        found.append(("relay", [subject, alert.about.upper(), inert.line(alert.done), str(alert.count), lines]))
    if alert.detector == SCRIPT and subject.startswith("/"):
        found.append(("script", [subject, str(alert.count), lines, "\n".join(inert.lines(_paths(alert)))]))
    return found


def _paths(alert: Alert) -> list[str]:
    """The bare paths of the files that an alert names, as CSF gives them; what else is said of files is for people."""
    told = (text.rpartition(": ") for text in alert.files)
    return [path for path, _, why in told if path and CHANGED in why]


def arguments(alert: Alert) -> list[str]:
    """What CSF gives to a program for blocks and unblocks: an address comes first."""
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


def check_trusted(path: str) -> None:
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
