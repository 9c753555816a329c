"""Hands a message to the program apprise, which knows more than a hundred services."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from durward.messages import inert, page
from durward.messages.channel import Place, UndeliveredError
from durward.model.alert import Message

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
OUTPUT_CHARACTERS_MAX = 300  # of what it said when it failed
TYPES = {"info": "info", "notice": "info", "warning": "warning", "critical": "failure"}
MISSING = "the program apprise is not installed: `apt install apprise`, or pip install apprise beside durward"


def send(message: Message, settings: Mapping[str, Any], place: Place) -> None:
    """Send one message to every service that the file names. Raises UndeliveredError."""
    program = settings["program"] or find()
    if program is None:
        raise UndeliveredError(MISSING)
    urls = place.path(settings["config"])
    if not Path(urls).is_file():
        raise UndeliveredError(f"{urls} is not there: it holds the URLs of the services, one a line")
    gravest = max((alert.severity for alert in message.alerts), key=page.grave)
    command = [
        program,
        f"--config={urls}",
        f"--title={page.title(message, place.host, inert.chat)}",
        f"--notification-type={TYPES[gravest]}",
        "--input-format=text",
        "--disable-async",
    ]
    try:
        done = subprocess.run(
            command,
            input=page.body(message, place.host, inert.chat).encode(),
            env={"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=settings["timeout"],
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UndeliveredError(f"apprise: {inert.line(str(error), OUTPUT_CHARACTERS_MAX)}") from None
    if done.returncode != 0:
        said = inert.line(done.stdout.decode("utf-8", "replace").strip()[-OUTPUT_CHARACTERS_MAX:])
        raise UndeliveredError(f"apprise ended with status {done.returncode}: {said}")


def find() -> str | None:
    """The program, beside our own Python or on the system's path."""
    return shutil.which("apprise", path=f"{Path(sys.executable).parent}:{SYSTEM_PATH}")
