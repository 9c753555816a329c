"""Scanner: blocks of log lines in, events out.

Most lines mean nothing, and cost only the search of the prefilter. Lines with the same literal are taken together: one
`findall` of the strict form over all of them. Where that does not fit every one of them, each is looked at on its own, and
what no strict form takes is read carefully, in every way in which it can be read.
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
        self._rules = _rules(cards)
        self._prefilters: dict[frozenset[str] | None, Prefilter] = {None: Prefilter(self._rules)}
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

        `position` is the block's offset in its source, `services` whose patterns to try (None: all). `hits` are those of
        the patterns, below zero for a hint: Sessions.settle makes them count once.
        """
        prefilter = self._prefilter(services)
        place = Place(source, position, observed_at, calendar)
        events: list[Event] = []
        for candidates in prefilter.candidates(block):
            events += self._group(prefilter, candidates, place)
        events.sort(key=POSITION)
        return events

    def rule_for(self, line: bytes) -> Rule | None:
        """The rule that gives the event of a line: which pattern of a card is at work (or idle)."""
        rules = self._prefilters[None].rules_in(line)
        found = _strictly(rules, line) or _carefully(rules, line)
        return found[0] if found else None

    def _prefilter(self, services: frozenset[str] | None) -> Prefilter:
        if services not in self._prefilters:
            if len(self._prefilters) >= PREFILTERS_MAX:
                self._prefilters = {None: self._prefilters[None]}
            rules = [rule for rule in self._rules if services is None or rule.service in services]
            self._prefilters[services] = Prefilter(rules)
        return self._prefilters[services]

    def _group(self, prefilter: Prefilter, candidates: Candidates, place: Place) -> list[Event]:
        """The events of lines that contain the same literal: all at once where the likeliest rule takes all of them."""
        likely, lines, starts = candidates
        strict = likely[0].strict(shape_of(lines[0]))
        if strict is None or strict.groups < 2:
            return self._each(prefilter, candidates, place)
        rows: list[Row] = strict.findall(b"\n".join(lines))
        if len(rows) == len(lines):
            return self._builder.events(likely[0], rows, lines, starts, None, place)
        ending = likely[0].ending
        fits = [ending in line for line in lines]
        if not rows or all(fits):
            return self._each(prefilter, candidates, place)
        yes, no = (
            Candidates(likely, [*compress(lines, chosen)], [*compress(starts, chosen)])
            for chosen in (fits, [not fit for fit in fits])
        )
        return self._group(prefilter, yes, place) + self._each(prefilter, no, place)

    def _each(self, prefilter: Prefilter, candidates: Candidates, place: Place) -> list[Event]:
        """The events of lines that have to be looked at one by one."""
        taken: dict[Rule, list[tuple[bytes, int, Row, int]]] = {}
        for line, start in zip(candidates.lines, candidates.starts, strict=True):
            if found := _strictly(candidates.likely, line) or _carefully(prefilter.rules_in(line), line):
                rule, row, repeated = found
                taken.setdefault(rule, []).append((line, start, row, repeated))
        events: list[Event] = []
        for rule, found_lines in taken.items():
            lines, starts, rows, repeated_times = (list(column) for column in zip(*found_lines, strict=True))
            events += self._builder.events(rule, rows, lines, starts, repeated_times, place)
        return events


def _strictly(likely: list[Rule], line: bytes) -> tuple[Rule, Row, int] | None:
    shape = shape_of(line)
    for rule in likely:
        strict = rule.strict(shape)
        if strict is not None and rule.ending in line and (match := strict.fullmatch(line)):
            return rule, match.groups(b""), 1
    return None


def _carefully(rules: list[Rule], line: bytes) -> tuple[Rule, Row, int] | None:
    """Read a line in every way. Two readings that find the source in different places leave nobody to blame."""
    found: list[tuple[Rule, Row, int]] = []
    places: set[tuple[int, int]] = set()
    rules = [rule for rule in rules if rule.ending in line]
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
