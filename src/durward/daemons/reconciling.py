"""Reconciling: the kernel is made to hold what stands, a slice at a time, so that nobody waits for it."""

from collections.abc import Iterable, Iterator
from itertools import islice

from durward.control.words import Entry
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.process import say
from durward.model import Decision, Listing, Scope, Standing
from durward.store import standing

SLICE_ENTRIES = 250  # compared at once: what a new attacker waits for, some 15 ms
LIFTED_SECONDS = 30 * 86400.0  # what was lifted longer ago has left the kernel by its own timeout
LISTINGS: tuple[Listing, ...] = ("allow", "block", "throttle")


class Reconciling:
    """One comparison of the whole. Ends with what no list names taken out of the kernel, and what was lifted.

    Decisions may be carried out between two slices; `note` them, because what was read before is old by then.
    """

    def __init__(self, ledger: Ledger, door: Door, now: float) -> None:
        self._ledger = ledger
        self._door = door
        self._now = now
        self._touched: set[tuple[str, str, Scope]] = set()
        self._refused: dict[int, str] = {}
        self._compared = 0
        self._total = sum(standing.count(ledger.store, name) for name in LISTINGS)
        self._slices = self._run()

    def step(self) -> bool:
        """Compare one slice; give whether there is more to do. Raises ChannelError; then begin a new one."""
        return next(self._slices, False)

    def note(self, decided: Iterable[Decision]) -> None:
        """Hear what was decided meanwhile."""
        self._touched.update(
            (listing, one.subject.value, one.scope) for one in decided for listing in standing.listings_of(one.verdict)
        )

    @property
    def progress(self) -> str:
        """How far it is, in plain words."""
        return f"{self._compared:,} of {self._total:,} entries are compared with the kernel after a start; it goes on"

    def _run(self) -> Iterator[bool]:
        for listing in LISTINGS:
            for entries in self._sliced(standing.all_of(self._ledger.store, listing)):
                self._replace(listing, entries, last=False)
                yield True
            # Without a database to go by nobody knows what stood, so nothing is taken away.
            self._replace(listing, [], last=not self._ledger.began_anew)
        for listing in LISTINGS:
            lifted = standing.taken_off(self._ledger.store, self._now - LIFTED_SECONDS)
            for entries in self._sliced(one for one in lifted if one.listing == listing):
                self._door.unblock(listing, entries)
                yield True
        self._finish()

    def _sliced(self, standings: Iterable[Standing]) -> Iterator[list[Entry]]:
        remaining = iter(standings)
        while taken := list(islice(remaining, SLICE_ENTRIES)):
            yield [entry_of(one) for one in taken if (one.listing, one.subject.value, one.scope) not in self._touched]

    def _replace(self, listing: Listing, entries: list[Entry], *, last: bool) -> None:
        lasting = [one for one in entries if one.until is None or one.until > self._now]
        refusals = self._door.replace(listing, lasting, last=last)
        self._refused |= {refusal.entry.decision: refusal.reason for refusal in refusals}
        self._compared += len(entries)

    def _finish(self) -> None:
        if self._refused:
            self._ledger.refuse(self._refused, self._now)
        count = standing.count(self._ledger.store, "block") - len(self._refused)
        say(f"the kernel holds {count} {'block' if count == 1 else 'blocks'}, as the database says")


def entry_of(stands: Standing) -> Entry:
    """What the enforcer is told of a standing. What stands was accepted once: it counts as nobody's storm."""
    return Entry(stands.subject, stands.scope, stands.until, stands.decision)
