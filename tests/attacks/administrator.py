"""An administrator who is logged in by a real ssh session, types what he likes in it, and tries to come in again."""

import os
import re
import select
import sys
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from arena.accounts import PASSWORD
from arena.attacker import ENVIRONMENT, Attacker
from arena.errors import ArenaError
from arena.processes import end
from tests.attacks.scene import Scene

PROGRAM = Path(sys.executable).with_name("durward")
BLOCK = 65_536
SILENCE_SECONDS = 2.0  # after which a new session is taken for refused; ssh counts whole seconds
PATIENCE_SECONDS = 10.0  # with one that must begin
QUIET = {"ServerAliveInterval": "0", "TCPKeepAlive": "no"}  # a session that is cut off for a while is not given up


class Administrator:
    """Root at `address`, with a shell on a terminal of the door while the context is."""

    def __init__(self, scene: Scene, address: str, *, port: int = 22) -> None:
        self._scene = scene
        self._attacker = Attacker(scene.network, address)
        self.port = port
        self._numbers = count(1)
        self.address = address

    def __enter__(self) -> Self:
        self._begin()
        self.types(f'stty -echo; PS1=; PS2=; durward() {{ {PROGRAM} --home {self._scene.durward.home} "$@"; }}')
        return self

    def _begin(self) -> None:
        """Log in and wait for the shell: what is typed before that may be lost."""
        argv = ["sshpass", "-e", *self._ssh(PATIENCE_SECONDS), "-tt", "echo 0=begin; exec sh"]
        self._process = self._scene.network.popen_in(
            self._scene.network.street, argv, env=ENVIRONMENT | {"SSHPASS": PASSWORD}, stdin=-1, stdout=-1, stderr=-3
        )
        self._line, self._end = "ssh", re.compile(rb"(0)=begin\r?\n")
        self.was_told()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        end(self._process)

    def types(self, line: str, timeout_seconds: float = 20.0) -> tuple[int, str]:
        """Type a line; give its exit status and what it printed. Raises ArenaError if the session does not go on."""
        self.enters(line)
        return self.was_told(timeout_seconds)

    def enters(self, line: str) -> None:
        """Type a line and do not wait for what it prints. Raises ArenaError if the session is over."""
        self._line, token = line, f"end-of-line-{next(self._numbers)}"
        self._end = re.compile(rf"(\d+)={token}\r?\n".encode())
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f'{{ {line}\n}} 2>&1; echo "$?={token}"\n'.encode())
            self._process.stdin.flush()
        except OSError as error:
            raise ArenaError(f"the session of {self.address} is over: {error}") from None

    def was_told(self, timeout_seconds: float = 20.0) -> tuple[int, str]:
        """Give the exit status of the line that was typed last, and what it printed. Raises ArenaError."""
        assert self._process.stdout is not None
        descriptor, seen, deadline = self._process.stdout.fileno(), b"", time.monotonic() + timeout_seconds
        while (left := deadline - time.monotonic()) > 0 and select.select([descriptor], [], [], left)[0]:
            block = os.read(descriptor, BLOCK)
            if not block:
                break
            seen += block
            if found := self._end.search(seen):
                return int(found[1]), seen[: found.start()].replace(b"\r\n", b"\n").decode(errors="replace").strip()
        raise ArenaError(f"the session of {self.address} does not go on after {self._line!r}: {seen[-500:]!r}")

    def is_live(self, timeout_seconds: float = 10.0) -> bool:
        """Say whether the session still answers, whatever a command that was killed has left on its terminal."""
        try:
            self.types("true", timeout_seconds)
            return self.types("true", timeout_seconds) == (0, "")
        except ArenaError:
            return False

    def gets_in(self) -> bool:
        """Say whether a new session of his begins."""
        argv = ["sshpass", "-e", *self._ssh(SILENCE_SECONDS), "true"]
        done = self._scene.network.run_in(
            self._scene.network.street, argv, env=ENVIRONMENT | {"SSHPASS": PASSWORD}, timeout_seconds=10.0
        )
        return done.returncode == 0

    def types_anew(self, line: str) -> tuple[int, str]:
        """Type one line of durward in a new session."""
        command = line.replace("durward ", f"{PROGRAM} --home {self._scene.durward.home} ")
        argv = ["sshpass", "-e", *self._ssh(PATIENCE_SECONDS), f"{command} 2>&1"]
        done = self._scene.network.run_in(
            self._scene.network.street, argv, env=ENVIRONMENT | {"SSHPASS": PASSWORD}, timeout_seconds=20.0
        )
        return done.returncode, done.stdout + done.stderr

    def _ssh(self, timeout_seconds: float) -> list[str]:
        words = self._attacker._ssh("root", timeout_seconds, prompts=1)
        quiet = [word for name, value in QUIET.items() for word in ("-o", f"{name}={value}")]
        return [*words[:3], *quiet, "-p", str(self.port), *words[3:]]
