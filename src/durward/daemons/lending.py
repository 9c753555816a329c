"""Loads the lists of the firewalls between other work: one step at a time, one task after the other."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from durward.daemons.process import say
from durward.privileged.changes import Changes, Foreign
from durward.privileged.failure import PrivilegedError
from durward.privileged.firewall import FirewallError
from durward.privileged.library import Library, lists_of
from durward.privileged.lists import ListFiles
from durward.privileged.loading import run_nft
from durward.privileged.merged import MergedSets
from durward.ruleset.merged import lists_in
from durward.ruleset.switch import Firewall

TASKS_MAX = 32  # that wait; more are refused
PREFIX = "merged_"  # with which the names of the sets begin
Firewalls = Callable[[], Sequence[Firewall]]


class Lending:
    """What has to be done, in order. `firewalls` are those that are kept and on trial."""

    def __init__(self, directory: Path, deny_list: Path, changes: Changes, report: Callable[[str], None]) -> None:
        self._changes = changes
        self._report = report
        self.library = Library(ListFiles(directory, deny_list), self._sets, self._run)
        self.firewalls: Firewalls = tuple
        self._tasks: deque[Iterator[None]] = deque()

    def work(self) -> None:
        """Do one step."""
        while self._tasks:
            try:
                next(self._tasks[0])
            except StopIteration:
                self._tasks.popleft()
            else:
                return

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._tasks)

    def refuse_more(self) -> None:
        """Raises FirewallError where too much is waiting already."""
        if len(self._tasks) >= TASKS_MAX:
            raise FirewallError("too much is being loaded already; try again in a minute")

    def add(self, task: Iterator[None]) -> None:
        """Do this too, when all that is waiting is done."""
        self._tasks.append(task)

    def begin(self) -> None:
        """After a start, or when the table was made anew: put what is there in order."""
        self.library.doubt()
        self._at_some_time(self._refilling())

    def heed(self, foreign: Foreign) -> None:
        """After somebody else changed our table: fill again what that may have been about."""
        touched = foreign.structure or foreign.much or any(one.set_name.startswith(PREFIX) for one in foreign.elements)
        if touched and not self.library.is_empty:
            self.begin()

    def tidy(self) -> None:
        """After another firewall decides: take away what none needs any more."""
        if not self.library.is_empty:
            self._at_some_time(self._sweeping())

    def preparing(self, text: str) -> Iterator[None]:
        """Have everything in the kernel that the text of a firewall asks for. Raises PrivilegedError."""
        try:
            lists = lists_in(text)
        except (ValueError, TypeError) as error:
            raise FirewallError(f"the lists of the firewall are not understood: {error}") from None
        for merged in lists:
            yield from self.library.loading(merged, self.firewalls)

    def refreshing(self, problems: list[str]) -> Iterator[None]:
        """Load every list whose files have changed; what cannot be loaded stays as it is and is told in `problems`."""
        lists = {(one.name, one.files): one for firewall in self.firewalls() for one in lists_of(firewall)}
        for merged in lists.values():
            try:
                yield from self.library.loading(merged, self.firewalls)
            except PrivilegedError as error:
                problems.append(f"the list {merged.name} stays as it is: {error}")
        yield from self._sweeping()

    def _refilling(self) -> Iterator[None]:
        problems: list[str] = []
        yield from self.refreshing(problems)
        for problem in problems:
            self._report(problem)

    def _sweeping(self) -> Iterator[None]:
        try:
            yield from self.library.sweeping(self.firewalls())
        except PrivilegedError as error:
            say(f"old sets of lists cannot be taken away: {error}")

    def _at_some_time(self, task: Iterator[None]) -> None:
        if len(self._tasks) < TASKS_MAX:  # whatever waits there ends with the same sweeping
            self._tasks.append(task)

    def _sets(self) -> MergedSets:
        sets = MergedSets()
        self._changes.disregard(sets.port)
        return sets

    def _run(self, text: str) -> None:
        run_nft(text)
        self._changes.forget()
