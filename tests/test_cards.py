"""Every service card of the shelf: examples give what they say, ignored lines nothing, and no pattern is idle."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from durward.catalog.service_card import Example, Pattern, ServiceCard, load_services
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

SHELF = Path(str(files("durward") / "services"))
CARDS = load_services([SHELF])
SCANNERS = {card.id: Scanner([card]) for card in CARDS}
EVERYTHING = Scanner(CARDS)
NOW = 1_795_430_000.0  # 23 November 2026
STAMPED = ("2026-11-23 08:10:00 ", "[23/Nov/2026:08:10:00 +0000] ")


def whole_lines(card: ServiceCard, envelope: str, message: str) -> list[str]:
    """The lines in which a message may stand. A line that has its envelope already is not among them."""
    if envelope == "stamped":
        return [stamp + message for stamp in STAMPED]
    if envelope != "syslog":
        return []
    program = (card.reads.programs or ("service",))[0].replace("*", "x")
    return [
        f"Nov 23 08:10:00 host {program}[4242]: {message}",
        f"2026-11-23T08:10:00.250000+00:00 host {program}[4242]: {message}",
        f"<38>1 2026-11-23T08:10:00Z host.example {program} 4242 - - {message}",
        f"host {program}[4242]: {message}",
    ]


def scan(scanner: Scanner, line: str) -> list[Event]:
    """The events of one line, as settled for a session in which nothing else happened."""
    events = scanner.events(
        line.encode() + b"\n", source="file:test", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    return Sessions().settle(events)


def readings(card: ServiceCard, pattern: Pattern, example: Example) -> list[str]:
    """The whole lines that an example stands for: itself where it is one, else every envelope around it."""
    if scan(SCANNERS[card.id], example.line):
        return [example.line]
    return [line for envelope in pattern.envelopes for line in whole_lines(card, envelope, example.line)]


def examples() -> Iterator[tuple[ServiceCard, Pattern, Example]]:
    for card in CARDS:
        for pattern in card.patterns:
            for example in pattern.examples:
                yield card, pattern, example


def ignored() -> Iterator[tuple[ServiceCard, Example]]:
    for card in CARDS:
        for example in card.ignored:
            yield card, example


def described(event: Event) -> dict[str, str | int | None]:
    return {
        "source_ip": event.source_ip,
        "source_port": event.source_port,
        "source_host": event.source_host,
        "user_name": event.user_name,
        "session": event.session,
        "hits": event.hits,
        "about": event.about,
        "quantity": event.quantity,
    }


@pytest.mark.parametrize(("card", "pattern", "example"), list(examples()), ids=lambda value: getattr(value, "id", ""))
def test_an_example_gives_what_it_says(card: ServiceCard, pattern: Pattern, example: Example) -> None:
    lines = readings(card, pattern, example)
    assert lines, f"{card.id}: {example.line!r} gives no event"
    for line in lines:
        events = scan(SCANNERS[card.id], line)
        assert len(events) == 1, f"{line!r} gives {events}"
        event = events[0]
        assert event.kind == pattern.event
        for key, value in example.gives.items():
            assert described(event)[key] == value, f"{line!r}: {key}"
        for key in ("source_ip", "source_host"):
            assert described(event)[key] == example.gives.get(key), (
                f"{line!r} gives {key}, which the example does not say"
            )


@pytest.mark.parametrize(("card", "pattern", "example"), list(examples()), ids=lambda value: getattr(value, "id", ""))
def test_the_other_cards_of_the_shelf_do_not_disturb(card: ServiceCard, pattern: Pattern, example: Example) -> None:
    for line in readings(card, pattern, example):
        assert [event for event in scan(EVERYTHING, line) if event.service == card.id] == scan(SCANNERS[card.id], line)


@pytest.mark.parametrize(("card", "pattern", "example"), list(examples()), ids=lambda value: getattr(value, "id", ""))
def test_fast_and_careful_reading_agree(card: ServiceCard, pattern: Pattern, example: Example) -> None:
    """A trailing blank is what no strict form takes, so the line is read carefully."""
    for line in readings(card, pattern, example):
        fast, careful = scan(SCANNERS[card.id], line), scan(SCANNERS[card.id], line + " ")
        assert [event._replace(line=b"") for event in fast] == [event._replace(line=b"") for event in careful]


@pytest.mark.parametrize(("card", "example"), list(ignored()), ids=lambda value: getattr(value, "id", ""))
def test_an_ignored_line_gives_no_event(card: ServiceCard, example: Example) -> None:
    envelopes = {envelope for pattern in card.patterns for envelope in pattern.envelopes}
    for line in (example.line, *(line for envelope in envelopes for line in whole_lines(card, envelope, example.line))):
        assert scan(SCANNERS[card.id], line) == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_pattern_has_an_example_that_needs_it(card: ServiceCard) -> None:
    used: set[tuple[str, str]] = set()
    for pattern in card.patterns:
        for example in pattern.examples:
            for line in readings(card, pattern, example):
                if rule := SCANNERS[card.id].rule_for(line.encode()):
                    used.add((rule.kind, rule.line))
    idle = {(pattern.event, line) for pattern in card.patterns for line in pattern.lines} - used
    assert not idle


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_says_what_it_is(card: ServiceCard) -> None:
    assert card.title
    assert all(pattern.event.count(".") == 1 for pattern in card.patterns)
