"""Rehearsing a card's stories: what really comes of them, in the words in which stories are written."""

from pathlib import Path

import pytest

from durward.catalog.detector_card import read_detector
from durward.catalog.document import ProblemsError
from durward.engine.rehearsing import rehearsed

CARD = """
title = "Too much"
why = "Because it is."
hears = ["shop.closed"]
[counting]
[settings.count]
default = 2
[[story]]
title = "Two are too many"
settings = { SETTINGS }
events = [{ at = "+0s", every = "10s", times = 2, ip = "203.0.113.9", kind = "shop.closed", service = "shop" }]
"""


def told(directory: Path, settings: str) -> list[str]:
    path = directory / "mine.toml"
    path.write_text(CARD.replace("SETTINGS", settings))
    card = read_detector(path)
    decisions, _ = rehearsed(card, card.stories[0], [])
    return [str(one) for one in decisions]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["block 203.0.113.9 at +10s until +3610s"]),
        ('mode = "shadow"', ["would block 203.0.113.9 at +10s until +3610s"]),
        ('block_for = "forever"', ["block 203.0.113.9 at +10s forever"]),
        ('remedy = "ports", block_ports = "80,53/udp"', ["block 203.0.113.9 at +10s until +3610s ports 80,53/udp"]),
        ('remedy = "alert"', ["alert 203.0.113.9 at +10s"]),
        ("count = 3", []),
    ],
)
def test_what_is_told(tmp_path: Path, settings: str, expected: list[str]) -> None:
    assert told(tmp_path, settings) == expected


def test_a_setting_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="cuont"):
        told(tmp_path, "cuont = 3")
