"""What is measured, set up: a door and a street of their own, a log that only the bench writes, durward, fail2ban."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from arena.errors import ArenaError
from arena.host import Door
from arena.namespace import configure
from arena.network import Network
from arena.processes import ENVIRONMENT, end
from bench.lines import failures

from durward.config.home import Home
from durward.control.requests import NoAnswerError, ask_one

LOG = Path("/var/log/bench.log")  # as the door sees it
# Everybody is answered from the street, so that any of these addresses can be an attacker's.
STRANGERS = ("203.0.113.0/24", "198.51.100.0/24", "10.0.0.0/8")
SETTINGS = f'[firewall]\ntcp_in = "22"\n\n[services.sshd]\nfiles = ["{LOG}"]\njournal = []\n'
DURWARD = Path(sys.executable).with_name("durward")
FAIL2BAN = Path("/etc/fail2ban")
JAIL = """\
[DEFAULT]
backend = {backend}
usedns = no
bantime = 1h
findtime = 1h
maxretry = 5
[sshd]
enabled = true
logpath = {log}
action = nftables[type=allports, protocol="tcp,udp", blocktype=drop, name=sshd]
"""
FAIL2BAN_LOCAL = "[Definition]\nlogtarget = {work}/log\nsocket = {work}/socket\npidfile = {work}/pid\ndbfile = None\n"
READY_SECONDS = 20.0
UP_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.005


class Stage:
    """There while the context is. `log` is the host's name of the log; nothing is started yet but sshd and syslog."""

    def __enter__(self) -> Self:
        with ExitStack() as places:
            self.network = places.enter_context(Network())
            self.door = places.enter_context(Door(self.network))
            configure(self.network.street, [f"route add local {network} dev lo" for network in STRANGERS])
            self.log = self.door.outside(LOG)
            self.log.touch()
            self._home = Home(*(self.door.work / "durward" / part for part in ("etc", "lib", "run")))
            self._home.etc.mkdir(parents=True)
            (self._home.etc / "durward.toml").write_text(SETTINGS)
            self._places = places.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._places.close()

    @property
    def database(self) -> Path:
        """Where durward's database is, or will be."""
        return self._home.database

    @property
    def environment(self) -> dict[str, str]:
        """What a verb needs to find this durward; the engine's socket can be reached from outside the door as well."""
        return {**ENVIRONMENT, "DURWARD_HOME": str(self._home.etc.parent)}

    def start(self) -> float:
        """Start `durward run`; give the seconds until the engine answers that it protects. Raises ArenaError."""
        began = time.monotonic()
        with self._output.open("ab") as output:
            self._running = self.door.popen([DURWARD, "run"], env=self.environment, stdout=output, stderr=output)
        while not self._is_up():
            if time.monotonic() - began > UP_SECONDS_MAX:
                raise ArenaError(
                    f"durward does not protect after {UP_SECONDS_MAX} s:\n{self._output.read_text()[-2000:]}"
                )
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    def stop(self) -> None:
        """Stop durward cleanly."""
        end(self._running)

    def kill(self) -> None:
        """End all of durward as a power failure would: SIGKILL, the supervisor first."""
        pids = self.processes()
        for name in ("supervisor", "engine", "enforcer"):
            with suppress(ProcessLookupError):
                os.kill(pids[name], signal.SIGKILL)
        end(self._running)

    def append(self, data: bytes) -> None:
        """Write to the log in one write()."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, data)
        os.close(descriptor)

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask the engine over its socket, without the cost of a command. Raises NoAnswerError."""
        return ask_one(self._home.engine_socket, verb, **fields)

    def lines_read(self) -> int:
        """How many lines of the log the engine has dealt with since it started."""
        return int(sum(source["lines"] for source in self.ask("status")["sources"]))

    def await_lines(self, count: int, timeout_seconds: float = 60.0) -> None:
        """Wait until the engine has dealt with so many lines. Raises ArenaError."""
        deadline = time.monotonic() + timeout_seconds
        while self.lines_read() < count:
            if time.monotonic() > deadline:
                raise ArenaError(f"{self.lines_read()} of {count} lines were read in {timeout_seconds} s")
            time.sleep(0.02)

    def processes(self) -> dict[str, int]:
        """The ids of engine, enforcer and supervisor."""
        found = {process["name"]: int(process["pid"]) for process in self.ask("status")["processes"]}
        return found | {"supervisor": parent_of(found["engine"])}

    @contextmanager
    def writing(self, rate_per_second: float, mix: str, seconds: float = 600.0) -> Iterator[subprocess.Popen[str]]:
        """Another process writes lines at a rate meanwhile."""
        words = [sys.executable, "-m", "bench.lines", str(self.log), str(rate_per_second), mix, str(seconds)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            try:
                yield writer
            finally:
                writer.kill()

    @contextmanager
    def fail2ban(self, backend: str) -> Iterator[int]:
        """A fail2ban with a configuration of its own beside, or instead of, durward; gives its process id."""
        work = self.door.work / f"fail2ban-{backend}"
        shutil.copytree(FAIL2BAN, work, symlinks=True)
        (work / "jail.d" / "defaults-debian.conf").unlink(missing_ok=True)
        (work / "jail.local").write_text(JAIL.format(backend=backend, log=LOG))
        (work / "fail2ban.local").write_text(FAIL2BAN_LOCAL.format(work=work))
        words = ["fail2ban-server", "-c", work, "-s", work / "socket", "-p", work / "pid", "-f", "start"]
        process = self.door.popen(words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._await_fail2ban(work)
            yield process.pid
        finally:
            end(process)

    def _await_fail2ban(self, work: Path) -> None:
        """Wait until it follows the log. Raises ArenaError with what it said."""
        deadline = time.monotonic() + READY_SECONDS
        said = ""
        while "Jail 'sshd' started" not in said:
            if time.monotonic() > deadline:
                raise ArenaError(f"fail2ban did not start: {said[-2000:]}")
            time.sleep(0.1)
            with suppress(FileNotFoundError):
                said = (work / "log").read_text()
        time.sleep(1.0)

    def _is_up(self) -> bool:
        with suppress(NoAnswerError):
            return self.ask("status").get("protecting") is True
        return False

    @property
    def _output(self) -> Path:
        return self.door.work / "durward.output"

    def warm_up(self, address: str) -> None:
        """Have one address blocked, so that whatever is done only once is done."""
        self.append(failures(address, 5))
        time.sleep(1.0)


def parent_of(pid: int) -> int:
    """The process that started another one."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def fail2ban_backends() -> list[str]:
    """The ways of following a file with which Debian's fail2ban can be measured here."""
    if shutil.which("fail2ban-server") is None:
        return []
    probe = subprocess.run(["/usr/bin/python3", "-c", "import pyinotify"], capture_output=True, check=False)
    return ["polling", *(["pyinotify"] if probe.returncode == 0 else [])]
