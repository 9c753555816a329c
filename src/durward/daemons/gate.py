"""The gate: what root says to the enforcer about the firewall. One word and one answer for each connection."""

import os
import socket
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from durward.control.channel import answer, receive
from durward.control.words import ROOT_TABLE, UnknownWordError, Word, decode
from durward.daemons.process import say
from durward.facts.listeners import listeners
from durward.model import Address
from durward.privileged.changes import Changes
from durward.privileged.connections import connections
from durward.privileged.failure import PrivilegedError
from durward.privileged.firewall import TEXT_BYTES_MAX, FirewallError, KernelFirewall
from durward.privileged.loading import load as load_skeleton
from durward.privileged.loading import unload
from durward.privileged.netlink import SOCK_DIAG, Netlink
from durward.privileged.surroundings import Surroundings
from durward.ruleset.switch import Firewall

REPAIR_SECONDS = 0.5  # between two repairs
REPORTS_MAX = 20  # kept for `doctor`
PATIENCE_SECONDS = 5.0  # with a root process that says nothing
TRIAL_WORDS = frozenset({"firewall apply", "firewall confirm", "firewall rollback"})
REFUSED = 3  # the exit status for what a guard forbids


class Gate:
    """Keeps the firewall. `anew` is called after the table was made again, so that the blocks come back into it."""

    def __init__(self, directory: Path, stopped: Path, skeleton: str, anew: Callable[[], None]) -> None:
        self._skeleton = skeleton
        self._stopped = stopped
        self._anew = anew
        self._firewall = KernelFirewall(directory, skeleton)
        self._repaired_at = 0.0
        self.changes = Changes()
        self.reports: list[str] = []
        if not self.is_stopped:
            load_skeleton(skeleton)
            self._firewall.restore(time.monotonic())
        self.changes.forget()

    @property
    def is_stopped(self) -> bool:
        """Whether `durward stop` was said, and `durward start` not yet."""
        return self._stopped.exists()

    def state(self) -> str:
        """What decides now: "off", "trial", "confirmed", or "stopped" where there is no table at all."""
        return "stopped" if self.is_stopped else self._firewall.state(time.monotonic())

    def tick(self) -> None:
        """Clear away a trial that nobody confirmed."""
        try:
            if not self.is_stopped and self._firewall.tick(time.monotonic()):
                self.changes.forget()
                say("nobody confirmed the firewall that was on trial; what decided before decides again")
        except PrivilegedError as error:
            say(f"the trial of the firewall cannot be cleared away: {error}")

    def look(self) -> None:
        """Undo what somebody else did to our table, and report who it was as far as the kernel knows."""
        foreign = self.changes.read()
        if foreign is None or self.is_stopped:
            return
        now = time.monotonic()
        if abs(now - self._repaired_at) < REPAIR_SECONDS:
            time.sleep(REPAIR_SECONDS)  # two tools that fight shall not take the whole processor
        what = "rules or sets" if foreign.structure else "elements"
        self._report(f"{foreign.who} changed {what} of table inet durward")
        try:
            if foreign.structure:
                load_skeleton(self._skeleton)
                self._firewall.restore(now, reload=True)
        except PrivilegedError as error:
            self._report(f"the table cannot be repaired: {error}")
        self._repaired_at = now
        self.changes.forget()
        self._anew()

    def _report(self, line: str) -> None:
        say(line)
        self.reports = [*self.reports, line][-REPORTS_MAX:]

    def hear(self, connection: socket.socket) -> None:
        """Hear one word of root's and answer it."""
        descriptors: list[int] = []
        with connection:
            connection.settimeout(PATIENCE_SECONDS)
            try:
                packet, descriptors = receive(connection)
                answer(connection, self._obey(decode(packet, ROOT_TABLE), descriptors))
            except UnknownWordError as error:
                say(f"root said what is no word ({error})")
            except OSError:
                pass
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)

    def _obey(self, word: Word, descriptors: list[int]) -> dict[str, Any]:
        now = time.monotonic()
        try:
            self._refuse_while_stopped(word)
            match word.name:
                case "firewall apply":
                    self._apply(word.fields, descriptors, now)
                case "firewall confirm":
                    self._firewall.confirm(word.fields["connection"], now)
                case "firewall rollback":
                    self._firewall.rollback()
                case "firewall off":
                    unload()
                    self._stopped.touch()
                case "firewall on":
                    self._stopped.unlink(missing_ok=True)
                    load_skeleton(self._skeleton)
                    self._firewall.restore(now)
                    self._anew()
            self.changes.forget()
        except FirewallError as error:
            return {"error": str(error), "status": REFUSED}
        except PrivilegedError as error:
            return {"error": str(error), "status": 1}
        return {
            "firewall": self.state(),
            "generation": self._firewall.next_generation(),
            "trial_seconds": round(self._firewall.trial_seconds(now)),
        }

    def _refuse_while_stopped(self, word: Word) -> None:
        if self.is_stopped and word.name in TRIAL_WORDS:
            raise FirewallError("durward is stopped: durward start")

    def _apply(self, fields: dict[str, Any], descriptors: list[int], now: float) -> None:
        if len(descriptors) != 1:
            raise FirewallError("the text of the firewall was expected")
        if not fields["force"]:
            _spare_administrators(fields["open_ports"])
        text = os.pread(descriptors[0], TEXT_BYTES_MAX, 0).decode(errors="replace")
        firewall = Firewall.marked(self._firewall.next_generation(), text)
        if not firewall.is_whole:
            raise FirewallError("another firewall was confirmed meanwhile; apply yours again: durward apply")
        self._firewall.apply(firewall, fields["seconds"], fields["connection"], now)


def _spare_administrators(open_ports: list[tuple[int, int]]) -> None:
    """Raises FirewallError where an administrator is logged in through a port that would be closed."""
    for login in Surroundings().live_logins():
        for port in _ports_in_use(login.address):
            if not any(first <= port <= last for first, last in open_ports):
                raise FirewallError(
                    f"this would close port {port}, through which {login} is logged in from {login.address}; "
                    "open it in tcp_in, or apply with --force"
                )


def _ports_in_use(address: Address) -> set[int]:
    """The ports of ours that an address has connected to. What we opened to it needs no open port."""
    ours = {listener.port for listener in listeners() if listener.protocol == "tcp"}
    with Netlink(SOCK_DIAG) as netlink:
        return {one.local_port for one in connections(netlink, [ip_network(address)])} & ours
