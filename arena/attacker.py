"""Someone on the street who comes from one address: guesses passwords with the real OpenSSH client, logs in, knocks."""

import enum
import os
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from arena.accounts import PASSWORD
from arena.errors import PROGRAM_PATH, require_programs
from arena.namespace import open_socket
from arena.network import DOOR_IPV4, DOOR_IPV6, Network
from arena.session import OpenSession

SSH_OPTIONS = {
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
    "PreferredAuthentications": "password",
    "PubkeyAuthentication": "no",
    "LogLevel": "ERROR",
    "ServerAliveInterval": "2",  # a connection that is cut in its middle ends instead of hanging
    "ServerAliveCountMax": "2",
}
ENVIRONMENT = {"PATH": PROGRAM_PATH, "LC_ALL": "C", "HOME": "/nonexistent"}

# Gives ssh the next password of a file at every call: the next line, which it removes.
ASKPASS = """#!/bin/sh
head -n 1 "$ARENA_PASSWORDS"
sed -i 1d "$ARENA_PASSWORDS"
"""


class Answer(enum.Enum):
    """How the door answered."""

    LET_IN = "let in"
    WRONG_PASSWORD = "wrong password"
    REFUSED = "refused"  # somebody said no: a reset, an ICMP error, or sshd hung up
    NO_ANSWER = "no answer"  # silence until the timeout: what a dropped packet looks like


class Attacker:
    """One address on the street. It is added to the network if it is not there yet."""

    def __init__(self, network: Network, address: str, *, target: str | None = None) -> None:
        require_programs(["ssh", "sshpass"])
        network.add_address(address)
        self.network = network
        self.address = address
        self.family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
        self.target = target or (DOOR_IPV6 if self.family == socket.AF_INET6 else DOOR_IPV4)

    def guess(self, password: str = "wrong", user: str = "root", *, timeout_seconds: float = 5.0) -> Answer:
        """Try one password on a connection of its own."""
        argv = ["sshpass", "-e", *self._ssh(user, timeout_seconds, prompts=1), "true"]
        return self._ask(argv, {**ENVIRONMENT, "SSHPASS": password}, timeout_seconds)

    def guess_many(
        self, passwords: Sequence[str], user: str = "root", *, timeout_seconds: float = 10.0
    ) -> tuple[Answer, int]:
        """Try several passwords on one connection. Gives the last answer and how many passwords ssh asked for.

        sshd hangs up after MaxAuthTries of them.
        """
        with tempfile.TemporaryDirectory(prefix=f"durward-arena-{os.getpid()}-") as folder:
            script, remaining = Path(folder, "askpass"), Path(folder, "passwords")
            script.write_text(ASKPASS, encoding="ascii")
            script.chmod(0o700)
            remaining.write_text("".join(f"{password}\n" for password in passwords), encoding="utf-8")
            environment = {
                **ENVIRONMENT,
                "SSH_ASKPASS": str(script),
                "SSH_ASKPASS_REQUIRE": "force",
                "ARENA_PASSWORDS": str(remaining),
            }
            argv = [*self._ssh(user, timeout_seconds, prompts=len(passwords)), "true"]
            answer = self._ask(argv, environment, timeout_seconds)
            return answer, len(passwords) - len(remaining.read_text(encoding="utf-8").splitlines())

    def knock(self, port: int = 22, timeout_seconds: float = 1.0) -> Answer:
        """Make a bare TCP connection and hang up. LET_IN means that it was established.

        sshd notes in its log that somebody hung up: knock on its port sparingly, or on another one that is open.
        """
        try:
            self.connect(port, timeout_seconds).close()
        except TimeoutError:
            return Answer.NO_ANSWER
        except OSError:
            return Answer.REFUSED
        return Answer.LET_IN

    def can_connect(self, port: int = 22, timeout_seconds: float = 1.0) -> bool:
        """Say whether a TCP connection from this address is established in time."""
        return self.knock(port, timeout_seconds) is Answer.LET_IN

    def connect(self, port: int, timeout_seconds: float = 1.0) -> socket.socket:
        """Give a TCP connection from this address; the caller closes it. Raises OSError as `connect` does."""
        opened = self.open_socket(socket.SOCK_STREAM)
        try:
            opened.settimeout(timeout_seconds)
            opened.connect((self.target, port))
        except OSError:
            opened.close()
            raise
        return opened

    def open_socket(self, kind: socket.SocketKind) -> socket.socket:
        """Give a socket that is bound to this address, any port; the caller closes it."""
        opened = open_socket(self.network.street, self.family, kind)
        opened.bind((self.address, 0))
        return opened

    def open_session(
        self, user: str = "alice", password: str = PASSWORD, *, terminal: bool = True, timeout_seconds: float = 5.0
    ) -> OpenSession:
        """Log in and stay; with a terminal it is also noted in utmp. Raises ArenaError if we are not let in."""
        argv = ["sshpass", "-e", *self._ssh(user, timeout_seconds, prompts=1), *(["-tt"] if terminal else []), "cat"]
        process = self.network.popen_in(
            self.network.street,
            argv,
            env={**ENVIRONMENT, "SSHPASS": password},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return OpenSession(process, timeout_seconds)

    def _ssh(self, user: str, timeout_seconds: float, *, prompts: int) -> list[str]:
        options = {
            **SSH_OPTIONS,
            "ConnectTimeout": str(max(1, round(timeout_seconds))),
            "NumberOfPasswordPrompts": str(prompts),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "/dev/null", "-b", self.address, *words, "-l", user, self.target]

    def _ask(self, argv: Sequence[str], environment: dict[str, str], timeout_seconds: float) -> Answer:
        try:
            done = self.network.run_in(
                self.network.street,
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                timeout_seconds=timeout_seconds + 0.5,  # ssh counts whole seconds; let it speak first
            )
        except subprocess.TimeoutExpired:
            return Answer.NO_ANSWER
        return _answer_of(done)


def _answer_of(done: subprocess.CompletedProcess[str]) -> Answer:
    """Read what ssh said; its exit status is the same for every failure."""
    if done.returncode == 0:
        return Answer.LET_IN
    complaint = done.stderr
    if "Permission denied" in complaint or "Too many authentication failures" in complaint:
        return Answer.WRONG_PASSWORD
    if "timed out" in complaint or "not responding" in complaint:
        return Answer.NO_ANSWER
    return Answer.REFUSED
