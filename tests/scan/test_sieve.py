"""The sieve lets no line through its holes that a rule fits, and knows when it is of no use."""

from itertools import cycle, islice
from pathlib import Path

import pytest
from bench.calm import host_lines
from tests.scan.cards import card

import durward.services
from durward.catalog.service_card import ServiceCard, load_services
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sieve import (
    FEW_BUCKETS,
    FEW_TEXTS,
    MANY_BUCKETS,
    VECTOR_TEXTS_MAX,
    RecordSieve,
    Sieve,
    arranged,
    stems_for,
)
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0
FILLER = 40  # calm lines between two others, or the sieve would be passed by
CARDS = load_services([Path(path) for path in durward.services.__path__])


def many(count: int, *, prefix: str = "number") -> ServiceCard:
    return card(*(f"{prefix} {number:04} of a great many {{ip}}" for number in range(count)))


def scan(scanner: Scanner, block: bytes) -> list[Event]:
    return scanner.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)


def test_sieved_or_not_the_events_are_the_same() -> None:
    """Every example of every card, among calm lines."""
    calm = cycle(line for line in host_lines(100) if "CRON" in line)
    lines: list[str] = []
    for example in (one.line for made in CARDS for pattern in made.patterns for one in pattern.examples):
        lines += [example.replace("\n", " ") + "\n", *islice(calm, FILLER + len(example) // 50)]
    sieving, plain = Scanner(CARDS), Scanner(CARDS)
    for prefilter in plain._prefilter(None):
        prefilter._sieve = None
    blocks = ["".join(lines[start : start + 500]).encode() for start in range(0, len(lines), 500)]
    sieve = sieving._prefilter(None).text._sieve
    assert sum(sieve is not None and sieve.lines(block) is not None for block in blocks) > len(blocks) // 2
    for block in blocks:
        assert scan(sieving, block) == scan(plain, block)


def test_stems_are_found_for_what_the_known_ones_leave() -> None:
    scanner = Scanner([many(VECTOR_TEXTS_MAX * 2)])
    stems = stems_for(scanner.rules, VECTOR_TEXTS_MAX)
    assert stems
    assert all(any(stem in literal for stem in stems) for rule in scanner.rules for literal in rule.literals)


def test_too_many_stems_are_none() -> None:
    rules = Scanner([card(*(f"{number:05x}" * 2 + "{ip}" for number in range(300)))]).rules
    assert stems_for(rules, VECTOR_TEXTS_MAX) == []
    sieve = Sieve(rules[:0])
    assert sieve.lines(b"anything\n") is None


@pytest.mark.parametrize(("count", "buckets"), [(FEW_TEXTS - 3, FEW_BUCKETS), (MANY_BUCKETS * 3 + 5, MANY_BUCKETS)])
def test_arranging_loses_nothing(count: int, buckets: int) -> None:
    stems = [bytes([65 + number % 26, 65 + number // 26]) * 2 for number in range(count)]
    order = arranged(stems)
    assert sorted(order) == sorted(stems)
    firsts = [order[place] for place in range(0, len(order), buckets)]
    assert max(stem[0] for stem in firsts) - min(stem[0] for stem in firsts) <= buckets // 4


def test_lines_that_may_be_records() -> None:
    sieve = RecordSieve()
    calm = b"Nov 23 08:10:00 web1 doord[1]: nothing to see\n" * 50
    assert sieve.lines(calm) == ([], [])
    assert sieve.lines(calm + b'x {"a":1}\n' + calm) == ([len(calm)], [b'x {"a":1}'])
    assert sieve.lines(b'{"a":1}\n' * 50) is None
