"""A real OpenSSH server on the door: its configuration, its key, starting and stopping it."""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from arena.errors import ArenaError
from arena.processes import ENVIRONMENT, end, run
from arena.room import Room

PORT = 22
READY_SECONDS = 5.0
LISTENING = "0A"  # TCP_LISTEN as /proc/net/tcp writes it

SETTINGS: Mapping[str, str | int] = {
    "Port": PORT,
    "AddressFamily": "any",
    "HostKey": "/etc/ssh/ssh_host_ed25519_key",
    "UsePAM": "yes",
    "PasswordAuthentication": "yes",
    "KbdInteractiveAuthentication": "no",
    "PermitRootLogin": "yes",
    "UseDNS": "no",
    "PrintMotd": "no",
    "MaxAuthTries": 6,
    "MaxStartups": "200:30:400",  # its own refusals at random would be mistaken for ours
    "PidFile": "/run/sshd.pid",
    "Subsystem": "sftp internal-sftp",
}


class Sshd:
    """The server in a room. `settings` are lines of sshd_config that replace or join the arena's own."""

    def __init__(self, room: Room, settings: Mapping[str, str | int]) -> None:
        self._room = room
        self._settings = {**SETTINGS, **_no_penalties(), **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def write_configuration(self, etc: Path) -> None:
        """Write /etc/ssh with a key of its own, and PAM without its pause after a wrong password."""
        folder = etc / "ssh"
        folder.mkdir()
        lines = [f"{name} {value}\n" for name, value in self._settings.items()]
        (folder / "sshd_config").write_text("".join(lines), encoding="utf-8")
        run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "arena", "-f", folder / "ssh_host_ed25519_key"],
            check=True,
        )

    def start(self) -> None:
        """Start it and wait until it listens on both families. Raises ArenaError with what it complained about."""
        self._process = self._room.popen(
            ["/usr/sbin/sshd", "-D"],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ArenaError(f"sshd did not start: {self._complaint()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop listening; sessions that are open stay open, as with the service of a distribution."""
        if self._process is not None:
            end(self._process)

    @property
    def pid(self) -> int:
        """The listening process. Raises ArenaError before `start`."""
        if self._process is None:
            raise ArenaError("sshd was not started")
        return self._process.pid

    def _listens(self) -> bool:
        # Asking the kernel rather than connecting: a connection would leave a line in the log.
        return all(_is_listening(Path(f"/proc/{self.pid}/net/{table}")) for table in ("tcp", "tcp6"))

    def _complaint(self) -> str:
        assert self._process is not None, "called after start"
        assert self._process.stderr is not None, "started with a pipe"
        pipe = self._process.stderr
        if self._process.poll() is None:
            return f"no listener on port {PORT} after {READY_SECONDS} s"
        return str(pipe.read().decode("utf-8", "replace").strip())


def _is_listening(table: Path) -> bool:
    try:
        rows = [row.split() for row in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:  # the process has just ended
        return False
    return any(row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == PORT for row in rows)


def _no_penalties() -> Mapping[str, str | int]:
    """Switch off what sshd itself does against guessers since 9.8: the arena is there to see what durward does."""
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", run(["ssh", "-V"]).stderr)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return {"PerSourcePenalties": "no"} if version >= (9, 8) else {}
