"""The processes that an arena started: remembered, ended, waited for, also those that its daemons started in turn."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from arena.errors import PROGRAM_PATH, ArenaError

GRACE_SECONDS = 6.0  # between asking a process to end and ending it; `durward run` gives its own children 5
ENVIRONMENT = {"PATH": PROGRAM_PATH, "LC_ALL": "C.UTF-8", "HOME": "/"}

Completed = subprocess.CompletedProcess[str]
Identity = tuple[int, int]  # device and inode of a namespace; two processes share it if these are equal


def run(argv: Sequence[str | Path], *, timeout_seconds: float = 30.0, **options: Any) -> Completed:
    """Run a program to its end and give its output as text; with `check=True` a failure raises ArenaError."""
    check = options.pop("check", False)
    words = [str(word) for word in argv]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_seconds, check=False, **options)
    if check and done.returncode != 0:
        raise ArenaError(f"{' '.join(words)} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    return done


class Processes:
    """The long-running programs that one owner started. `stop` ends and reaps them, the youngest first."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[Any]] = []

    def start(self, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program in a session of its own, so that Ctrl-C reaches only us and we end it in order."""
        options.setdefault("start_new_session", True)
        process = subprocess.Popen([str(word) for word in argv], **options)
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End everything that was started and still runs, and close our ends of its pipes."""
        for process in reversed(self._started):
            end(process)
        self._started.clear()


def end(process: subprocess.Popen[Any]) -> int:
    """Ask a process to end, insist after GRACE_SECONDS, reap it and close its pipes. Gives its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # unwritten bytes for a reader that is gone
                pipe.close()
    return process.wait()


def identity_of(path: Path) -> Identity:
    """Give what tells one namespace from another. Raises OSError if there is none at `path`."""
    status = path.stat()
    return status.st_dev, status.st_ino


def processes_in(kind: str, namespace: Identity) -> list[int]:
    """List the processes whose namespace of this kind ("net", "mnt") is the given one; ours is never among them."""
    return [pid for pid in _all_processes() if pid != os.getpid() and _lives_in(pid, kind, namespace)]


def end_processes_in(kind: str, namespace: Identity) -> None:
    """End everything that still lives in a namespace of ours: sessions of its sshd, what they started, and so on."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in processes_in(kind, namespace):
            _signal(pid, number, kind, namespace)
        deadline = time.monotonic() + GRACE_SECONDS
        while processes_in(kind, namespace):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        else:
            return


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _lives_in(pid: int, kind: str, namespace: Identity) -> bool:
    try:
        return identity_of(Path(f"/proc/{pid}/ns/{kind}")) == namespace
    except OSError:  # it has ended meanwhile
        return False


def _signal(pid: int, number: signal.Signals, kind: str, namespace: Identity) -> None:
    """Signal a process through a descriptor, after looking again: its number may have passed to someone else."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if _lives_in(pid, kind, namespace):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)
