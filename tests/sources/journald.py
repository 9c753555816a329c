"""A real journald of our own, in a mount namespace of its own, and ways to write to it as somebody."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SETUP = r"""
set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
printf '[Journal]\nReadKMsg=no\nAudit=no\nRateLimitIntervalSec=0\nStorage=volatile\n' \
    > /run/systemd/journald.conf.d/0.conf
exec /usr/lib/systemd/systemd-journald
"""
SENDER = r"""
import os, socket, sys
number, uid, unit, entry = sys.argv[1:]
if unit:
    with open(unit + "/cgroup.procs", "w") as procs:
        procs.write(str(os.getpid()))
os.setgid(int(uid)); os.setuid(int(uid))
socket.socket(fileno=int(number)).send(bytes.fromhex(entry))
sys.stdin.read()
"""
ENTRIES_OFFSET = 152  # of the number of entries in a journal file
WAIT_SECONDS = 20.0


class Journald:
    """The running journald; what is sent to it speaks its native protocol."""

    def __init__(self, process: subprocess.Popen[bytes], connected: socket.socket) -> None:
        self.process = process
        self.root = Path(f"/proc/{process.pid}/root")
        self._socket = connected
        address = self.root / "run/systemd/journal/socket"
        wait_until(address.exists)
        self._socket.connect(str(address))
        wait_until(lambda: self.count() > 0)

    def files(self) -> list[Path]:
        return sorted(self.root.glob("run/log/journal/*/*.journal"))

    def descriptors(self) -> list[int]:
        return [os.open(path, os.O_RDONLY) for path in self.files()]

    def count(self) -> int:
        """How many entries there are."""
        total = 0
        for path in self.files():
            with path.open("rb") as file:
                file.seek(ENTRIES_OFFSET)
                total += int.from_bytes(file.read(8), "little")
        return total

    def say(self, message: bytes, name: str) -> None:
        """Write one entry from this process, as root."""
        before = self.count()
        self._socket.send(native(message, name))
        wait_until(lambda: self.count() > before)

    def say_many(self, messages: list[bytes], name: str) -> None:
        before = self.count()
        for message in messages:
            self._socket.send(native(message, name))
        wait_until(lambda: self.count() >= before + len(messages))

    def say_as(
        self, message: bytes, name: str, *, uid: int = 0, unit: Path | None = None, program: str = sys.executable
    ) -> int:
        """Write one entry from a process of its own, which lives until journald has seen it; gives its number."""
        before = self.count()
        number = self._socket.fileno()
        arguments = [program, "-c", SENDER, str(number), str(uid), str(unit or ""), native(message, name).hex()]
        with subprocess.Popen(arguments, pass_fds=[number], stdin=subprocess.PIPE) as child:
            wait_until(lambda: self.count() > before or child.poll() is not None)
        assert child.returncode == 0
        return child.pid

    def say_and_die(self, message: bytes, name: str, *, uid: int = 0) -> None:
        """Write one entry from a process that is gone before journald looks."""
        before = self.count()
        self.process.send_signal(signal.SIGSTOP)
        number = self._socket.fileno()
        arguments = [sys.executable, "-c", SENDER, str(number), str(uid), "", native(message, name).hex()]
        subprocess.run(arguments, pass_fds=[number], stdin=subprocess.DEVNULL, check=True)
        self.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.count() > before)

    def print_lines(self, text: bytes, name: str, *, entries: int) -> None:
        """Write to what journald gives a service as its standard output, until it has made so many entries of it."""
        before = self.count()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as output:
            output.connect(str(self.root / "run/systemd/journal/stdout"))
            output.sendall(b"%b\n\n6\n0\n0\n0\n0\n%b" % (name.encode(), text))
            wait_until(lambda: self.count() >= before + entries)

    def rotate(self) -> None:
        before = len(self.files())
        self.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: len(self.files()) > before)


def native(message: bytes, name: str) -> bytes:
    """An entry in the native protocol, which may hold any bytes."""
    size = len(message).to_bytes(8, "little")
    return b"MESSAGE\n%b%b\nSYSLOG_IDENTIFIER=%b\n" % (size, message, name.encode())


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@contextmanager
def running_journald() -> Iterator[Journald]:
    arguments = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SETUP]
    with subprocess.Popen(arguments) as process, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connected:
        try:
            yield Journald(process, connected)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def unit_group(name: str) -> Iterator[Path]:
    """A control group that journald takes for a unit's."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    root = Path(next(fields[1] for fields in mounts if fields[2] == "cgroup2"))
    slice_ = root / "system.slice"
    made = not slice_.exists()
    slice_.mkdir(exist_ok=True)
    group = slice_ / name
    group.mkdir()
    try:
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()
        if made:
            slice_.rmdir()
