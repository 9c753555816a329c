"""A real systemd-journald on the door, as on a host without rsyslog: it owns /dev/log and keeps /run/log/journal."""

import signal
import subprocess
import time
from pathlib import Path

from arena.errors import ArenaError
from arena.processes import ENVIRONMENT, end
from arena.room import Room

PROGRAM = "/usr/lib/systemd/systemd-journald"
SOCKET = Path("/run/systemd/journal/dev-log")
READY_SECONDS = 5.0

CONFIGURATION = """\
[Journal]
Storage=volatile
RateLimitIntervalSec=0
ForwardToSyslog=no
ForwardToKMsg=no
ForwardToConsole=no
ForwardToWall=no
"""


class Journal:
    """The log daemon in a room. Its files lie in /run/log/journal/MACHINE-ID inside."""

    programs = (PROGRAM,)

    def __init__(self, room: Room) -> None:
        self._room = room
        self._process: subprocess.Popen[bytes] | None = None

    def write_configuration(self, etc: Path) -> None:
        """Write /etc/systemd/journald.conf, and with it an otherwise empty /etc/systemd; /dev/log becomes a link."""
        (etc / "systemd").mkdir()
        (etc / "systemd" / "journald.conf").write_text(CONFIGURATION, encoding="utf-8")
        for folder in ("systemd/journal", "log/journal"):
            self._room.outside(Path("/run", folder)).mkdir(parents=True)
        self._room.outside(Path("/dev/log")).symlink_to(SOCKET)

    def start(self) -> None:
        """Start it and wait for its socket. Raises ArenaError if it does not come."""
        self._process = self._room.popen(
            [PROGRAM],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._room.outside(SOCKET).is_socket():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ArenaError("systemd-journald did not open its socket")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it; what it holds is written first."""
        if self._process is not None:
            end(self._process)

    def reopen(self) -> None:
        """Have it begin a new file: what `journalctl --rotate` asks for."""
        if self._process is not None:
            self._process.send_signal(signal.SIGUSR2)

    def read(self) -> str:
        """Give all lines so far as journalctl shows them."""
        return self._room.run(["journalctl", "--no-pager", "--quiet", "--output=short"]).stdout
