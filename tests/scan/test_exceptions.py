"""A line that fits an exception of its service's card gives no event; the same words of another service do."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.scan.cards import card, records

from durward.catalog.document import ProblemsError
from durward.catalog.service_card import Pattern, ServiceCard, load_service, load_services
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

START = "Nov 23 08:10:00 web1"
CARD = card("shut to {user} at {ip}")


def excepting(one: ServiceCard, *lines: str, envelope: str = "syslog") -> ServiceCard:
    numbers = tuple(range(11, 11 + len(lines)))
    return replace(one, exceptions=(Pattern("exception", lines, numbers, 0, "attempt", (envelope,), ()),))  # type: ignore[arg-type]


def found(cards: list[ServiceCard], *lines: str) -> list[tuple[str, str | None]]:
    data = "".join(f"{line}\n" for line in lines).encode()
    events = Scanner(cards).events(data, source="file:x", position=0, observed_at=0.0, calendar=Calendar(0.0, 0))
    return [(event.service, event.source_ip) for event in events]


def test_a_line_that_fits_is_no_event() -> None:
    only = excepting(CARD, "shut to probe at {text}")
    lines = [f"{START} doord[1]: shut to {user} at 203.0.113.9" for user in ("probe", "bob", "probes")]
    assert found([CARD], *lines) == [("door", "203.0.113.9")] * 3
    assert found([only], *lines) == [("door", "203.0.113.9")] * 2


def test_it_is_an_exception_of_its_own_service_only() -> None:
    gate = replace(card("shut to {user} at {ip}", name="gate", programs=("gated",)), exceptions=())
    lines = [f"{START} {program}[1]: shut to probe at 203.0.113.9" for program in ("doord", "gated")]
    assert found([excepting(CARD, "shut to probe at {text}"), gate], *lines) == [("gate", "203.0.113.9")]


def test_a_card_may_except_lines_of_another(tmp_path: Path) -> None:
    only = replace(excepting(CARD, "shut to probe at {text}"), id="own", patterns=(), exceptions_of=("door",))
    lines = [f"{START} doord[1]: shut to {user} at 203.0.113.9" for user in ("probe", "bob")]
    assert found([CARD, only], *lines) == [("door", "203.0.113.9")]
    assert found([only], *lines) == []
    path = tmp_path / "own.toml"
    path.write_text('title = "x"\nexceptions_of = ["door"]\n[[exception]]\nlines = "shut to probe"\n')
    assert load_service(path).exceptions_of == ("door",)
    with pytest.raises(ProblemsError, match="there is no card 'door'"):
        load_services([tmp_path])


def test_the_whole_message_has_to_fit() -> None:
    only = excepting(CARD, "shut to probe")
    assert found([only], f"{START} doord[1]: shut to probe at 203.0.113.9") != []


def test_a_record_is_compared_as_a_text() -> None:
    seen = records({"status": "401"})
    line = '203.0.113.9 - - [23/Nov/2026:08:10:00 +0000] "GET {} HTTP/1.1" 401 0 "-" "-"'
    only = excepting(seen, '{text}"GET /health HTTP{text}', envelope="plain")
    assert len(found([seen], line.format("/health"), line.format("/x"))) == 2
    assert len(found([only], line.format("/health"), line.format("/x"))) == 1


def test_one_that_cannot_be_used_is_named_with_its_line() -> None:
    with pytest.raises(ProblemsError, match=r"door\.toml:11: exception: "):
        Scanner([excepting(CARD, "{nothing} at all")])


def test_it_is_written_in_the_card(tmp_path: Path) -> None:
    path = tmp_path / "door.toml"
    start = 'title = "x"\n[[pattern]]\nevent = "e"\nlines = "shut to {ip}"\n'
    text = f'{start}[[exception]]\nlines = "shut to 192.0.2.{{text}}"\n'
    path.write_text(text)
    [one] = load_service(path).exceptions
    assert (one.lines, one.places, one.envelopes) == (("shut to 192.0.2.{text}",), (6,), ("syslog",))
    path.write_text(f'envelope = "json"\n{text.replace("lines = ", "where.x = ", 1)}')
    with pytest.raises(ProblemsError, match="compared as a text"):
        load_service(path)
