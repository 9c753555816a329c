"""`[counting]` of a card: what it may say, every mistake with the nearest right word, and reasons that stay inert."""

from pathlib import Path

import pytest

from durward.catalog.counting import Counting, said
from durward.catalog.detector_card import read_detector
from durward.catalog.document import ProblemsError

CARD = """
title = "Too much"
why = "Because it is."
hears = ["shop.closed"]
[counting]
"""


def read(directory: Path, counting: str) -> Counting | None:
    path = directory / "mine.toml"
    path.write_text(CARD + counting)
    return read_detector(path).counting


def test_nothing_said_is_hits_of_each_source_per_service(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Counting("source", "", apart=True, unit="hits", says="{count} hits in {span}")


def test_everything_said(tmp_path: Path) -> None:
    lines = ('key = "account"', 'distinct = "source"', "apart = false", 'unit = "events"', 'only_about = ["imap"]')
    written = "\n".join([*lines, 'says = "{account}"'])
    assert read(tmp_path, written) == Counting("account", "source", False, "events", frozenset({"imap"}), "{account}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('key = "acount"', "did you mean account?"),
        ('distinct = "sorce"', "did you mean source?"),
        ('unit = "lines"', "one of hits, events was expected"),
        ('says = "{cuont} hits"', "{cuont} is unknown"),
        ('apart = "no"', "true or false was expected"),
        ('kye = "source"', "did you mean key?"),
        ('only_about = "imap"', "a list of texts"),
    ],
)
def test_mistakes(tmp_path: Path, written: str, message: str) -> None:
    with pytest.raises(ProblemsError) as error:
        read(tmp_path, written)
    assert any(message in str(problem) for problem in error.value.problems), error.value.problems


def test_code_and_data_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CARD.replace("[counting]", 'code = "brute_force"\n[counting]'))
    with pytest.raises(ProblemsError, match=r"either code or \[counting\]"):
        read_detector(path)


def test_a_value_is_never_read_as_a_field() -> None:
    assert said("{account} has {count}", {"account": "{count}{__class__}", "count": "3"}) == "{count}{__class__} has 3"
