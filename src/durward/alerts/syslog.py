"""Writes a line for each alert to the system's log, through the socket that log daemons listen on."""

import os
import socket
from collections.abc import Mapping
from typing import Any

from durward.messages import inert
from durward.messages.channel import Place, UndeliveredError
from durward.model.alert import Alert, Message

TIMEOUT_SECONDS = 5.0
LINE_CHARACTERS_MAX = 900  # with its head within the 1024 bytes of RFC 3164, if it is ASCII
FACILITIES = {"auth": 4, "authpriv": 10, "daemon": 3} | {f"local{number}": 16 + number for number in range(8)}
LEVELS = {"info": 6, "notice": 5, "warning": 4, "critical": 2}


def send(message: Message, settings: Mapping[str, Any], _place: Place) -> None:
    """Write the lines. Raises UndeliveredError."""
    facility = FACILITIES[settings["facility"]]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.settimeout(TIMEOUT_SECONDS)
            log.connect(settings["socket"])
            for alert in message.alerts:
                log.send(f"<{facility * 8 + LEVELS[alert.severity]}>durward[{os.getpid()}]: {line(alert)}".encode())
            if message.more:
                log.send(f"<{facility * 8 + 5}>durward[{os.getpid()}]: and {message.more} more: durward log".encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UndeliveredError(f"{settings['socket']}: {inert.line(reason, 200)}") from None


def line(alert: Alert) -> str:
    """One alert in one line. What an attacker wrote is not in it: other programs read logs for such lines."""
    facts = [alert.what, alert.why, f"done: {alert.done}"]
    facts.append(f"{'help' if alert.kind == 'alert' else 'undo'}: {alert.undo}")
    if alert.receipt:
        facts.append(f"more: durward why {alert.receipt}")
    return inert.line("; ".join(facts), LINE_CHARACTERS_MAX)
