"""How many a line says that it is about: by a number, or by a list; and patterns of single programs of a service."""

from dataclasses import replace

import pytest
from tests.scan.cards import card

from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.build import QUANTITY_MAX
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0


def events(made: ServiceCard, line: str) -> list[Event]:
    return Scanner([made]).events(
        line.encode(), source="s", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )


def quantity(pattern: str, message: str) -> int | None:
    """Read fast, and carefully: a blank at the end is what no strict form takes."""
    fast = [one.quantity for one in events(card(pattern), f"h doord[7]: {message}")]
    assert fast == [one.quantity for one in events(card(pattern), f"h doord[7]: {message} ")]
    return fast[0] if fast else None


@pytest.mark.parametrize(
    ("written", "number"),
    [("1", 1), ("25", 25), ("0", 0), ("999999", QUANTITY_MAX), ("many", None), ("-1", None)],
)
def test_a_number(written: str, number: int | None) -> None:
    assert quantity("letters from {ip}, {quantity} of them", f"letters from 203.0.113.9, {written} of them") == number


@pytest.mark.parametrize(
    ("subject", "people", "number"),
    [
        ("Hello", "alice@example.net", 1),
        ("Hello", "alice@example.net bob@example.com carol@example.org", 3),
        ("two for one for all", "alice@example.net bob@example.com", 2),
        (r"x\" for a b c d e", "alice@example.net", 1),
    ],
)
def test_a_list_is_not_lengthened_by_what_is_quoted(subject: str, people: str, number: int) -> None:
    line = f'letter from 203.0.113.9 about "{subject}" for {people}'
    assert quantity('letter from {ip} about "{text}" for {list}', line) == number


def test_what_says_nothing_of_a_number_is_one() -> None:
    assert quantity("letter from {ip}", "letter from 203.0.113.9") == 1


def test_a_pattern_may_be_of_some_programs_of_its_service() -> None:
    made = card("letter from {ip}")
    (pattern,) = made.patterns
    narrow = replace(made, patterns=(replace(pattern, programs=("postd",)),))
    assert len(events(narrow, "h postd[7]: letter from 203.0.113.9")) == 1
    assert events(narrow, "h doord[7]: letter from 203.0.113.9") == []
