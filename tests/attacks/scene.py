"""A scene: network, door and durward, with attackers whose addresses nobody else has, and waiting for what shall be."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from arena.attacker import Answer, Attacker
from arena.durward import Durward
from arena.errors import ArenaError
from arena.host import Door, Log
from arena.network import Network
from arena.syslog import Stamps

PATIENCE_SECONDS = 8.0  # how long something that shall come is waited for; a slow machine is no failure
SETTINGS = """\
[firewall]
tcp_in = "22"
"""
FROM_LOG = """\
[services.sshd]
files = ["/var/log/auth.log"]
journal = []
"""
SILENCE_SECONDS = 0.5  # without an answer, on a cable that takes microseconds
CUT_OFF = {Answer.NO_ANSWER, Answer.REFUSED}


class Scene:
    """A real sshd behind a running durward. Tests share it, each with strangers of its own.

    `settings` replaces the whole durward.toml; `lists` are list files by name, there before the start.
    """

    def __init__(
        self,
        *,
        settings: str | None = None,
        lists: dict[str, str] | None = None,
        log: Log = "syslog",
        stamps: Stamps = "traditional",
        yard: bool = False,
        sshd_settings: dict[str, str | int] | None = None,
    ) -> None:
        self._settings, self._lists = settings, lists or {}
        self._log, self._stamps, self._yard, self._sshd = log, stamps, yard, sshd_settings
        self._places = ExitStack()
        self._numbers, self._networks = count(20), count(0x100)

    def __enter__(self) -> Self:
        with self._places:
            self.network = self._places.enter_context(Network(yard=self._yard))
            door = Door(self.network, log=self._log, stamps=self._stamps, sshd_settings=self._sshd)
            self.door = self._places.enter_context(door)
            self.durward = Durward(self.door, settings=self._settings)
            for name, text in self._lists.items():
                self.etc(name).write_text(text, encoding="utf-8")
            self.before_start()
            self.durward.start()
            self._places.callback(self.durward.stop)
            self._places = self._places.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._places.close()

    def before_start(self) -> None:
        """What a test prepares on the door before durward runs; nothing here."""

    def etc(self, name: str) -> Path:
        """Give the path of one settings file or list."""
        return self.durward.home / "etc" / name

    def stranger(self, *, ipv6: bool = False) -> Attacker:
        """Give somebody whom no other test has met: an IPv4 address, or one in an IPv6 /64 of its own."""
        address = f"2001:db8:{next(self._networks):x}::9" if ipv6 else f"203.0.113.{next(self._numbers)}"
        return self.at(address)

    def at(self, address: str) -> Attacker:
        """Give the attacker at an address."""
        return Attacker(self.network, address)

    def why(self, subject: str) -> dict[str, Any]:
        """Give what `why --json` says."""
        return self.durward.ask("why", subject)

    def is_blocked(self, subject: str) -> bool:
        """Say whether `why` calls a subject blocked."""
        return bool(self.why(subject)["blocked"])

    def count_of(self, subject: str) -> int:
        """Give how many failures the engine holds against somebody who is not blocked."""
        return int(self.why(subject)["layers"][0].get("count", 0))

    def fail(self, attacker: Attacker, times: int, *, user: str = "root") -> list[Answer]:
        """Try wrong passwords, each on a connection of its own; after silence no further ones."""
        answers = []
        for number in range(times):
            answers.append(attacker.guess(f"wrong-{number}", user, timeout_seconds=2.0))
            if answers[-1] is Answer.NO_ANSWER:
                break
        return answers

    def get_blocked(self, attacker: Attacker, *, user: str = "root") -> dict[str, Any]:
        """Have somebody blocked for five wrong passwords; give the layer of `why` that says so."""
        self.fail(attacker, 5, user=user)
        self.await_block(attacker.address)
        return self.layer(attacker.address)

    def layer(self, subject: str) -> dict[str, Any]:
        """Give the first layer of `why` that refuses. Raises ArenaError if none does."""
        answer = self.why(subject)
        for layer in answer["layers"]:
            if layer["blocked"]:
                return dict(layer)
        raise ArenaError(f"nothing refuses {subject}: {answer}")

    def await_block(self, subject: str) -> None:
        """Wait until `why` calls a subject blocked."""
        self.wait(lambda: self.is_blocked(subject), f"{subject} is blocked")

    def await_count(self, subject: str, hits: int) -> None:
        """Wait until exactly so many failures are held against somebody: then all of his lines were read."""
        self.wait(lambda: self.count_of(subject) >= hits, f"{subject} has {hits} failures")

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something is true. Raises ArenaError, with what durward said, if it does not become so."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ArenaError(f"not within {seconds} s: {what}\n`durward run` said:\n{self.durward.said()}")
            time.sleep(0.05)

    def established(self, address: str) -> list[str]:
        """Give the door's own TCP connections with an address, as `ss` shows them."""
        spelt = f"[{address}]" if ":" in address else address
        done = self.door.run(["ss", "-tnH", "state", "established", "dst", spelt], check=True)
        return [line for line in done.stdout.splitlines() if line.strip()]

    def log(self) -> list[dict[str, Any]]:
        """Give every decision, the oldest first."""
        return self.lines("log", "--lines", "10000")

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """Run a verb that answers with JSON lines and read them; anything else on its output is an error."""
        done = self.durward.command(*words, "--json")
        return read_lines(done.stdout)


def read_lines(text: str) -> list[dict[str, Any]]:
    """Read JSON lines. Raises ValueError for anything else."""
    return [json.loads(line) for line in text.splitlines()]


def is_silent(attacker: Attacker, port: int = 22) -> bool:
    """Say whether a knock gets no answer at all, as from a machine that is not there."""
    return attacker.knock(port, SILENCE_SECONDS) is Answer.NO_ANSWER
