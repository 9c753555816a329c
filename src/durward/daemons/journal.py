"""The journal as the engine follows it: opened anew after each rotation, polled while entries keep coming."""

import os
import time
from collections.abc import Collection, Iterable, Iterator

from durward.config.loading import Loaded
from durward.daemons import liveness
from durward.daemons.opening import Opening
from durward.daemons.process import say
from durward.sources.block import Block
from durward.sources.journal import Journal
from durward.sources.opening import SourceError
from durward.sources.posing import Pose
from durward.sources.trust import Want

POLL_SECONDS = 0.05  # journald's own notices come up to 250 ms late
LIVELY_SECONDS = 2.0  # after an entry the journal is polled for this long; then its notices suffice
NAME = Journal.source
VOUCHING_SECONDS = 60.0  # until it is asked again whether there are entries of a service
ALIVE_SECONDS = 86400.0  # a journal in which nobody wrote for longer is what is left of one
NO_UNITS = frozenset({"*", "kernel"})  # in place of units: root's programs wherever they run, and the kernel itself
VOUCHED_MAX = 4096  # programs of which is remembered whether the journal has entries; all are asked anew beyond that


class JournalReading:
    """Reads the journal for the services whose settings name units; nothing where no service does."""

    def __init__(self, opening: Opening, loaded: Loaded, cursor: str | None, memory_seconds: float) -> None:
        units = {card.id: loaded.settings.services[card.id].journal for card in loaded.services}
        wanting = [card for card in loaded.services if units[card.id]]
        self.services = frozenset(card.id for card in wanting)
        self.journal: Journal | None = None
        self._opening = opening
        self._of = {
            card.id: Want(frozenset(units[card.id]) - NO_UNITS, frozenset(card.reads.programs)) for card in wanting
        }
        self._wants = list(self._of.values())
        self._vouched: dict[tuple[str, bytes], tuple[bool, float]] = {}
        self._cursor = cursor
        self._memory_seconds = memory_seconds
        self._watches: frozenset[int] = frozenset()
        self._heard_at = 0.0

    def open(self, now: float) -> None:
        """Take over the journal's files. Raises ChannelError."""
        if not self._wants:
            return
        descriptors, self._watches = self._opening.journal()
        try:
            if self.journal is not None:
                self.journal.replace(descriptors, now)
            elif descriptors:
                ours = (liveness.NAME, os.getuid())
                self.journal = Journal(descriptors, self._wants, memory_seconds=self._memory_seconds, ours=ours)
                self.journal.start(now, self._cursor)
        except SourceError as error:
            self._opening.problems[NAME] = str(error)
            say(f"the journal is not read: {error}")
        else:
            self._opening.problems.pop(NAME, None)

    def notice(self, watches: Collection[int]) -> None:
        """Hear that something changed in these directories."""
        if self.journal is not None and not self._watches.isdisjoint(watches):
            self.journal.waiting = True

    def read(self, now: float) -> Iterator[Block]:
        """What has come. Raises ChannelError where a rotated journal cannot be opened anew."""
        if self.journal is None:
            return
        for block in self.journal.read(now):
            self._heard_at = now
            yield block
        if self.journal.stale(now):
            self.open(now)

    def vouches_for(self, service: str, program: bytes) -> bool:
        """Whether the journal is alive and has entries of a service's program: then it has all of them.

        No program: entries of the service, whichever program wrote them.
        """
        if self.journal is None or self.journal.problem is not None or service not in self._of:
            return False
        now = time.time()
        vouched, asked_at = self._vouched.get((service, program), (False, float("-inf")))
        if not 0 <= now - asked_at < VOUCHING_SECONDS:
            want = self._of[service]
            if program:
                want = Want(want.units, frozenset({program.decode("ascii", "replace")}))
            alive = now - self.journal.written_at() < ALIVE_SECONDS
            vouched = alive and (vouched or self.journal.holds(want))
            if len(self._vouched) >= VOUCHED_MAX:
                self._vouched.clear()
            self._vouched[service, program] = (vouched, now)
        return vouched

    @property
    def posing(self) -> Iterable[Pose]:
        """Who wrote to the journal in a service's name."""
        return self.journal.posing if self.journal is not None else ()

    def moved(self) -> dict[str, str]:
        """The cursor, if it has moved since this was last asked."""
        if self.journal is None or self.journal.position in (None, self._cursor):
            return {}
        self._cursor = self.journal.position
        return {NAME: self._cursor or ""}

    @property
    def waiting(self) -> bool:
        """Whether there is something to read at once."""
        return self.journal is not None and self.journal.waiting

    def is_lively(self, now: float) -> bool:
        """Whether entries came so lately that the next ones should not wait for journald's notice."""
        return self.journal is not None and now - self._heard_at < LIVELY_SECONDS
