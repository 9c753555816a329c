"""The demonstration: a real sshd, a real attacker, the block, the reason for it, and the one command that undoes it.

`./start --demo` calls it as `python -m arena.demo`. It needs root, and leaves the host's own network alone.
"""

import argparse
import signal
import sys
import time
from typing import Any, NoReturn

from arena.attacker import Answer, Attacker
from arena.durward import Durward
from arena.errors import ArenaError, require_programs
from arena.host import Door
from arena.network import DOOR_IPV4, DOOR_IPV6, FRIEND_IPV4, Network
from arena.session import OpenSession

NEEDED = ["ip", "nft", "nsenter", "unshare", "mount", "sshd", "ssh", "ssh-keygen", "sshpass", "rsyslogd"]
GUESSES = ("123456", "password", "root", "admin", "qwerty", "letmein", "toor", "changeme", "test", "111111")
GUESS_SECONDS = 3.0
STRANGER_IPV4, STRANGER_IPV6 = "203.0.113.9", "2001:db8:2::9"
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Teller:
    """Tells the story: numbered steps, facts below them, and commands with what they really printed."""

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._steps = 0
        self._colours = sys.stdout.isatty()

    @property
    def seconds(self) -> float:
        """How long the story has been going on."""
        return time.monotonic() - self._began_at

    def step(self, text: str) -> None:
        """Begin the next step."""
        self._steps += 1
        print(f"\n{self._bold(f'{self._steps}. {text}')}", flush=True)

    def fact(self, text: str) -> None:
        """Say what was seen, with the time at which it was."""
        print(f"   {self.seconds:5.1f} s  {text}", flush=True)

    def command(self, line: str, output: str) -> None:
        """Show a command and its output."""
        print(f"\n     {self._bold(f'# {line}')}")
        print("".join(f"     {row}\n" for row in output.strip().splitlines()), flush=True)

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._colours else text


def main() -> None:
    """Tell the story. Exit status: 0 all as promised, 1 something was not."""
    parser = argparse.ArgumentParser(prog="./start --demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ipv6", action="store_true", help="the attacker comes over IPv6")
    arguments = parser.parse_args()
    for number in SIGNALS:  # so that everything is taken down also when a terminal is closed
        signal.signal(number, _leave)
    try:
        require_programs(NEEDED)
        tell(ipv6=arguments.ipv6)
    except ArenaError as error:
        sys.exit(f"\ndemo: {error}")
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; everything was taken down")


def tell(*, ipv6: bool = False) -> None:
    """Build the arena, tell the story in it, and take it down. Raises ArenaError at the first thing not as promised."""
    teller = Teller()
    stranger, target = (STRANGER_IPV6, DOOR_IPV6) if ipv6 else (STRANGER_IPV4, DOOR_IPV4)
    teller.step("Two network namespaces: a door and a street. The network of this host is not touched.")
    with Network() as network:
        teller.fact(f"{network.door} is {target}, {network.street} is the rest of the internet")
        teller.step("Behind the door: a real sshd, and rsyslogd that writes its log.")
        with Door(network) as door:
            teller.fact(f"sshd answers on {target} port 22")
            durward = Durward(door)
            _protect(teller, durward)
            with Attacker(network, FRIEND_IPV4).open_session() as session:
                teller.fact(f"alice is logged in from {FRIEND_IPV4}, and shall not notice any of this")
                try:
                    _attack(teller, durward, Attacker(network, stranger), session)
                except ArenaError as error:
                    raise ArenaError(f"{error}\n\n`durward run` said:\n{durward.said()}") from None
            teller.step("Everything is taken down.")
            durward.stop()
    teller.fact("namespaces, daemons and files are gone")


def _protect(teller: Teller, durward: Durward) -> None:
    teller.step("durward starts protecting the door.")
    seconds = durward.start()
    teller.fact(f"`durward status` says that it protects, {seconds:.1f} s after `durward run`")


def _attack(teller: Teller, durward: Durward, attacker: Attacker, session: OpenSession) -> None:
    teller.step(f"An attacker at {attacker.address} guesses root's password with the OpenSSH client.")
    _guess_until_blocked(teller, attacker)
    teller.step("Why can he not connect?")
    shown = durward.command("why", attacker.address)
    teller.command(f"durward why {attacker.address}", shown.stdout + shown.stderr)
    _expect(not attacker.can_connect(), "the attacker can still connect")
    teller.fact(f"a connection from {attacker.address} to port 22 gets no answer")
    _expect(session.is_live(), "alice's session was cut off")
    teller.fact("alice's session goes on")
    teller.step("It was a mistake? One command takes it back.")
    undo = _undo_command(durward.ask("why", attacker.address))
    undone = durward.type(undo)
    teller.command(undo, undone.stdout + undone.stderr)
    _expect(undone.returncode == 0, f"`{undo}` failed ({undone.returncode})")
    _expect(attacker.can_connect(), "the attacker is still blocked")
    teller.fact(f"{attacker.address} can connect again")


def _guess_until_blocked(teller: Teller, attacker: Attacker) -> None:
    for password in GUESSES:
        answer = attacker.guess(password, timeout_seconds=GUESS_SECONDS)
        teller.fact(f"root / {password:<10} {answer.value}")
        if answer in {Answer.NO_ANSWER, Answer.REFUSED}:
            return
    raise ArenaError(f"{len(GUESSES)} wrong passwords, and the attacker was not blocked")


def _undo_command(why: dict[str, Any]) -> str:
    """Give the undo that `why --json` offers for the first layer that refuses. Raises ArenaError if none does."""
    for layer in why.get("layers", []):
        if layer.get("blocked") and layer.get("undo"):
            return str(layer["undo"])
    raise ArenaError(f"`durward why` offers no undo: {why}")


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ArenaError(f"not as promised: {otherwise}")


def _leave(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
