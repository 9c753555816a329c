"""The journal as the engine follows it: opened anew after each rotation, polled while entries keep coming."""

from collections.abc import Collection, Iterator

from durward.config.loading import Loaded
from durward.daemons.opening import Opening
from durward.daemons.process import say
from durward.sources.block import Block
from durward.sources.journal import Journal
from durward.sources.opening import SourceError
from durward.sources.trust import Want

POLL_SECONDS = 0.05  # journald's own notices come up to 250 ms late
LIVELY_SECONDS = 2.0  # after an entry the journal is polled for this long; then its notices suffice
NAME = Journal.source


class JournalReading:
    """Reads the journal for the services whose settings name units; nothing where no service does."""

    def __init__(self, opening: Opening, loaded: Loaded, cursor: str | None, memory_seconds: float) -> None:
        units = {card.id: loaded.settings.services[card.id].journal for card in loaded.services}
        wanting = [card for card in loaded.services if units[card.id]]
        self.services = frozenset(card.id for card in wanting)
        self.journal: Journal | None = None
        self._opening = opening
        self._wants = [Want(frozenset(units[card.id]), frozenset(card.reads.programs)) for card in wanting]
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
                self.journal = Journal(descriptors, self._wants, memory_seconds=self._memory_seconds)
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
