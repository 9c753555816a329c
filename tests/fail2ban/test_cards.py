"""A filter becomes a card that says what it looks for by examples, or a list of reasons."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.fail2ban.etc import write

from durward.catalog.service_card import Reads, load_service
from durward.config.home import Home
from durward.fail2ban.cards import card_of, identifier_of
from durward.fail2ban.examples import example_of
from durward.fail2ban.filters import Filter, read_filter
from durward.fail2ban.mapping import Known, plan_of
from durward.fail2ban.writing import is_imported, write_plan

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def shop(directory: Path) -> Filter:
    found = read_filter(write(directory, {}), "shop", {})
    assert found is not None
    return found


def test_a_card_is_right_and_its_examples_are_tried(tmp_path: Path) -> None:
    source = shop(tmp_path)
    made = card_of(source, source.expressions, "shop", Reads(files=("/var/log/shop.log",), journal=("shop.service",)))
    path = tmp_path / "shop.toml"
    path.write_text(made.text)
    card = load_service(path)
    assert card.reads == Reads(("shop.service",), ("/var/log/shop.log",), ("shop", "shop-worker"))
    assert [pattern.envelopes for pattern in card.patterns] == [("syslog",), ("stamped", "plain")]
    assert all(pattern.examples for pattern in card.patterns)
    assert len(made.refused) == 1
    assert "looks ahead" in made.refused[0].why


def test_a_filter_of_which_nothing_is_left_gives_no_card(tmp_path: Path) -> None:
    made = card_of(shop(tmp_path), ("(?!x)<HOST> is shut",), "shop", Reads())
    assert (made.text, made.carried) == ("", ())


@pytest.mark.parametrize(
    ("name", "identifier"), [("My-Shop.2", "my_shop_2"), ("3shop", "filter_3shop"), ("--", "filter_")]
)
def test_identifiers(name: str, identifier: str) -> None:
    assert identifier_of(name) == identifier


def test_an_example_is_a_whole_line() -> None:
    assert example_of("no {user} at {ip}", "syslog", "door") == "Nov 23 08:10:00 web1 door[4242]: no bob at 203.0.113.9"
    assert example_of(r"\d{3} {ip}", "stamped", "") == "2026-11-23 08:10:00 777 203.0.113.9"


def test_written_once_and_a_later_version_replaces_it(tmp_path: Path) -> None:
    etc = write(tmp_path / "fail2ban", {"jail.local": "[shop]\nenabled = true\nlogpath = /var/log/shop.log\n"})
    home = Home.below(tmp_path / "home")
    home.etc.mkdir(parents=True)
    known = Known(frozenset({"sshd"}), lambda _: (), lambda _: ())
    written = write_plan(home, plan_of(etc, known), NOW)
    card = home.etc / "services" / "shop.toml"
    assert written.cards == [card]
    assert is_imported(card)
    assert write_plan(home, plan_of(etc, known), NOW).cards == []
    (etc / "filter.d/shop.local").write_text("[Definition]\nfailregex = ^ all is shut for <HOST>$\n")
    assert write_plan(home, plan_of(etc, known), NOW).cards == [card]
    assert "all is shut" in card.read_text()
    assert "login of" in card.with_name("shop.toml.before-import").read_text()
    own = card.read_text().partition("\n")[2]
    card.write_text(own)
    assert write_plan(home, plan_of(etc, known), NOW).kept == [card]
    assert card.read_text() == own
