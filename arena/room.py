"""A private view of the file system for the door: own /dev, /run and /var/log, and chosen files of /etc.

One holder process keeps it alive; everything else enters with nsenter. On the host no mount is ever made.
"""

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.errors import ArenaError
from arena.namespace import entering
from arena.processes import Identity, Processes, end_processes_in, identity_of, run

TEMPORARY = Path("/tmp")
PREFIX = "durward-arena-"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
FOLDERS = {
    "dev": 0o755,
    "dev/pts": 0o755,
    "dev/shm": 0o1777,
    "run": 0o755,
    "run/home": 0o755,
    "run/lock": 0o1777,
    "run/sshd": 0o755,
    "log": 0o755,
    "sys": 0o755,
    "etc": 0o755,
}
# Programs that note log-ins write to these only if they are there.
RECORDS = {"run/utmp": 0o664, "log/wtmp": 0o664, "log/btmp": 0o660, "log/lastlog": 0o664}
READY_SECONDS = 5.0


class Room:
    """A mount namespace inside a network namespace. `work` is the folder on the host that everything private lies in.

    Inside, /run, /var/log and /dev are `work`/run, `work`/log and `work`/dev, and every file or folder that was put
    into `work`/etc before `open` covers its namesake in /etc. For the rest the host's files are seen, and can be
    changed; /home is among them, since a checkout of durward may lie there.
    """

    def __init__(self, network_namespace: str) -> None:
        self._network_namespace = network_namespace
        self._processes = Processes()
        self._identity: Identity | None = None  # of the mount namespace, once there is one
        self._pin: int | None = None  # keeps it there: else another room might get its number before all is ended
        self.holder: subprocess.Popen[bytes] | None = None
        self.work = _make_work_folder()

    def open(self) -> None:
        """Make the mount namespace. Raises ArenaError if the kernel refuses."""
        holder = self._processes.start(
            entering(self._network_namespace, ["unshare", "--mount", "--propagation", "private", "cat"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.holder = holder
        _await_echo(holder)
        namespace = Path(f"/proc/{holder.pid}/ns/mnt")
        self._pin = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        self._identity = identity_of(namespace)
        table = self.work / "mounts"
        table.write_text(self._mounts(), encoding="utf-8")
        self.run(["mount", "--all", "--fstab", table], check=True)

    def close(self) -> None:
        """End everything that runs inside, and with it the mount namespace; remove the folder."""
        self._processes.stop()
        if self._identity is not None:
            end_processes_in("mnt", self._identity)
            self._identity = None
        if self._pin is not None:
            os.close(self._pin)
            self._pin = None
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end; options as for `processes.run`."""
        return run(self._entering(argv), **options)

    def popen(self, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program inside; options as for Popen. It is ended with the room at the latest."""
        return self._processes.start(self._entering(argv), **options)

    def outside(self, path: Path) -> Path:
        """Give the host's name of a private file that is known by its name inside. Raises ArenaError for others."""
        for inner, outer in (("/var/log", "log"), ("/run", "run"), ("/dev", "dev"), ("/etc", "etc")):
            if path.is_relative_to(inner):
                return self.work / outer / path.relative_to(inner)
        raise ArenaError(f"{path} is not private: it is the same file on the host")

    def _entering(self, argv: Sequence[str | Path]) -> list[str | Path]:
        if self.holder is None or self.holder.poll() is not None:
            raise ArenaError("the room is not open: its holder process does not run")
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--net", "--", *argv]

    def _mounts(self) -> str:
        """Write the table of what covers what. /dev and /sys are put together in the folder first.

        The host's /dev has no place for a log of ours, and its /sys would show the host's links.
        """
        work = self.work
        pairs = [(work / "run", "/run"), (work / "log", "/var/log")]
        pairs += [(path, f"/etc/{path.name}") for path in sorted((work / "etc").iterdir())]
        pairs += [(Path("/dev", name), f"{work}/dev/{name}") for name in DEVICES]
        lines = [f"{source} {target} none bind 0 0\n" for source, target in pairs]
        lines.append(f"durward-arena {work}/dev/pts devpts newinstance,ptmxmode=0666,mode=0620 0 0\n")
        lines.append(f"durward-arena {work}/sys sysfs ro 0 0\n")
        lines.append(f"/sys/fs/cgroup {work}/sys/fs/cgroup none rbind 0 0\n")
        return "".join([*lines, f"{work}/dev /dev none rbind 0 0\n", f"{work}/sys /sys none rbind 0 0\n"])


def remove_stale_folders() -> None:
    """Remove the folders of arenas whose process is dead."""
    for folder in TEMPORARY.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and folder.lstat().st_uid == 0 and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _make_work_folder() -> Path:
    work = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=TEMPORARY))
    work.chmod(0o755)  # what runs inside under its own user must find its home below
    for name, mode in FOLDERS.items():
        (work / name).mkdir()
        (work / name).chmod(mode)
    for name, mode in RECORDS.items():
        (work / name).touch()
        (work / name).chmod(mode)
    for name in DEVICES:
        (work / "dev" / name).touch()
    for name, target in LINKS.items():
        (work / "dev" / name).symlink_to(target)
    return work


def _await_echo(holder: subprocess.Popen[bytes]) -> None:
    """Wait until the holder is `cat`, and so until unshare has done its work."""
    assert holder.stdin is not None, "started with a pipe"
    assert holder.stdout is not None, "started with a pipe"
    try:
        holder.stdin.write(b"\n")
        holder.stdin.flush()
    except BrokenPipeError:
        raise ArenaError("no mount namespace could be made: unshare ended at once") from None
    readable, _, _ = select.select([holder.stdout], [], [], READY_SECONDS)
    if not readable or not os.read(holder.stdout.fileno(), 1):
        raise ArenaError("no mount namespace could be made: unshare did not answer")
