"""`durward run`: starts the processes in the foreground, restarts what dies, stops them cleanly.

For containers, tests and a first look. With systemd its units do this; the processes are the same.
"""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from durward.catalog.document import ProblemsError
from durward.catalog.shelf import channels_on
from durward.config.home import Home
from durward.config.loading import Loaded, load
from durward.daemons.privileges import EXIT_PRIVILEGES, PrivilegesError, account
from durward.daemons.process import EXIT_AGAIN, EXIT_SETTINGS, begin, say

FATAL_EXITS = frozenset({EXIT_SETTINGS, EXIT_PRIVILEGES})  # starting again would end the same way
RESTART_SECONDS_MAX = 5.0  # the pause before a restart doubles up to this
STEADY_SECONDS = 10.0  # a process that lived this long begins again at the shortest pause
RESTART_SECONDS = 0.05
STOP_SECONDS = 5.0  # between SIGTERM and SIGKILL
LOOK_SECONDS = 5.0  # how often it looks although no signal came

ENFORCER_USER = "durward-enforcer"
ENGINE_USER = "durward-engine"
GROUP = "durward"
ALERTER = "alerter"
HERALD = "herald"


@dataclass(slots=True)
class Process:
    """One process of ours: how it is started, and what became of it."""

    name: str
    arguments: list[str]
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause_seconds: float = field(default=RESTART_SECONDS)
    starts: int = 0
    vital: bool = True  # without it, nothing is protected: what cannot be started then is told, and everything ends

    def start(self, now: float) -> None:
        """Start it. `now` is monotonic seconds."""
        self.child = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL)
        self.started_at = now
        self.starts += 1

    def reap(self, now: float) -> int | None:
        """Give the exit status if it has died since it was started, and note when to start it again."""
        if self.child is None or (status := self.child.poll()) is None:
            return None
        self.child = None
        if now - self.started_at >= STEADY_SECONDS:
            self.pause_seconds = RESTART_SECONDS
        self.start_again_at = now + self.pause_seconds
        self.pause_seconds = min(self.pause_seconds * 2, RESTART_SECONDS_MAX)
        return status


class Supervisor:
    """Keeps the enforcer and the engine alive until it is told to stop."""

    def __init__(self, home: Home) -> None:
        self._stopping = self._reloading = False
        self._home = home
        self.processes = [self._process("enforcer"), self._process("engine")]
        with suppress(ProblemsError):  # the engine says what is wrong with the settings
            self._follow(load(home))

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; give the exit status of the whole."""
        waking, woken = socket.socketpair()
        waking.setblocking(False)
        woken.setblocking(False)
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, self._signalled)
        status = 0
        while not self._stopping and status == 0:
            status = self._look(time.monotonic())
            if status == 0 and select.select([woken], [], [], self._patience(time.monotonic()))[0]:
                woken.recv(4096)
        self._stop()
        return status

    def _process(self, name: str, *, vital: bool = True) -> Process:
        below = ["--etc", str(self._home.etc), "--lib", str(self._home.lib), "--run", str(self._home.run)]
        command = [sys.executable, "-I", "-m", f"durward.daemons.{name}", *below, "--supervised", str(os.getpid())]
        return Process(name, command, vital=vital)

    def _follow(self, loaded: Loaded) -> None:
        """Have a process that sends alerts where a channel is on, and one that asks for names where any are needed."""
        for name, needed in ((ALERTER, bool(channels_on(loaded.settings.alerts))), (HERALD, loaded.exempting.asks)):
            running = [process for process in self.processes if process.name == name]
            if needed and not running:
                self.processes.append(self._process(name, vital=False))
            for process in running if not needed else ():
                self.processes.remove(process)
                self._end(process)

    def _patience(self, now: float) -> float:
        waits = [process.start_again_at - now for process in self.processes if process.child is None]
        return max(0.0, min([LOOK_SECONDS, *waits]))

    def _look(self, now: float) -> int:
        if self._reloading:
            self._reloading = False
            self._reload()
        for process in self.processes:
            status = process.reap(now)
            if status in FATAL_EXITS and process.starts == 1 and process.vital:
                return status  # later on, the other process goes on protecting, and this one is tried again
            if status == EXIT_AGAIN:
                process.start_again_at = now
            elif status is not None:
                say(f"the {process.name} died ({_cause(status)}) and is started again")
            if process.child is None and now >= process.start_again_at:
                process.start(now)
        return 0

    def _reload(self) -> None:
        """Have every process begin again with the settings as they are now, unless there is a mistake in them."""
        try:
            loaded = load(self._home)
        except ProblemsError as error:
            say(f"{error}\ndurward: the settings are wrong; everything goes on with those that it has")
            return
        for process in self.processes:
            if process.child is not None:
                process.child.send_signal(signal.SIGHUP)
        self._follow(loaded)

    def _signalled(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._reloading = True
        elif number != signal.SIGCHLD:
            self._stopping = True

    def _stop(self) -> None:
        for process in reversed(self.processes):  # the engine first: it has the enforcer's last words to hear
            self._end(process)

    def _end(self, process: Process) -> None:
        if process.child is None:
            return
        process.child.terminate()
        try:
            process.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"the {process.name} did not stop within {STOP_SECONDS:.0f} s and is killed")
            process.child.kill()
            process.child.wait()


def prepare(home: Home) -> None:
    """Make the directories that are missing and give each its owner. Needs root. Raises PrivilegesError."""
    group = account(ENGINE_USER).pw_gid
    enforcer = account(ENFORCER_USER)
    if enforcer.pw_gid != group:
        raise PrivilegesError(f"{ENFORCER_USER!r} and {ENGINE_USER!r} should share the group {GROUP!r}")
    # Sticky: each process replaces its own files in them, and nobody else's.
    for directory, owner, mode in ((home.etc, 0, 0o750), (home.lib, 0, 0o1770), (home.run, 0, 0o1770)):
        directory.mkdir(parents=True, exist_ok=True)
        os.chown(directory, owner, group)
        directory.chmod(mode)
    with suppress(FileExistsError):  # what somebody else put there is refused by whoever reads lists
        home.lists.mkdir(mode=0o750)
        os.chown(home.lists, 0, group)
        home.lists.chmod(0o750)  # whatever the umask says: the engine reads the networks of exempt countries there
    _share(home.etc, group)
    (home.run / "stopped").unlink(missing_ok=True)  # to run is to protect again


def _share(etc: Path, group: int) -> None:
    """Let the processes read the settings, lists and cards, which stay root's to write. Links are left alone."""
    for path in (*etc.glob("*"), *etc.glob("*/*.toml")):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            os.chown(path, -1, group, follow_symlinks=False)
            path.chmod(stat.S_IMODE(status.st_mode) | (0o050 if stat.S_ISDIR(status.st_mode) else 0o040))


def main() -> NoReturn:
    """Prepare the directories, then keep the processes alive until told to stop."""
    beginning = begin("supervisor")
    try:
        prepare(beginning.home)
    except (PrivilegesError, OSError) as error:
        beginning.give_up(str(error))
    sys.exit(Supervisor(beginning.home).run())


def _cause(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


if __name__ == "__main__":
    main()
