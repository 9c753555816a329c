"""Crawlers' cards: those of the package, and mistakes in a site's own."""

import re
from pathlib import Path

import pytest

from durward.catalog.crawler_card import load_crawlers
from durward.catalog.document import ProblemsError
from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of
from durward.model import parse_address


def test_every_crawler_has_a_line_that_claims_to_be_it_and_no_line_claims_another() -> None:
    web = next(card for card in load_services(directories_of("services")) if card.id == "web")
    claimed = {pattern.about for pattern in web.patterns if pattern.event == "crawler.claimed"}
    assert claimed == set(load_crawlers(directories_of("crawlers")))


def test_networks_are_dated_and_whose_names_are_whose() -> None:
    cards = load_crawlers(directories_of("crawlers"))
    for card in cards.values():
        assert card.source.startswith("https://")
        assert not card.networks or re.fullmatch(r"\d{4}-\d{2}", card.as_of)
    google = cards["google"]
    assert google.has("crawl-192-0-2-1.googlebot.com")
    assert not google.has("crawl.evil-googlebot.com")
    assert not google.has("google-proxy-192-0-2-1.google.com")
    assert google.knows("google-proxy-192-0-2-1.google.com")
    assert google.publishes(google.networks[0][0])
    assert not google.publishes(parse_address("192.0.2.1"))
    assert not google.publishes(parse_address("2001:db8::1"))


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('title = "One"\nnames = ["x y", ".com"]\nconfirms = "no"\ncolour = 1\n')
    (tmp_path / "two.toml").write_text('title = "Two"\nnames = [".two.example"]\nnetworks = ["192.0.2.0/24", "none"]\n')
    with pytest.raises(ProblemsError) as caught:
        load_crawlers([tmp_path])
    said = str(caught.value)
    for part in (
        "one.toml:2: names: 'x y'",
        "one.toml:3: confirms",
        "one.toml:4: colour",
        "two.toml:3: networks: 'none'",
    ):
        assert part in said
    assert "`source` and `as_of` were expected" in said
