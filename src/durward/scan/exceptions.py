"""Exceptions: lines that are no event although a pattern takes them, because the service's card says [[exception]]."""

from collections.abc import Iterator, Sequence

from durward.catalog.document import Problem
from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.envelope import Programs, readings
from durward.scan.grammar import PatternError
from durward.scan.rule import APART, Rule, rules_of


class Exceptions:
    """The exceptions of some services. They are looked at for their events only, so a calm log costs nothing."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        """`cards` are those of which nothing is unusable."""
        self._of: dict[str, list[Rule]] = {}
        programs = {card.id: Programs(card.reads.programs) for card in cards}
        for card in cards:
            for service in card.exceptions_of or (card.id,):
                if card.exceptions and service in programs:
                    self._of.setdefault(service, []).extend(_rules(card, programs[service]))

    def without(self, events: list[Event]) -> list[Event]:
        """The events whose lines are no exception of their service."""
        if not self._of:
            return events
        return [
            event for event in events if not any(_takes(rule, event.line) for rule in self._of.get(event.service, ()))
        ]


def unusable(card: ServiceCard) -> Iterator[Problem]:
    """What is wrong with the [[exception]] lines of a card."""
    for pattern in card.exceptions:
        for line, number in zip(pattern.lines, pattern.places, strict=True):
            try:
                list(rules_of(card, pattern, line, Programs(card.reads.programs)))
            except PatternError as error:
                yield Problem(str(card.path), number, "exception", f"{line!r} {error}")


def _rules(card: ServiceCard, programs: Programs) -> Iterator[Rule]:
    for pattern in card.exceptions:
        for line in pattern.lines:
            yield from rules_of(card, pattern, line, programs)


def _takes(rule: Rule, line: bytes) -> bool:
    """Whether the rule takes a line. Of one that takes too long to read, or names two sources, that is not certain."""
    line = line.rstrip(b" \t\r\n")
    if not rule.may_fit(line):
        return False
    parses = (rule.parse(message) for message in readings(line, rule.envelope))
    return any(parse is not None and parse.place != APART for parse in parses)
