"""No card looks for a text that calm logs are full of: each such line would be looked at, and means nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench.calm import access_lines, host_lines, mail_lines

import durward.services
from durward.catalog.service_card import load_services
from durward.scan.meaning import Meaning
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

LINES = 3000
SHARE_MAX = 0.04  # of the lines of a calm log, unless they are events of the card: what one kind of line in thirty has
NOW = 1_795_430_000.0
CARDS = load_services([Path(path) for path in durward.services.__path__])
SCANNER = Scanner(CARDS)


@pytest.mark.parametrize("make", [host_lines, mail_lines, access_lines])
def test_literals_are_rare_in_calm_logs(make: Callable[[int], Iterator[str]]) -> None:
    lines = [line.encode() for line in make(LINES)]
    events = SCANNER.events(
        b"".join(lines), source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    meant = Counter(event.service for event in events)
    common: dict[str, set[bytes]] = {}
    for literal, rules in _by_literal().items():
        share = sum(literal in line for line in lines) / LINES
        for rule in rules:
            if share - meant[rule.service] / LINES > SHARE_MAX:
                common.setdefault(rule.service, set()).add(literal)
    assert not common


def test_calm_lines_blame_nobody() -> None:
    for make in (host_lines, mail_lines):
        block = "".join(make(LINES)).encode()
        events = SCANNER.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
        assert not [event for event in events if event.hits > 0]


def _by_literal() -> dict[bytes, list[Meaning]]:
    found: dict[bytes, list[Meaning]] = {}
    for rule in (*SCANNER.rules, *SCANNER.record_rules):
        for literal in rule.literals:
            found.setdefault(literal, []).append(rule)
    return found
