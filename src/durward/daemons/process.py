"""How each process begins: its arguments, its supervisor, and how it is told to stop."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from durward.config.home import Home
from durward.daemons.privileges import EXIT_PRIVILEGES, PrivilegesError, die_with_parent

EXIT_SETTINGS = 2
EXIT_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the supervisor starts it again at once, with the settings as they are then

Result = TypeVar("Result")


def say(line: str) -> None:
    """One line for the journal, or for whoever looks at the foreground. Only our own words, never a log's."""
    sys.stderr.write(f"durward: {line}\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a process was started with."""

    name: str
    home: Home
    supervisor: int | None

    def give_up(self, reason: str) -> NoReturn:
        """End because of settings that are wrong: starting again would not help."""
        say(reason)
        sys.exit(EXIT_SETTINGS)

    def settle(self, act: Callable[[], Result]) -> Result:
        """Give up something that is not needed; a failure is fatal, never "go on as root"."""
        try:
            return act()
        except PrivilegesError as error:
            say(f"the {self.name} does not start: {error}")
            sys.exit(EXIT_PRIVILEGES)

    def follow_supervisor(self) -> None:
        """Stop when the supervisor does, if there is one. After the last change of user, which would undo it."""
        if self.supervisor is not None:
            parent = self.supervisor
            self.settle(lambda: die_with_parent(parent))

    def stop_descriptor(self) -> int:
        """A descriptor that becomes readable when a signal asks this process to stop, or to begin again."""
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)
        return reading.detach()


def status_after(stop: int) -> int:
    """The exit status: EXIT_AGAIN after SIGHUP, so that a new process begins with the settings as they are now."""
    return EXIT_AGAIN if os.read(stop, 1) == bytes([signal.SIGHUP]) else 0


def begin(name: str) -> Beginning:
    """Read the arguments that every process takes."""
    parser = argparse.ArgumentParser(prog=f"durward-{name}", description=f"The {name} of durward.")
    system = Home()
    for part in ("etc", "lib", "run"):
        parser.add_argument(f"--{part}", type=Path, default=getattr(system, part), metavar="DIR")
    parser.add_argument("--supervised", type=int, metavar="PID", help="stop when this process does")
    arguments = parser.parse_args()
    os.umask(0o077)
    return Beginning(name, Home(arguments.etc, arguments.lib, arguments.run), arguments.supervised)
