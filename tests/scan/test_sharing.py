"""Services that share the patterns of a card: each finds them in its own logs under its own name, each line once."""

from dataclasses import replace

from tests.scan.cards import card, records

from durward.catalog.service_card import Reads
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sharing import NAMES_MAX, Sharing
from durward.scan.timestamps import Calendar

LINE = '203.0.113.9 - - [23/Nov/2026:08:10:00 +0000] "GET /a HTTP/1.1" 404 5 "-" "-"\n'
WEB = records({"status": "404"}, kind="http.not_found")
FIRST = replace(card("door shut to {ip}", name="first"), also=("web",), reads=Reads(files=("/srv/log/*.log",)))
SECOND = replace(card("gate shut to {ip}", name="second"), also=("web",))
CARDS = [FIRST, SECOND, WEB]


def scan(source: str, *services: str) -> list[Event]:
    wanted = frozenset(services) or None
    return Scanner(CARDS).events(
        LINE.encode(), source=source, position=0, observed_at=0.0, calendar=Calendar(0.0), services=wanted
    )


def names(source: str, *services: str) -> list[str]:
    return [event.service for event in scan(source, *services)]


def test_the_service_that_reads_the_file_has_the_event() -> None:
    assert names("file:/tmp/x", "second") == ["second"]
    assert names("file:/tmp/x", "first", "second") == ["first"]
    assert names("file:/tmp/x", "web") == ["web"]


def test_the_name_of_the_file_tells_whose_it_is() -> None:
    assert names("file:/tmp/second-access.log") == ["second"]
    assert names("file:/srv/log/a.log") == ["first"]
    assert names("file:/tmp/x") == ["web"]
    assert names("file:/tmp/second.log", "first", "web") == ["web"]


def test_who_shares_nothing_reads_nothing_of_it() -> None:
    others = [*CARDS, card("lock shut to {ip}", name="third")]
    found = Scanner(others).events(
        LINE.encode(), source="t", position=0, observed_at=0.0, calendar=Calendar(0.0), services=frozenset({"third"})
    )
    assert found == []


def test_what_is_remembered_of_files_is_bounded() -> None:
    sharing = Sharing(CARDS)
    for number in range(NAMES_MAX + 1):
        sharing.names(f"file:/{number}", None)
    assert len(sharing._known) <= NAMES_MAX
