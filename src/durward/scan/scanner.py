"""Scanner: blocks of log lines in, events out.

Most lines mean nothing, and cost only the search of the prefilter. Lines with the same literal are taken together: one
`findall` of the strict form over all of them. Where that does not fit every one of them, each is looked at on its own,
and what no strict form takes is read carefully, in every way in which it can be read.
"""

from collections.abc import Sequence
from itertools import compress
from operator import itemgetter

from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.build import Builder, Place
from durward.scan.envelope import Programs, readings, shape_of
from durward.scan.grammar import PatternError
from durward.scan.matcher import Candidates, Prefilter
from durward.scan.rule import Row, Rule, rule_of
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
            events += self._group(candidates, place)
        events.sort(key=POSITION)
        return events

    def rule_for(self, line: bytes) -> Rule | None:
        """The rule that gives the event of a line: which pattern of a card is at work (or idle)."""
        for candidates in self._prefilters[None].candidates(line):
            if found := _read(candidates, line, 0):
                return found[0]
        return None

    def _prefilter(self, services: frozenset[str] | None) -> Prefilter:
        if services not in self._prefilters:
            if len(self._prefilters) >= PREFILTERS_MAX:
                self._prefilters = {None: self._prefilters[None]}
            rules = [rule for rule in self.rules if services is None or rule.service in services]
            self._prefilters[services] = Prefilter(rules)
        return self._prefilters[services]

    def _group(self, candidates: Candidates, place: Place) -> list[Event]:
        """The events of lines that contain the same literal: all at once where the likeliest rule takes all of them."""
        likely, _, lines, starts, _ = candidates
        ending = likely[0].ending
        if ending and not all(fits := [ending in line for line in lines]):
            lacks = [not fit for fit in fits]
            unfit = candidates._replace(lines=[*compress(lines, lacks)], starts=[*compress(starts, lacks)])
            events = self._each(unfit, place)
            if not any(fits):
                return events
            fit = candidates._replace(lines=[*compress(lines, fits)], starts=[*compress(starts, fits)])
            return events + self._group(fit, place)
        strict = likely[0].strict(shape_of(lines[0]))
        if strict is None or strict.groups < 2:
            return self._each(candidates, place)
        rows: list[Row] = strict.findall(b"\n".join(lines))
        if len(rows) == len(lines):
            return self._builder.events(likely[0], rows, lines, starts, place)
        return self._each(candidates, place)

    def _each(self, candidates: Candidates, place: Place) -> list[Event]:
        """The events of lines that have to be looked at one by one."""
        taken: dict[Rule, list[tuple[bytes, int, Row, int]]] = {}
        for line, start in zip(candidates.lines, candidates.starts, strict=True):
            if found := _read(candidates, line, start):
                rule, row, repeated = found
                taken.setdefault(rule, []).append((line, start, row, repeated))
        events: list[Event] = []
        for rule, found_lines in taken.items():
            lines, starts, rows, times = (list(column) for column in zip(*found_lines, strict=True))
            events += self._builder.events(rule, rows, lines, starts, place, repeated=times)
        return events


def _read(candidates: Candidates, line: bytes, start: int) -> tuple[Rule, Row, int] | None:
    return _strictly(candidates.likely, line) or _carefully(candidates.rules_for(start), line)


def _strictly(likely: list[Rule], line: bytes) -> tuple[Rule, Row, int] | None:
    shape = shape_of(line)
    for rule in likely:
        if rule.ending in line and (strict := rule.strict(shape)) and (match := strict.fullmatch(line)):
            return rule, match.groups(b""), 1
    return None


def _carefully(rules: list[Rule], line: bytes) -> tuple[Rule, Row, int] | None:
    """Read a line in every way. Two readings that find the source in different places leave nobody to blame."""
    found: list[tuple[Rule, Row, int]] = []
    places: set[tuple[int, int]] = set()
    rules = [rule for rule in rules if rule.may_fit(line)]
    if not rules:
        return None
    line = line.rstrip(b" \t\r")
    read = {envelope: readings(line, envelope) for envelope in {rule.envelope for rule in rules}}
    for rule in rules:
        for message in read[rule.envelope]:
            if parse := rule.parse(message):
                found.append((rule, parse.row, message.repeated))
                places.add(_from_the_end(parse.place, message.text))
    return found[0] if len(places) == 1 else None


def _from_the_end(place: tuple[int, int], text: bytes) -> tuple[int, int]:
    """A place that can be compared between messages that begin at different points of the line."""
    return place if place == (-1, -1) else (place[0] - len(text), place[1] - len(text))


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
