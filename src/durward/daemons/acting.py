"""From a decision to its effect: numbered, written down, put into the kernel, and the guards' refusals noted."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from durward.control.channel import ChannelError
from durward.control.words import Entry
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.process import say
from durward.engine.engine import Engine
from durward.model import Decision, Listing, Standing
from durward.store import standing

LIFTED_SECONDS = 30 * 86400.0  # what was lifted longer ago has left the kernel by its own timeout
LISTINGS: tuple[Listing, ...] = ("allow", "block")
Listener = Callable[[Sequence[Decision], Mapping[int, str]], None]


class Acting:
    """Carries decisions out, and makes the kernel follow what stands when the enforcer comes (back)."""

    def __init__(self, engine: Engine, ledger: Ledger, door: Door) -> None:
        self.listeners: list[Listener] = []
        self._engine = engine
        self._ledger = ledger
        self._door = door

    def act(
        self, made: Iterable[Decision], read: Mapping[str, str], now: float
    ) -> tuple[list[Decision], dict[int, str]]:
        """Have decisions carried out and written, with the positions. Gives the numbered ones, and refusals by id.

        What a detector decided goes to the kernel first, because an attacker does not wait for the disk: after a crash
        in between, its lines are read again, and lead to the same decision. What people decided is written first.
        """
        decided = self._ledger.number(made)
        if decided and all(one.origin.startswith("detector:") for one in decided):
            refused = self._follow(decided)
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

    def reconcile(self, now: float) -> None:
        """Make the kernel hold exactly what stands, by difference. Raises ChannelError."""
        store = self._ledger.store
        refused: dict[int, str] = {}
        stands = {name: [one for one in standing.all_of(store, name) if _lasts(one, now)] for name in LISTINGS}
        blocked = {one.subject.value for one in stands["block"]}
        for one in stands["block"]:
            self._engine.block(one.subject, one.until)
        for listing in LISTINGS:
            entries = [entry_of(one) for one in stands[listing]]
            refusals = self._door.replace(listing, entries, remove=not self._ledger.began_anew)
            refused |= {refusal.entry.decision: refusal.reason for refusal in refusals}
        taken_off = standing.taken_off(store, now - LIFTED_SECONDS)
        for listing in LISTINGS:
            self._door.unblock(listing, [entry_of(one) for one in taken_off if one.listing == listing])
        if refused:
            self._ledger.refuse(refused, now)
        count = len(blocked) - len(refused)
        say(f"the kernel holds {count} {'block' if count == 1 else 'blocks'}, as the database says")

    def _follow(self, decided: Sequence[Decision]) -> dict[int, str]:
        try:
            return self._put(decided) | self._take(decided)
        except ChannelError as error:
            self._door.degraded = str(error)
            say(f"{error}; the kernel follows when it does")
            return {}

    def _put(self, decided: Sequence[Decision]) -> dict[int, str]:
        blocks = [_entry(one) for one in decided if one.verdict == "block" and not one.simulated]
        allows = [_entry(one) for one in decided if one.verdict == "allow"]
        refusals = self._door.block(blocks) if blocks else []
        if allows:
            self._door.allow(allows)
        return {refusal.entry.decision: refusal.reason for refusal in refusals}

    def _take(self, decided: Sequence[Decision]) -> dict[int, str]:
        for verdict, listing in (("unblock", "block"), ("disallow", "allow")):
            entries = [_entry(one) for one in decided if one.verdict == verdict]
            if entries:
                self._door.unblock(listing, entries)
        return {}

    def _tell_engine(self, decision: Decision, *, refused: bool) -> None:
        if decision.simulated:
            return
        if decision.verdict == "unblock" or (refused and decision.verdict == "block"):
            self._engine.unblock(decision.subject)
        elif decision.verdict == "block" and not decision.scope.ports:
            self._engine.block(decision.subject, decision.until)


def _lasts(stands: Standing, now: float) -> bool:
    return stands.until is None or stands.until > now


def entry_of(stands: Standing) -> Entry:
    """What the enforcer is told of a standing. What stands was accepted once: it counts as nobody's storm."""
    return Entry(stands.subject, stands.scope, stands.until, stands.decision)


def _entry(decision: Decision) -> Entry:
    automatic = decision.origin.startswith("detector:")
    return Entry(decision.subject, decision.scope, decision.until, decision.id, automatic)
