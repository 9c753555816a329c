"""durward itself on the door: a home of its own, `durward run` in the background, and the verbs that people type."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.errors import PROGRAM_PATH, ArenaError
from arena.host import Door
from arena.journal import Journal
from arena.processes import Completed, end

READY_SECONDS = 15.0
SHOWN_MAX = 4000  # characters of its output that an error message carries
SETTINGS = """\
[firewall]
tcp_in = "22"

[services.sshd]
"""
FROM_FILE = 'files = ["{auth_log}"]\njournal = []\n'
FROM_JOURNAL = "files = []\n"  # and the units that the card names


class Durward:
    """A durward that protects the door. `home` has the same name inside and outside.

    `settings` is the text of durward.toml; without it, port 22 is open and sshd's log is read.
    """

    def __init__(self, door: Door, *, settings: str | None = None) -> None:
        self._door = door
        self._process: subprocess.Popen[bytes] | None = None
        self.home = door.work / "durward"
        self.output = door.work / "durward.output"  # what `durward run` says
        (self.home / "etc").mkdir(parents=True)
        text = SETTINGS + _source_of(door) if settings is None else settings
        (self.home / "etc" / "durward.toml").write_text(text, encoding="utf-8")

    def start(self, *, timeout_seconds: float = READY_SECONDS) -> float:
        """Start `durward run`; give the seconds until `status` said that it protects. Raises ArenaError."""
        began_at = time.monotonic()
        with self.output.open("ab") as output:
            self._process = self._door.popen(
                [*_program(), "run"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while not self._protects():
            if self._process.poll() is not None:
                raise ArenaError(f"durward ended ({self._process.returncode}):\n{self.said()}")
            if time.monotonic() - began_at > timeout_seconds:
                raise ArenaError(f"durward does not protect after {timeout_seconds} s:\n{self.said()}")
            time.sleep(0.05)
        return time.monotonic() - began_at

    def stop(self) -> int:
        """Stop it cleanly; give its exit status."""
        if self._process is None:
            raise ArenaError("durward was not started")
        return end(self._process)

    def command(self, *words: str, timeout_seconds: float = 10.0) -> Completed:
        """Run one verb on the door, as in `command("why", "203.0.113.9")`."""
        return self._door.run([*_program(), *words], env=self._environment(), timeout_seconds=timeout_seconds)

    def type(self, line: str) -> Completed:
        """Run a whole command line that durward itself has offered, as in "durward unblock 203.0.113.9"."""
        name, *words = shlex.split(line)
        if name != "durward":
            raise ArenaError(f"not a command of durward: {line!r}")
        return self.command(*words)

    def ask(self, *words: str) -> dict[str, Any]:
        """Run one verb with --json and give its answer. Raises ArenaError if that is no JSON object."""
        done = self.command(*words, "--json")
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ArenaError(
                f"durward {' '.join(words)} --json ({done.returncode}) said {done.stdout!r} {done.stderr!r}"
            )
        return answer

    def said(self) -> str:
        """Give the end of what `durward run` has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")[-SHOWN_MAX:].strip()

    def _protects(self) -> bool:
        try:
            return self.ask("status").get("protecting") is True
        except ArenaError:  # it does not answer yet
            return False

    def _environment(self) -> dict[str, str]:
        # Where `durward` is a script of the virtualenv, "durward" alone should be found as well.
        path = f"{Path(sys.executable).parent}:{PROGRAM_PATH}"
        return {"PATH": path, "LC_ALL": "C.UTF-8", "HOME": "/", "DURWARD_HOME": str(self.home)}


def _source_of(door: Door) -> str:
    return FROM_JOURNAL if isinstance(door.log, Journal) else FROM_FILE.format(auth_log=door.auth_log)


def _program() -> Sequence[str | Path]:
    return [Path(sys.executable).with_name("durward")]
