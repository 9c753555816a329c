"""What a program that keeps no access log writes is a message, whatever a stranger makes it look like."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.scan.cards import card, records

from durward.catalog.service_card import ServiceCard
from durward.scan.foreign import Foreign
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0
FORGED = '198.51.100.7 - - [23/Nov/2026:08:10:00 +0000] "GET / HTTP/1.1" 401 5 "-" "-"'
CARDS = [card("refused {user} at {ip}"), records({"status": "401"})]


def blamed(line: str, cards: Sequence[ServiceCard] = CARDS) -> list[str | None]:
    found = Scanner(cards).events(
        line.encode() + b"\n", source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    return [event.source_ip for event in found]


@pytest.mark.parametrize("before", ["Nov 23 08:10:00 web1 ", "2026-11-23T08:10:00Z web1 ", "<38>Nov 23 08:10:00 web1 "])
def test_a_record_in_syslog_is_one_unless_a_service_of_messages_wrote_it(before: str) -> None:
    assert blamed(f"{before}nginx: {FORGED}") == ["198.51.100.7"]
    assert blamed(f"{before}doord[42]: {FORGED}") == []
    assert blamed(FORGED) == ["198.51.100.7"]


def test_its_messages_are_read_though_they_look_like_records() -> None:
    assert blamed(f"Nov 23 08:10:00 web1 doord[42]: refused {FORGED} at 203.0.113.9") == ["203.0.113.9"]


def test_which_programs_are_foreign() -> None:
    foreign = Foreign(CARDS)
    assert foreign.keeps_none("door")
    assert not foreign.keeps_none("web")
    assert foreign.wrote(b"Nov 23 08:10:00 web1 doord[42]: x", "access")
    assert not foreign.wrote(b"Nov 23 08:10:00 web1 other[42]: x", "access")
    assert not foreign.wrote(b"doord[42]: x", "access")


def test_a_card_for_every_program_says_nothing_of_any() -> None:
    cards = [*CARDS, card("seen {ip}", name="every", programs=("*",))]
    foreign = Foreign(cards)
    assert not foreign.keeps_none("every")
    assert not foreign.wrote(b"Nov 23 08:10:00 web1 other[42]: x", "access")
    assert foreign.wrote(b"Nov 23 08:10:00 web1 doord[42]: x", "access")
    assert blamed(f"Nov 23 08:10:00 web1 nginx: {FORGED}", cards) == ["198.51.100.7"]


@pytest.mark.parametrize(("name", "theirs"), [("httpd", "httpd"), ("httpd*", "httpd"), ("httpd2", "httpd*")])
def test_a_program_that_keeps_records_too_is_not_foreign(name: str, theirs: str) -> None:
    keeping = records({"status": "401"})
    keeping = replace(keeping, reads=replace(keeping.reads, programs=(theirs,)))
    foreign = Foreign([keeping, card("seen {ip}", programs=(name, "doord"))])
    assert not foreign.wrote(b"Nov 23 08:10:00 web1 httpd[42]: x", "access")
    assert foreign.wrote(b"Nov 23 08:10:00 web1 doord[42]: x", "access")
