"""From a decision to its effect: numbered, written down, put into the kernel, and the guards' refusals noted."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from durward.control.channel import ChannelError
from durward.control.words import Entry
from durward.daemons.door import Door, Refusal
from durward.daemons.ledger import Ledger
from durward.daemons.process import say
from durward.daemons.reconciling import Reconciling
from durward.daemons.scripts import Scripts
from durward.engine.engine import Engine
from durward.model import Decision
from durward.store import standing

AT_ONCE_SECONDS = 0.05  # what the comparison with the kernel may take before a line is read; the rest goes on between
Listener = Callable[[Sequence[Decision], Mapping[int, str]], None]


class Acting:
    """Carries decisions out, and makes the kernel follow what stands when the enforcer comes (back)."""

    def __init__(self, engine: Engine, ledger: Ledger, door: Door) -> None:
        self.listeners: list[Listener] = []
        self._engine = engine
        self._ledger = ledger
        self._door = door
        self._scripts = Scripts(door)
        self._reconciling: Reconciling | None = None

    def act(
        self, made: Iterable[Decision], read: Mapping[str, str], now: float
    ) -> tuple[list[Decision], dict[int, str]]:
        """Have decisions carried out and written, with the positions. Gives the numbered ones, and refusals by id.

        What a detector decided goes to the kernel first, because an attacker does not wait for the disk: after a crash
        in between, its lines are read again, and lead to the same decision. What people decided is written first.
        """
        decided = self._ledger.number(self._scripts.completed(made))
        if self._reconciling is not None:
            self._reconciling.note(decided)
        held = {one.id: one.held for one in decided if one.held}
        if decided and all(one.origin.startswith("detector:") for one in decided):
            refused = held | self._follow(decided)
            self._ledger.write(decided, read, now, refused)
        else:
            self._ledger.write(decided, read, now)
            refused = self._follow(decided) if decided else {}
            if refused:
                self._ledger.refuse(refused, now)
        for decision in decided:
            self._tell_engine(decision, refused=decision.id in refused)
        for listener in self.listeners:
            listener(decided, refused)
        return decided, refused

    def begin(self, now: float) -> None:
        """Tell the engine who is blocked, before it reads a line."""
        for one in standing.all_of(self._ledger.store, "block"):
            if not one.scope.ports and (one.until is None or one.until > now):
                self._engine.block(one.subject, one.until)
        for one in standing.all_of(self._ledger.store, "throttle"):
            if one.until is None or one.until > now:
                self._engine.throttle(one.subject, one.until)

    def reconcile(self, now: float) -> None:
        """Begin to make the kernel hold exactly what stands, by difference; a small list is done at once.

        Raises ChannelError.
        """
        self._reconciling = Reconciling(self._ledger, self._door, now)
        until = time.monotonic() + AT_ONCE_SECONDS
        while self.go_on() and time.monotonic() < until:
            pass

    def go_on(self) -> bool:
        """Go on with that for a moment; give whether it is to be gone on with. Raises ChannelError, which ends it."""
        if self._reconciling is None:
            return False
        try:
            more = self._reconciling.step()
        except BaseException:
            self._reconciling = None
            raise
        if not more:
            self._reconciling = None
        return more

    @property
    def progress(self) -> str:
        """How far the kernel is compared with what stands, in plain words; nothing when it is done."""
        return self._reconciling.progress if self._reconciling else ""

    def _follow(self, decided: Sequence[Decision]) -> dict[int, str]:
        try:
            return self._put(decided) | self._take(decided)
        except ChannelError as error:
            self._door.degraded = str(error)
            say(f"{error}; the kernel follows when it does")
            return {}

    def _put(self, decided: Sequence[Decision]) -> dict[int, str]:
        meant = [one for one in decided if not (one.simulated or one.held)]
        refusals: list[Refusal] = []
        for verdict, put in (
            ("block", self._door.block),
            ("throttle", self._door.throttle),
            ("allow", self._door.allow),
        ):
            entries = [_entry(one) for one in meant if one.verdict == verdict]
            refusals += put(entries) if entries else []
        return {refusal.entry.decision: refusal.reason for refusal in refusals}

    def _take(self, decided: Sequence[Decision]) -> dict[int, str]:
        for verdict, listings in standing.DROPS.items():
            entries = [_entry(one) for one in decided if one.verdict == verdict]
            for listing in listings if entries else ():
                if listing != "ignore":  # the kernel has no such list
                    self._door.unblock(listing, entries)
        return {}

    def _tell_engine(self, decision: Decision, *, refused: bool) -> None:
        if decision.simulated or decision.held:
            return
        if decision.verdict == "unblock" or (refused and decision.verdict in ("block", "throttle")):
            self._engine.unblock(decision.subject)
        elif decision.verdict == "throttle":
            self._engine.throttle(decision.subject, decision.until)
        elif decision.verdict == "block" and not decision.scope.ports:
            self._engine.block(decision.subject, decision.until)


def _entry(decision: Decision) -> Entry:
    automatic = decision.origin.startswith("detector:")
    return Entry(decision.subject, decision.scope, decision.until, decision.id, automatic)
