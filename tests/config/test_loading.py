"""Cards and settings read in one go: all that is wrong with the cards is said at once, and cards need no settings."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config.home import Home
from durward.config.loading import load, load_cards, load_lists


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.below(tmp_path)
    for folder in ("services", "detectors"):
        (home.etc / folder).mkdir(parents=True)
    return home


def test_services_that_are_switched_off_are_left_out(home: Home) -> None:
    (home.etc / "durward.toml").write_text("[services.sshd]\nenabled = false\n")
    loaded = load(home)
    assert "sshd" not in {card.id for card in loaded.services}
    assert "sshd" in loaded.settings.services


def test_cards_are_read_although_settings_are_wrong(home: Home) -> None:
    (home.etc / "durward.toml").write_text("[firewall]\nping = 1\n")
    services, detectors = load_cards(home)
    assert {"sshd"} <= {card.id for card in services}
    assert {"brute_force"} <= {card.id for card in detectors}
    with pytest.raises(ProblemsError, match=r"firewall\.ping"):
        load(home)


def test_wrong_cards_of_both_kinds_are_named_at_once(home: Home) -> None:
    (home.etc / "services" / "mine.toml").write_text("titel = 1\n")
    (home.etc / "detectors" / "mine.toml").write_text("titel = 1\n")
    with pytest.raises(ProblemsError) as raised:
        load_cards(home)
    folders = {Path(problem.file).parent.name for problem in raised.value.problems}
    assert folders == {"services", "detectors"}


def test_lists_that_are_not_there_are_empty(home: Home) -> None:
    (home.etc / "deny.list").write_text("192.0.2.4\nnonsense\n")
    lists = load_lists(home)
    assert [entry.network for entry in lists.deny.entries] == ["192.0.2.4"]
    assert (lists.allow.entries, len(lists.problems)) == ([], 1)
