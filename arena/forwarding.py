"""A real journald that hands everything on to a real rsyslogd, as a stock Debian does: each line comes twice."""

import shutil
import subprocess
import time
from pathlib import Path

from arena.errors import ArenaError
from arena.journal import CONFIGURATION as OF_JOURNALD
from arena.journal import Journal
from arena.processes import ENVIRONMENT, end
from arena.room import Room
from arena.syslog import AUTH_LOG, READY_SECONDS
from arena.syslog import CONFIGURATION as OF_RSYSLOG

HANDED_ON = Path("/run/systemd/journal/syslog")  # where journald sends to, and anybody else may as well


class Forwarding(Journal):
    """Both daemons in a room. `read` gives the journal; the file is /var/log/auth.log."""

    programs = (*Journal.programs, "rsyslogd")

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self._rsyslogd: subprocess.Popen[bytes] | None = None

    def write_configuration(self, etc: Path) -> None:
        """Write both daemons' configurations."""
        super().write_configuration(etc)
        text = OF_JOURNALD.replace("ForwardToSyslog=no", "ForwardToSyslog=yes")
        (etc / "systemd" / "journald.conf").write_text(text, encoding="utf-8")
        text = OF_RSYSLOG.format(template="RSYSLOG_TraditionalFileFormat")
        text = text.replace(
            'SysSock.RateLimit.Interval="0"', f'SysSock.RateLimit.Interval="0" SysSock.Name="{HANDED_ON}"'
        )
        (etc / "rsyslog.conf").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start both. Raises ArenaError if they do not come."""
        auth_log = self._room.outside(AUTH_LOG)
        auth_log.touch(mode=0o640)
        shutil.chown(auth_log, group="adm")
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._rsyslogd = self._room.popen(["rsyslogd", "-n", "-iNONE"], env=ENVIRONMENT, **quiet)
        deadline = time.monotonic() + READY_SECONDS
        while not self._room.outside(HANDED_ON).is_socket():
            if self._rsyslogd.poll() is not None or time.monotonic() > deadline:
                raise ArenaError("rsyslogd did not open the socket that journald sends to")
            time.sleep(0.01)
        super().start()

    def stop(self) -> None:
        """End both."""
        super().stop()
        if self._rsyslogd is not None:
            end(self._rsyslogd)
