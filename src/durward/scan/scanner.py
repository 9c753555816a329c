"""Scanner: blocks of log lines in, events out.

Most lines mean nothing, and cost only the search of the prefilter. The others are read in batches.
"""

from collections.abc import Sequence
from operator import itemgetter

from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.batch import batches
from durward.scan.build import Builder, Place
from durward.scan.envelope import Programs
from durward.scan.grammar import PatternError
from durward.scan.matcher import Prefilter
from durward.scan.rule import Rule, rule_of
from durward.scan.timestamps import Calendar

POSITION = itemgetter(Event._fields.index("position"))
PREFILTERS_MAX = 64  # sets of services for which the prefilter is kept; all are made anew beyond that


class Scanner:
    """Knows the patterns of some services. Raises ProblemsError for patterns that cannot be used."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        self.rules = tuple(_rules(cards))
        self._prefilters: dict[frozenset[str] | None, Prefilter] = {None: Prefilter(self.rules)}
        self._builder = Builder()

    def events(
        self,
        block: bytes,
        *,
        source: str,
        position: int,
        observed_at: float,
        calendar: Calendar,
        services: frozenset[str] | None = None,
    ) -> list[Event]:
        """The events of a block of whole lines, in the order of the lines.

        `position` is the block's offset in its source, `services` whose patterns to try (None: all). `hits` are those
        of the patterns, below zero for a hint: Sessions.settle makes them count once.
        """
        prefilter = self._prefilter(services)
        place = Place(source, position, observed_at, calendar)
        events: list[Event] = []
        for candidates in prefilter.candidates(block):
            for batch in batches(candidates):
                events += self._builder.events(batch, place)
        events.sort(key=POSITION)
        return events

    def rule_for(self, line: bytes) -> Rule | None:
        """The rule that gives the event of a line: which pattern of a card is at work (or idle)."""
        prefilter = self._prefilters[None]
        return next((batch.rule for candidates in prefilter.candidates(line) for batch in batches(candidates)), None)

    def _prefilter(self, services: frozenset[str] | None) -> Prefilter:
        if services not in self._prefilters:
            if len(self._prefilters) >= PREFILTERS_MAX:
                self._prefilters = {None: self._prefilters[None]}
            rules = [rule for rule in self.rules if services is None or rule.service in services]
            self._prefilters[services] = Prefilter(rules)
        return self._prefilters[services]


def _rules(cards: Sequence[ServiceCard]) -> list[Rule]:
    rules: list[Rule] = []
    problems: list[Problem] = []
    for card in cards:
        programs = Programs(card.reads.programs)
        for pattern in card.patterns:
            for line, number in zip(pattern.lines, pattern.places, strict=True):
                try:
                    rules.append(rule_of(card, pattern, line, programs))
                except PatternError as error:
                    problems.append(Problem(str(card.path), number, "lines", f"{line!r} {error}"))
    if problems:
        raise ProblemsError(problems)
    return rules
