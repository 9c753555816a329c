"""Scanner: blocks of log lines in, events out.

Most lines mean nothing, and cost only the search of the prefilter. The others are read in batches.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.batch import batches
from durward.scan.build import Builder, Place
from durward.scan.doubts import Doubts
from durward.scan.envelope import Programs
from durward.scan.exceptions import Exceptions, unusable
from durward.scan.foreign import Foreign
from durward.scan.grammar import PatternError
from durward.scan.matcher import Prefilter
from durward.scan.records import LINE_BYTES_MAX, Reading, RecordRule, record_batches, record_rules
from durward.scan.rule import Rule, rules_of
from durward.scan.sharing import Sharing
from durward.scan.sieve import RecordSieve
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology
from durward.scan.wrapped import NONE, Unwrapped, unwrapped

POSITION = itemgetter(Event._fields.index("position"))
OPEN_MAX = 1024  # sources of which is remembered that their last line goes on; the first is forgotten beyond that
PREFILTERS_MAX = 64  # sets of services for which prefilters are kept; all are made anew beyond that. The set of all
# takes 12 MiB, and only who reads a log that nobody named needs it.


class Prefilters(NamedTuple):
    """One for lines that are text, and one for records."""

    text: Prefilter[Rule]
    records: Prefilter[RecordRule]


class Scanner:
    """Knows the patterns of some services. Raises ProblemsError for patterns that cannot be used."""

    def __init__(self, cards: Sequence[ServiceCard], topology: Topology | None = None) -> None:
        self._foreign = Foreign(cards)
        self.rules, self.record_rules = _rules(cards)
        for rule in self.rules:
            rule.no_records = self._foreign.keeps_none(rule.service)
        self._exceptions = Exceptions(cards)
        self._sharing = Sharing(cards)
        self._topology = topology or Topology()
        self._prefilters: dict[frozenset[str] | None, Prefilters] = {}
        self.doubts = Doubts()
        self._open: dict[str, frozenset[bytes]] = {}
        self._builder = Builder(self._topology)

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
        """The events of a block of whole lines, in the order of the lines; no line gives two.

        `position` is the block's offset in its source, `services` whose patterns to try (None: all). `hits` are those
        of the patterns, below zero for a hint: Sessions.settle makes them count once.
        """
        prefilters = self._prefilter(services)
        names = self._sharing.names(source, services)
        doubtful: list[bytes] = []
        inner = unwrapped(block, self._open.pop(source, NONE))
        if inner and inner.open:
            self._open[source] = inner.open
            if len(self._open) > OPEN_MAX:
                del self._open[next(iter(self._open))]
        place = Place(source, position if inner is None else 0, observed_at, calendar, names)
        named = services is not None
        events = self._events(block if inner is None else inner.block, prefilters, place, doubtful, named=named)
        events = self._exceptions.without(events)
        if doubtful:
            self.doubts.add(source, doubtful)
        if inner is None:
            return events
        return [_wrapped(event, inner, position, calendar) for event in events]

    def rule_for(self, line: bytes) -> Rule | RecordRule | None:
        """The rule that gives the event of a line: which pattern of a card is at work (or idle)."""
        prefilters = self._prefilter(None)
        for candidates in prefilters.text.candidates(line):
            for batch in batches(candidates, []):
                return batch.rule
        for records in prefilters.records.candidates(line):
            for found in record_batches(records, self._reading(prefilters, [])):
                return found.rule
        return None

    def _events(
        self, block: bytes, prefilters: Prefilters, place: Place, doubtful: list[bytes], *, named: bool
    ) -> list[Event]:
        events: list[Event] = []
        for candidates in prefilters.text.candidates(block):
            for batch in batches(candidates, doubtful, named=named):
                events += self._builder.events(batch, place)
        read = len(events)
        for records in prefilters.records.candidates(block):
            for found in record_batches(records, self._reading(prefilters, doubtful)):
                events += self._builder.events(found, place)
        events.sort(key=POSITION)
        return events if read in (0, len(events)) else list(_once(events, doubtful))

    def _reading(self, prefilters: Prefilters, doubtful: list[bytes]) -> Reading:
        return Reading(prefilters.records.rules_in, self._topology, self._foreign, doubtful)

    def _prefilter(self, services: frozenset[str] | None) -> Prefilters:
        if services not in self._prefilters:
            if len(self._prefilters) >= PREFILTERS_MAX:
                self._prefilters.clear()
            wanted = self._sharing.wanted(services)
            rules = [rule for rule in self.rules if wanted is None or rule.service in wanted]
            records = [rule for rule in self.record_rules if wanted is None or rule.service in wanted]
            self._prefilters[services] = Prefilters(Prefilter(rules), Prefilter(records, LINE_BYTES_MAX, RecordSieve()))
        return self._prefilters[services]


def _once(events: list[Event], doubtful: list[bytes]) -> Iterator[Event]:
    """One event for each line: what reads as a text and as a record, with two sources, is nobody's."""
    by_line: dict[int | str, list[Event]] = {}
    for event in events:
        by_line.setdefault(event.position, []).append(event)
    for same in by_line.values():
        if len({(event.source_ip, event.source_host) for event in same}) == 1:
            yield same[0]
        else:
            doubtful.append(same[0].line)


def _wrapped(event: Event, inner: Unwrapped, position: int, calendar: Calendar) -> Event:
    """An event of a line inside a wrapper: where that stands, and when it was written unless the line itself says."""
    line = inner.line_of(int(event.position))
    at = calendar.time(inner.stamps[line]) if event.at == event.observed_at else None
    return event._replace(position=position + inner.places[line], at=event.at if at is None else at)


def _rules(cards: Sequence[ServiceCard]) -> tuple[tuple[Rule, ...], tuple[RecordRule, ...]]:
    rules: list[Rule] = []
    records: list[RecordRule] = []
    problems: list[Problem] = []
    for card in cards:
        of_card = Programs(card.reads.programs)
        for pattern in card.patterns:
            programs = Programs(pattern.programs) if pattern.programs else of_card
            for place, (line, number) in enumerate(zip(pattern.lines, pattern.places, strict=True)):
                try:
                    if pattern.wheres:
                        records += record_rules(card, pattern, pattern.wheres[place])
                    else:
                        rules += rules_of(card, pattern, line, programs)
                except PatternError as error:
                    problems.append(Problem(str(card.path), number, "lines", f"{line!r} {error}"))
        problems += unusable(card)
    if problems:
        raise ProblemsError(problems)
    return tuple(rules), tuple(records)
