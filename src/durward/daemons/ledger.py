"""The ledger: what was decided and how far was read, written in one transaction; kept while the disk is full."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from durward.daemons.process import say
from durward.model import Decision, Finding, Standing
from durward.store import (
    counters,
    decisions,
    familiar,
    findings,
    habits,
    nonces,
    outbox,
    positions,
    source_names,
    standing,
)
from durward.store.counters import Traffic
from durward.store.errors import StoreCorruptError, StoreError, StoreFullError
from durward.store.pruning import prune
from durward.store.store import Store, open_store

PRUNE_SECONDS = 86400.0
WAITING_MAX = 100_000  # decisions kept in memory while they cannot be written; beyond it the oldest are not recorded


def _nothing(*_: object) -> list[outbox.Posted]:
    return []


class Ledger:
    """The engine's one writer. A full disk raises nothing: it is said, shown in `degraded`, and tried again.

    Damage found while writing is set aside and a new database begun; found otherwise it raises StoreCorruptError, which
    ends the engine, and the next one sets it aside.
    """

    def __init__(self, path: Path, now: float) -> None:
        opened = open_store(path, now)
        self.store: Store = opened.store
        self.degraded = ""
        self.began_anew = bool(opened.findings)  # what stood is not known: the kernel keeps what it has
        # What people are told of decisions (with the guards' refusals), and of what ends: written together with it.
        self.alerts_of: Callable[[Sequence[Decision], Mapping[int, str]], list[outbox.Posted]] = _nothing
        self.alerts_of_ended: Callable[[Sequence[Standing], float], list[outbox.Posted]] = _nothing
        self._pruned_at = 0.0
        self._examined_to = 0
        self._path = path
        self._waiting: list[Decision] = []
        self._refused: dict[int, str] = {}
        self._positions: dict[str, str] = {}
        self.report(opened.findings, now)

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def number(self, made: Iterable[Decision]) -> list[Decision]:
        """Give decisions their ids and receipts."""
        return self.store.number(made)

    def write(
        self, made: Sequence[Decision], read: Mapping[str, str], now: float, refused: Mapping[int, str] | None = None
    ) -> None:
        """Keep decisions and positions (by source) together: a line was read and acted on, or neither.

        `refused` are the reasons of guards, by the ids of decisions that they refused.
        """
        self._waiting += made
        self._refused.update(refused or {})
        self._positions.update(read)
        if not self._waiting and not self._positions and not self._refused:
            return
        try:
            with self.store.transaction():
                self._write_waiting(now)
        except StoreCorruptError as error:
            self._begin_anew(str(error), now)
        except StoreError as error:
            self._fall_behind(str(error))
        else:
            self._waiting, self._positions, self._refused = [], {}, {}
            self._catch_up()

    def refuse(self, refused: Mapping[int, str], now: float) -> None:
        """Note which decisions a guard refused, and why."""
        self._refused.update(refused)
        self.write([], {}, now)

    def count(self, decision: int, packets: int, size: int) -> None:
        """Keep what a block has kept out, before its kernel counter goes: packets and their bytes."""
        try:
            with self.store.transaction():
                counters.add(self.store, {decision: Traffic(packets, size)})
        except StoreFullError as error:
            self._fall_behind(str(error))

    def spend(self, nonce: bytes, sent_at: int, forget_before: int) -> nonces.Spent | None:
        """Use up the nonce of a knock, as `nonces.spend` does; None where it cannot be written."""
        try:
            with self.store.durable_transaction():
                return nonces.spend(self.store, nonce, sent_at, forget_before)
        except StoreCorruptError:
            raise
        except StoreError as error:
            self._fall_behind(str(error))
            return None

    def prune(self, now: float) -> None:
        """Forget a little of what is old enough, once a day until there is no more."""
        if 0 <= now - self._pruned_at < PRUNE_SECONDS:
            return
        try:
            with self.store.transaction():
                step = prune(self.store, now, examined_to=self._examined_to)
        except StoreFullError as error:
            self._fall_behind(str(error))
            return
        self._examined_to = step.examined_to
        if step.finished:
            self._pruned_at = now

    def expire(self, now: float) -> list[Standing]:
        """Take out what has ended; give it."""
        try:
            with self.store.transaction():
                ended = standing.expire(self.store, now)
                outbox.post(self.store, self.alerts_of_ended(ended, now))
                return ended
        except StoreFullError as error:
            self._fall_behind(str(error))
            return []

    def report(self, found: Iterable[Finding], now: float) -> None:
        """Say and keep findings."""
        kept = list(found)
        for finding in kept:
            say(f"{finding.check} {finding.subject}: {finding.detail}")
        try:
            with self.store.transaction():
                findings.report(self.store, kept, now)
        except StoreFullError as error:
            self._fall_behind(str(error))

    def keep_habits(self, known: Mapping[str, str]) -> None:
        """Keep what the sources usually give."""
        try:
            with self.store.transaction():
                habits.save(self.store, known)
        except StoreFullError as error:
            self._fall_behind(str(error))

    def keep_names(self, named: Mapping[int, str]) -> None:
        """Keep the confirmed names of blocked sources, by decision."""
        try:
            with self.store.transaction():
                source_names.keep(self.store, named)
        except StoreFullError as error:
            self._fall_behind(str(error))

    def keep_familiar(
        self, logins: Sequence[familiar.Row], forget_before: float, networks_before: float | None = None
    ) -> None:
        """Keep who logged in well of late."""
        if not logins:
            return
        try:
            with self.store.transaction():
                familiar.save(self.store, logins, forget_before, networks_before)
        except StoreFullError as error:
            self._fall_behind(str(error))

    def _write_waiting(self, now: float) -> None:
        new = {decision.id for decision in self._waiting}
        decisions.record(self.store, self._waiting, {id_: why for id_, why in self._refused.items() if id_ in new})
        for decision, reason in self._refused.items():
            if decision not in new:
                decisions.refuse(self.store, decision, reason, now)
        outbox.post(self.store, self.alerts_of(self._waiting, self._refused))
        positions.save(self.store, self._positions)

    def _fall_behind(self, reason: str) -> None:
        del self._waiting[: max(0, len(self._waiting) - WAITING_MAX)]
        if not self.degraded:
            say(f"the database cannot be written ({reason}); blocks hold in the kernel, and are recorded when it can")
        self.degraded = f"the database cannot be written: {reason}"

    def _catch_up(self) -> None:
        if self.degraded:
            say("the database can be written again; nothing that was decided meanwhile is lost")
        self.degraded = ""

    def _begin_anew(self, reason: str, now: float) -> None:
        self.store.close()
        opened = open_store(self._path, now, distrust=reason)
        self.store, self.began_anew = opened.store, True
        self.report(opened.findings, now)
