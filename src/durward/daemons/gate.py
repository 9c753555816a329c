"""The gate: what root says to the enforcer about the firewall. One word and one answer for each connection."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from durward.control.channel import answer, receive
from durward.control.words import ROOT_TABLE, UnknownWordError, Word, decode
from durward.daemons.administrators import connections_now, name_of, refuse_old, spare, ways_in
from durward.daemons.lending import Lending
from durward.daemons.process import say
from durward.model import Address
from durward.privileged.carrying import elements_there
from durward.privileged.changes import Changes
from durward.privileged.failure import KernelError, PrivilegedError
from durward.privileged.firewall import TEXT_BYTES_MAX, FirewallError, KernelFirewall
from durward.privileged.keeper import Keeper
from durward.privileged.loading import unload
from durward.ruleset.elements import Element
from durward.ruleset.merged import LISTS_MAX
from durward.ruleset.policy import DENY_LIST
from durward.ruleset.skeleton import set_names
from durward.ruleset.switch import Firewall

REPAIR_SECONDS = 0.5  # between two repairs
REPORTS_MAX = 20  # kept for `doctor`
WAYS_MAX = 50  # of those who are logged in are told; the guard looks at all
PATIENCE_SECONDS = 5.0  # with a root process that says nothing
TRIAL_WORDS = frozenset({"firewall apply", "firewall confirm", "firewall rollback", "firewall none"})
LOADING_WORDS = frozenset({"firewall apply", "firewall lists"})
LISTS = "lists"  # the directory below that of state
REFUSED = 3  # the exit status for what a guard forbids


class Gate:
    """Keeps the firewall. A table that is made again begins with what `keeper` was asked for.

    `anew` is called then, so that the engine compares that with what it knows.
    `allows` says whether an address is let in whatever the firewall says of its ports.
    """

    def __init__(
        self,
        directory: Path,
        stopped: Path,
        skeleton: str,
        anew: Callable[[], None],
        keeper: Keeper,
        *,
        allows: Callable[[Address], bool] = lambda _address: False,
        deny_list: Path | None = None,
    ) -> None:
        self._skeleton = skeleton
        self._stopped = stopped
        self._anew = anew
        self._keeper = keeper
        self._allows = allows
        self._repaired_at = 0.0
        self.changes = Changes()
        self.reports: list[str] = []
        self.lists = Lending(directory / LISTS, deny_list or directory / DENY_LIST, self.changes, self._report)
        self._firewall = KernelFirewall(directory, skeleton, self.lists.library.contents)
        self.lists.firewalls = self._firewall.firewalls
        if not self.is_stopped:
            self.lists.library.adopt(self._firewall.firewalls())
            self._firewall.restore(time.monotonic(), self._elements)
            self.lists.begin()
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
                self.lists.tidy()
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
                self._firewall.restore(now, self._elements, reload=True, anew=foreign.holders)
            self._keeper.repair(None if foreign.much else foreign.elements, time.time())
            self.lists.heed(foreign)
        except PrivilegedError as error:
            self._report(f"the table cannot be repaired: {error}")
        self._repaired_at = now
        self.changes.forget()
        self._anew()

    def _elements(self) -> list[Element]:
        """What a table that is made anew begins with: what the engine asked for, or else what the old one has."""
        return self._keeper.elements(time.time()) or elements_there(sorted(set_names(self._skeleton)))

    def _report(self, line: str) -> None:
        say(line)
        self.reports = [*self.reports, line][-REPORTS_MAX:]

    def hear(self, connection: socket.socket) -> None:
        """Hear one word of root's and answer it; at once, unless lists have to be loaded before."""
        descriptors: list[int] = []
        with ExitStack() as closing:
            closing.enter_context(connection)
            connection.settimeout(PATIENCE_SECONDS)
            try:
                packet, descriptors = receive(connection)
                for descriptor in descriptors:
                    closing.callback(os.close, descriptor)
                word = decode(packet, ROOT_TABLE)
                if word.name in LOADING_WORDS:
                    self.lists.refuse_more()
                    self.lists.add(self._answering(connection, word, descriptors, closing.pop_all()))
                    self.lists.work()
                else:
                    answer(connection, self._obey(word, descriptors))
                    self.lists.tidy()
            except UnknownWordError as error:
                say(f"root said what is no word ({error})")
            except FirewallError as error:
                with suppress(OSError):
                    answer(connection, {"error": str(error), "status": REFUSED})
            except OSError:
                pass

    def _answering(
        self, connection: socket.socket, word: Word, descriptors: list[int], closing: ExitStack
    ) -> Iterator[None]:
        """Do what needs lists in the kernel, in steps, and answer when it is done."""
        problems: list[str] = []
        with closing:
            try:
                self._refuse_while_stopped(word)
                if word.name == "firewall lists":
                    yield from self.lists.refreshing(problems)
                elif len(descriptors) == 1:
                    yield from self.lists.preparing(_text_in(descriptors))
                reply = self._obey(word, descriptors)
            except FirewallError as error:
                reply = {"error": str(error), "status": REFUSED}
            except PrivilegedError as error:
                reply = {"error": str(error), "status": 1}
            told = self.lists.library.told()[:LISTS_MAX]
            if "error" not in reply and (told or word.name == "firewall lists"):
                reply |= {"lists": told, "problems": problems}
            with suppress(OSError):
                answer(connection, reply)
        self.lists.tidy()

    def _obey(self, word: Word, descriptors: list[int]) -> dict[str, Any]:
        now = time.monotonic()
        try:
            self._refuse_while_stopped(word)
            match word.name:
                case "firewall ways":
                    found = ways_in(name_of(word.fields["connection"]))[:WAYS_MAX]
                    return {"ways": [[str(way.address), way.port, way.who] for way in found]}
                case "firewall apply":
                    self._apply(word.fields, descriptors, now)
                case "firewall confirm":
                    self._confirm(name_of(word.fields["connection"]), now)
                case "firewall rollback":
                    self._firewall.rollback()
                case "firewall none":
                    self._firewall.off()
                case "firewall off":
                    unload()
                    self._stopped.touch()
                case "firewall on":
                    self._stopped.unlink(missing_ok=True)
                    self._firewall.restore(now, self._elements)
                    self.lists.begin()
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
        applying = name_of(fields["connection"])
        if not fields["force"]:
            self._refuse_second(applying, now)
            spare(ways_in(applying), fields["open_ports"], self._allows)
        firewall = Firewall.marked(self._firewall.next_generation(), _text_in(descriptors))
        if not firewall.is_whole:
            raise FirewallError("another firewall was confirmed meanwhile; apply yours again: durward apply")
        try:
            older = connections_now()
        except KernelError:
            older = frozenset()  # then being another connection than the one that applies has to do
        self._firewall.apply(firewall, fields["seconds"], applying, now, older)

    def _refuse_second(self, applying: str, now: float) -> None:
        """Of two who apply at once, the first is not to confirm the other one's firewall for his own."""
        tried_by = self._firewall.tried_by(now)
        if tried_by is not None and tried_by != applying:
            seconds = round(self._firewall.trial_seconds(now))
            other = f"that {tried_by.split(maxsplit=1)[0]} applied" if tried_by else "that somebody else applied"
            raise FirewallError(
                f"a firewall {other} is on trial for {seconds} s more; wait, end its trial with durward rollback, "
                "or apply with --force"
            )

    def _confirm(self, connection: str, now: float) -> None:
        if self._firewall.tried_by(now) is not None:
            refuse_old(connection)
        self._firewall.confirm(connection, now)


def _text_in(descriptors: list[int]) -> str:
    return os.pread(descriptors[0], TEXT_BYTES_MAX, 0).decode(errors="replace")
