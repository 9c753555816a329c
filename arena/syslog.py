"""A real rsyslogd on the door: it owns /dev/log and writes /var/log/auth.log, as on a stock Debian or Ubuntu."""

# ruff: noqa: A005 (nothing here reaches for the standard library's module of this name)

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal

from arena.errors import ArenaError
from arena.processes import ENVIRONMENT, end
from arena.room import Room

Stamps = Literal["traditional", "iso"]
TEMPLATES: dict[Stamps, str] = {"traditional": "RSYSLOG_TraditionalFileFormat", "iso": "RSYSLOG_FileFormat"}
AUTH_LOG = Path("/var/log/auth.log")
READY_SECONDS = 5.0

CONFIGURATION = """\
module(load="imuxsock" SysSock.RateLimit.Interval="0")
module(load="builtin:omfile" Template="{template}")
$FileCreateMode 0640
$FileGroup adm
auth,authpriv.*          /var/log/auth.log
*.*;auth,authpriv.none   /var/log/syslog
"""


class Syslog:
    """The log daemon in a room. `stamps`: lines begin "Nov 23 08:10:00" or "2026-11-23T08:10:00.123456+00:00"."""

    programs = ("rsyslogd",)

    def __init__(self, room: Room, stamps: Stamps) -> None:
        self._room = room
        self._stamps: Stamps = stamps
        self._process: subprocess.Popen[bytes] | None = None

    def write_configuration(self, etc: Path) -> None:
        """Write /etc/rsyslog.conf; AppArmor lets Ubuntu's rsyslogd read it nowhere else."""
        text = CONFIGURATION.format(template=TEMPLATES[self._stamps])
        (etc / "rsyslog.conf").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start it and wait for /dev/log. Raises ArenaError if it does not come."""
        auth_log = self._room.outside(AUTH_LOG)
        auth_log.touch(mode=0o640)  # there from the first moment, as on a host that has been up
        shutil.chown(auth_log, group="adm")
        self._process = self._room.popen(
            ["rsyslogd", "-n", "-iNONE"],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._room.outside(Path("/dev/log")).is_socket():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ArenaError("rsyslogd did not open /dev/log; try: rsyslogd -N1 -f /etc/rsyslog.conf")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it; what it holds is written first."""
        if self._process is not None:
            end(self._process)

    def reopen(self) -> None:
        """Have it close and open its files: what logrotate asks for after it has renamed one."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def read(self) -> str:
        """Give all of auth.log so far."""
        return self._room.outside(AUTH_LOG).read_text(encoding="utf-8", errors="replace")
