"""The door: a machine of its own in the arena, with accounts, a log daemon and sshd, and room for durward itself."""

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from arena.accounts import make_homes, write_accounts
from arena.errors import ArenaError, require_programs
from arena.forwarding import Forwarding
from arena.journal import Journal
from arena.network import Network
from arena.room import Room, remove_stale_folders
from arena.sshd import Sshd
from arena.syslog import AUTH_LOG, Stamps, Syslog

Log = Literal["syslog", "journal", "both"]
DAEMONS: Mapping[Log, type[Syslog | Journal]] = {"syslog": Syslog, "journal": Journal, "both": Forwarding}
COMMON_AUTH = Path("/etc/pam.d/common-auth")
PASSWORD_MODULE = re.compile(r"^(auth\s.*\bpam_unix\.so\b.*)$", re.MULTILINE)


class Door:
    """A host in `network.door` with private files, there while the context is.

    `auth_log` is valid inside, where durward is to run (`run`, `popen`); `outside` gives the host's name of it, and
    `work` is a folder that has the same name inside and outside, for example for durward's --home.
    `hurry` leaves out PAM's pause of two seconds after a wrong password. `sshd_settings` are lines of sshd_config.
    """

    def __init__(
        self,
        network: Network,
        *,
        log: Log = "syslog",
        stamps: Stamps = "traditional",
        sshd_settings: Mapping[str, str | int] | None = None,
        hurry: bool = True,
    ) -> None:
        self._network = network
        self._log, self._stamps = log, stamps
        self._sshd_settings = sshd_settings or {}
        self._hurry = hurry
        self.auth_log = AUTH_LOG

    def __enter__(self) -> Self:
        daemon = DAEMONS[self._log]
        require_programs(["ip", "nsenter", "unshare", "mount", "sshd", "ssh", "ssh-keygen", *daemon.programs])
        remove_stale_folders()
        self.room = Room(self._network.door)
        self.work = self.room.work
        try:
            self._build()
        except BaseException:
            self.room.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.room.close()

    def run(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program on the door to its end; options as for `processes.run`."""
        return self.room.run(argv, **options)

    def popen(self, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program on the door; options as for Popen. It is ended with the door at the latest."""
        return self.room.popen(argv, **options)

    def outside(self, path: Path) -> Path:
        """Give the host's name of a private file of the door."""
        return self.room.outside(path)

    def read_log(self) -> str:
        """Give what has been logged about authentication so far, whichever daemon keeps it."""
        return self.log.read()

    def wait_for_line(self, pattern: str, timeout_seconds: float = 5.0) -> str:
        """Give the first logged line that a regular expression is found in. Raises ArenaError if none comes in time."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout_seconds
        while True:
            text = self.read_log()
            for line in text.splitlines():
                if wanted.search(line):
                    return line
            if time.monotonic() > deadline:
                raise ArenaError(f"no line with {pattern!r} within {timeout_seconds} s; there is:\n{text}")
            time.sleep(0.02)

    def _build(self) -> None:
        etc = self.work / "etc"
        write_accounts(etc)
        make_homes(self.work / "run" / "home")
        kind = DAEMONS[self._log]
        self.log = Syslog(self.room, self._stamps) if issubclass(kind, Syslog) else kind(self.room)
        self.sshd = Sshd(self.room, self._sshd_settings)
        self.log.write_configuration(etc)
        self.sshd.write_configuration(etc)
        if self._hurry and COMMON_AUTH.exists():
            _write_hurried_pam(etc)
        self.room.open()
        self.log.start()
        self.sshd.start()


def _write_hurried_pam(etc: Path) -> None:
    """Put the host's common-auth in place with `nodelay` for passwords; what is logged stays the same."""
    text = PASSWORD_MODULE.sub(r"\1 nodelay", COMMON_AUTH.read_text(encoding="utf-8"))
    (etc / "pam.d").mkdir()
    for path in COMMON_AUTH.parent.iterdir():
        if path.is_file():
            (etc / "pam.d" / path.name).write_bytes(path.read_bytes())
    (etc / "pam.d" / COMMON_AUTH.name).write_text(text, encoding="utf-8")
