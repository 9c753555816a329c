"""A detector's card: everything that is wrong with it is found at once, and its stories come out flat."""

from pathlib import Path

import pytest

from durward.catalog.detector_card import read_detector
from durward.catalog.document import ProblemsError
from durward.catalog.story import StoryDecision, StoryEvent
from durward.model import FOREVER, Subject

CARD = """
title = "Too much"
why = "Because it is."
hears = ["auth.failure"]

[settings.count]
kind = "count"
default = 5
minimum = 1
csf = ["CT_LIMIT"]
why = "How much is too much."

[settings.block_for]
kind = "duration"
default = "1h"
minimum = "1m"
why = "How long."

[[services]]
names = ["sshd", "dropbear"]
csf = { count = ["LF_SSHD", "LF_OTHER"] }
count = 3

[[story]]
title = "Three are too many"
settings = { block_for = "forever" }
events = [
    { at = "+1m", every = "10s", times = 3, ip = "203.0.113.9", kind = "auth.failure", service = "sshd", user = "bob" },
    { at = "+0s", ip = "198.51.100.7", kind = "auth.success", service = "sshd", hits = 0 },
]
gives = [{ at = "+1m20s", verdict = "block", subject = "203.0.113.9", until = "forever" }]
"""


def card(directory: Path, text: str, name: str = "too_much.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def problems_of(directory: Path, text: str, name: str = "too_much.toml") -> list[str]:
    with pytest.raises(ProblemsError) as error:
        read_detector(card(directory, text, name))
    return [str(problem).removeprefix(f"{directory}/{name}:") for problem in error.value.problems]


def test_a_card_is_read(tmp_path: Path) -> None:
    detector = read_detector(card(tmp_path, CARD))
    assert (detector.id, detector.code, detector.hears) == ("too_much", "too_much", {"auth.failure"})
    assert detector.settings["count"].default == 5
    assert detector.settings["block_for"].minimum == 60
    assert set(detector.services) == {"sshd", "dropbear"}
    assert detector.services["dropbear"].values == {"count": 3}
    assert detector.services["sshd"].csf == {"LF_SSHD": "count", "LF_OTHER": "count"}


def test_stories_are_flat_and_in_order(tmp_path: Path) -> None:
    (story,) = read_detector(card(tmp_path, CARD)).stories
    assert [event.at for event in story.events] == [0, 60, 70, 80]
    assert story.events[0] == StoryEvent(0, "auth.success", "sshd", "198.51.100.7", None, 0)
    assert story.events[3] == StoryEvent(80, "auth.failure", "sshd", "203.0.113.9", "bob", 1)
    assert story.gives == (StoryDecision(80, "block", Subject("address", "203.0.113.9"), FOREVER),)
    assert story.settings == {"block_for": "forever"}


def test_all_mistakes_are_found_at_once(tmp_path: Path) -> None:
    wrong = (
        CARD.replace('why = "Because it is."', "whi = 5")
        .replace('kind = "count"', 'kind = "cuont"')
        .replace('default = "1h"', 'default = "1s"')
        .replace("count = 3", "coutn = 3")
        .replace('verdict = "block"', 'verdict = "blok"')
        .replace('ip = "198.51.100.7"', 'ipp = "198.51.100.7"')
    )
    found = problems_of(tmp_path, wrong)
    expected = {
        "3: whi: is not known here; did you mean why?",
        "1: why: why is missing; a text was expected",
        "15: settings.block_for.default: '1s' was given; a duration of at least 1m was expected",
    }
    assert expected <= set(found)
    for start, end in (
        ("7: settings.count.kind: 'cuont' was given; one of count,", "did you mean count?"),
        ("22: services.0.coutn: is not known here", ""),
        ("27: story.0.events.1.ipp: is not known here", "did you mean ip?"),
        ("31: story.0.gives.0.verdict: 'blok' was given; one of block,", "did you mean block?"),
    ):
        assert any(line.startswith(start) and line.endswith(end) for line in found), (start, found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"+1m"', '"1m"', "is no moment; one like +40s"),
        ("times = 3", "times = 1000000", "at most 10000"),
        ("times = 3", "times = -1", "a whole number from 0"),
        ('every = "10s"', 'every = "10"', "is not a duration"),
        ("subject = ", 'subject = "x", user = ', "is not an IPv4 or IPv6 address"),
        ('hears = ["auth.failure"]', "", "the kinds of events that it hears"),
        ('names = ["sshd", "dropbear"]', 'names = ["sshd", "sshd"]', "stands in another group already"),
        ('names = ["sshd", "dropbear"]', "", "the ids of services were expected"),
        ("count = 3", "count = 0", "a count of at least 1"),
        ("[[services]]", "[services]", "tables were expected, written [[services]]"),
        ("default = 5\n", "", "default is missing"),
        ('csf = ["CT_LIMIT"]', "csf = 5", "a list of texts"),
        ("minimum = 1\n", 'minimum = "x"\n', "is not a duration"),
    ],
)
def test_single_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CARD
    assert any(message in line for line in problems_of(tmp_path, CARD.replace(old, new, 1)))


def test_the_file_name_has_to_be_an_id(tmp_path: Path) -> None:
    assert "is no id" in problems_of(tmp_path, CARD, "Too Much.toml")[0]
