"""The cards of alert channels: those of the shelf are right, and a wrong one says what is wrong."""

from pathlib import Path

import pytest

from durward.catalog.alert_card import EVERY_CHANNEL, read_alert_card
from durward.catalog.document import ProblemsError
from durward.catalog.shelf import channels_on, load_alerts


def test_every_channel_is_off_until_somebody_says_otherwise() -> None:
    cards = load_alerts()
    assert len(cards) >= 6
    defaults = {card.id: {name: one.default for name, one in card.settings.items()} for card in cards}
    assert channels_on(defaults) == []
    defaults["hook"]["block"] = "/usr/local/bin/report"
    defaults["xarf"]["enabled"] = True
    assert [card.id for card in channels_on(defaults)] == ["hook"]
    for card in cards:
        assert {setting.name for setting in EVERY_CHANNEL} <= set(card.settings)
        assert card.title
        assert all(setting.why for setting in card.settings.values())


def test_only_commands_hear_of_every_unblocking() -> None:
    assert [card.id for card in load_alerts() if "unblock" in card.kinds] == ["hook"]


def test_a_wrong_card_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "pager.toml"
    path.write_text('title = "Pager"\nkinds = ["blok"]\nsingle = "yes"\nneeds = ["urll"]\nsetings = {}\n')
    with pytest.raises(ProblemsError) as wrong:
        read_alert_card(path)
    said = str(wrong.value)
    for part in ("why is missing", "block", "true or false", "settings", "urll"):
        assert part in said
