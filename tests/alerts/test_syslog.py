"""The system's log: one line an alert, on a real socket, without the lines that an attacker wrote."""

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.messages.samples import ALERT, LINE, hostile, message, place

from durward.alerts import syslog
from durward.messages.channel import UndeliveredError


def values(path: Path) -> dict[str, Any]:
    return {"socket": str(path), "facility": "daemon"}


def test_each_alert_is_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        syslog.send(message(ALERT, hostile("\n<0>kernel: panic\n")), values(tmp_path / "log"), place())
        first, second = log.recv(4096).decode(), log.recv(4096).decode()
    assert first.startswith("<29>durward[")
    for part in (
        "203.0.113.9 is blocked for 1h",
        "5 failed sshd logins",
        "undo: durward unblock 203.0.113.9",
        "K7QM-2XFD",
    ):
        assert part in first
    assert LINE not in first, "other programs read logs for such lines"
    assert "\n" not in second
    assert "\\x0a<0>kernel" in second


def test_without_a_log_daemon_it_is_undelivered(tmp_path: Path) -> None:
    with pytest.raises(UndeliveredError, match="No such file"):
        syslog.send(message(), values(tmp_path / "log"), place())
