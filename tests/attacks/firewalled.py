"""A scene whose firewall is on: what is open and what is closed on the door, and people who type its verbs."""

import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self

from arena.attacker import Answer, Attacker
from arena.namespace import open_socket
from arena.network import DOOR_IPV4, DOOR_IPV6, Network
from arena.processes import Completed
from tests.attacks.scene import FROM_LOG, SILENCE_SECONDS, Scene

OPEN, CLOSED = 8080, 9090  # something listens on both
OPEN_UDP, CLOSED_UDP = 5353, 9999
OPEN_ELSEWHERE, CLOSED_ELSEWHERE = 443, 8443
# The arena's addresses are for documentation, and so nobody's in the world outside.
SETTINGS = f"""\
[firewall]
tcp_in = "22,{OPEN}"
udp_in = "{OPEN_UDP}"
tcp_out = "{OPEN_ELSEWHERE}"
bogons = false
"""
HERE, ELSEWHERE = f"192.0.2.10 40022 {DOOR_IPV4} 22", f"192.0.2.10 40023 {DOOR_IPV4} 22"
PROGRAM = Path(sys.executable).with_name("durward")


class Firewalled(Scene):
    """A door that listens on an open and on a closed port. `types` types a verb; the firewall begins as it is told."""

    def __init__(self, *, begin: str = "confirmed", settings: str = SETTINGS) -> None:
        super().__init__(settings=settings + FROM_LOG)
        self._begin = begin

    def __enter__(self) -> Self:
        super().__enter__()
        listen(self.network, self._places)
        if self._begin == "confirmed":
            self.confirmed()
        return self

    def set_ports(self, tcp_in: str, *, more: str = "") -> None:
        """Write other open ports into the settings."""
        text = self.etc("durward.toml").read_text(encoding="utf-8")
        text = re.sub(r"^ssh_ports.*\n", "", text, flags=re.MULTILINE)
        self.etc("durward.toml").write_text(
            re.sub(r'^tcp_in = ".*"$', f'tcp_in = "{tcp_in}"{more}', text, flags=re.MULTILINE), encoding="utf-8"
        )

    def types(self, *words: str, connection: str = HERE) -> Completed:
        """Run a verb as somebody who is logged in through `connection`; one that confirms is there at that time."""
        environment = {**self.durward._environment(), "SSH_CONNECTION": connection}
        with self._connected(connection) if words[0] == "confirm" else nullcontext():
            return self.door.run([PROGRAM, *words], env=environment, timeout_seconds=20.0)

    @contextmanager
    def _connected(self, connection: str) -> Iterator[None]:
        """Have a connection to sshd as SSH_CONNECTION names it, unless it is refused. It ends without a trace."""
        source, port, *_ = connection.split()
        with open_socket(self.network.street, socket.AF_INET, socket.SOCK_STREAM) as theirs:
            theirs.settimeout(SILENCE_SECONDS)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.bind((source, int(port)))
            with suppress(OSError):
                theirs.connect((DOOR_IPV4, 22))
            yield

    def does(self, *words: str, connection: str = HERE) -> Completed:
        """Run a verb that must succeed."""
        done = self.types(*words, connection=connection)
        assert done.returncode == 0, (words, done.stdout, done.stderr, self.durward.said())
        return done

    def confirmed(self) -> None:
        """Have what the settings say decide for good."""
        self.does("apply")
        self.does("confirm", connection=ELSEWHERE)

    def types_over_ssh(self, friend: Attacker, *lines: str) -> list[str]:
        """Type lines in one real SSH session as root; give what was printed, with each line's exit status."""
        program = f"{PROGRAM} --home {self.durward.home}"
        script = "; ".join(f"{line.replace('durward', program)} 2>&1; echo status $?" for line in lines)
        argv: list[Any] = ["sshpass", "-e", *friend._ssh("root", 5.0, prompts=1), script]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SSHPASS": "correct-horse-9"}
        done = self.network.run_in(self.network.street, argv, env=environment, timeout_seconds=30.0)
        return done.stdout.splitlines()

    def firewall(self) -> str:
        """Give what `status` says of the firewall."""
        return str(self.durward.ask("status")["firewall"])

    def reaches(self, attacker: Attacker, port: int) -> bool:
        """Say whether a connection comes about."""
        return reaches(attacker, port)

    def reached_ports(self) -> list[list[int]]:
        """Give the ports, of the open and the closed one, that strangers reach over IPv4 and over IPv6."""
        return reached_ports(self.stranger(), self.stranger(ipv6=True))

    def table(self) -> str:
        """Give our table as the kernel has it, without its counters' contents; empty where there is none."""
        done = self.door.run(["nft", "-s", "list", "table", "inet", "durward"])
        return done.stdout if done.returncode == 0 else ""


def listen(network: Network, places: ExitStack) -> None:
    """Have the door listen on the open and on the closed port, until `places` is closed.

    Somebody comes once by each family: when neighbours are to be found first, an answer may take a second.
    """
    for family, address in ((socket.AF_INET, DOOR_IPV4), (socket.AF_INET6, DOOR_IPV6)):
        for port in (OPEN, CLOSED):
            listening = places.enter_context(open_socket(network.door, family, socket.SOCK_STREAM))
            listening.bind((address, port))
            listening.listen(1000)
    for stranger in ("203.0.113.9", "2001:db8:2::9"):
        Attacker(network, stranger).connect(OPEN, 5.0).close()


def reached_ports(*strangers: Attacker) -> list[list[int]]:
    """Give the ports, of the open and the closed one, that each of these reaches."""
    return [[port for port in (OPEN, CLOSED) if reaches(one, port)] for one in strangers]


def reaches(attacker: Attacker, port: int) -> bool:
    """Say whether a connection comes about."""
    return attacker.knock(port, SILENCE_SECONDS) is Answer.LET_IN
