"""Ignoring: which lines a site does not want to see although nothing explains them, in the words of service cards."""

from collections.abc import Sequence
from dataclasses import replace

from durward.catalog.service_card import Pattern, Reads, ServiceCard
from durward.scan.scanner import Scanner

EVENT = "unexplained"


def ignoring(lines: Sequence[str], services: Sequence[ServiceCard]) -> Scanner:
    """A scanner whose events are the lines that fit, and those that are exceptions of services; it needs a service.

    Raises ProblemsError for lines that are no pattern.
    """
    cards = [_card(card, card.id, card.exceptions) for card in services if card.exceptions]
    if lines:
        places = tuple(range(1, len(lines) + 1))
        pattern = Pattern(EVENT, tuple(lines), places, 0, "attempt", ("syslog", "plain"), ())
        cards.append(replace(_card(services[0], EVENT, (pattern,)), reads=Reads()))
    return Scanner(cards)


def _card(like: ServiceCard, name: str, patterns: tuple[Pattern, ...]) -> ServiceCard:
    return replace(like, id=name, patterns=patterns, ignored=(), also=(), exceptions=(), exceptions_of=(), advice=())
