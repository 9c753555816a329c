"""What `durward why` says that a detector counts, and that no detector of the shelf is forgotten by another's name."""

import pytest

from durward.catalog.shelf import directories_of, load_detectors
from durward.commands.counted import COUNTED, FAILURES, counted_by


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("detector:brute_force", "failures"),
        ("detector:port_scan", "probes"),
        ("detector:connections", "connections"),
        ("detector:a_card_of_yours", "events"),
    ],
)
def test_what_is_counted(origin: str, said: str) -> None:
    assert counted_by(origin) == said


def test_every_name_is_a_detector_s() -> None:
    known = {card.id for card in load_detectors(directories_of("detectors"))}
    assert known >= FAILURES | COUNTED.keys()
