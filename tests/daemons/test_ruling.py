"""Which of several entries decides, as `why` tells it: in the order of the rules."""

from pathlib import Path

import pytest

from durward.commands.precedence import precedence_lines
from durward.config.home import Home
from durward.config.loading import load_lists
from durward.daemons.ruling import ruled, ruling
from durward.model import Scope, Standing, Subject
from durward.ruleset.ranks import RANKS, WORDS

WHO = {4: "198.51.100.7", 6: "2001:db8:2::7"}
AROUND = {4: "198.51.100.0/24", 6: "2001:db8:2::/64"}


def standing(listing: str, subject: str, scope: str, decision: int, until: float | None = None) -> Standing:
    return Standing(listing, Subject.parse(subject), Scope.parse(scope), until, decision)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_said_is_told_in_the_order_of_the_rules(tmp_path: Path, version: int) -> None:
    who, around = WHO[version], AROUND[version]
    home = Home.below(tmp_path)
    home.etc.mkdir(parents=True)
    (home.etc / "allow.list").write_text(f"# head\nicmp|in|d=ping|s={around}\ntcp|in|s=53|s=192.0.2.1\n")
    (home.etc / "deny.list").write_text(f"tcp|in|d=1_1000|s={who}\ntcp|out|d=25||u=nobody\ntcp|in|d=22|d={who}\n")
    standings = [
        standing("block", who, "in:22", 1),
        standing("block", around, "in:", 2, 1_795_421_500.0),
        standing("block", who, "out:", 3),
        standing("allow", who, "in:443", 4),
        standing("ignore", who, "in:", 5),
    ]
    found = ruling(standings, ruled(load_lists(home)), Subject.parse(who))
    assert [(one["rank"], one["by"], one["overruled_by"]) for one in found] == [
        ("allow_ports", "decision 4", None),
        ("allow_filter", "allow.list:2", None),
        ("block", "decision 2", None),
        ("block", "decision 3", None),
        ("block_ports", "decision 1", "decision 2"),
        ("deny_filter", "deny.list:1", "decision 2"),
    ]
    assert [one["traffic"] for one in found][0:2] == ["in 443", f"icmp|in|d=ping|s={around}"]
    allowed = ruling([*standings, standing("allow", around, "in:", 9)], ruled(load_lists(home)), Subject.parse(who))
    assert (allowed[0]["rank"], allowed[0]["overruled_by"]) == ("allow", None)
    assert {one["overruled_by"] for one in allowed[1:]} == {"decision 9"}, "in both directions"


def test_the_page_says_what_decides_and_what_does_not() -> None:
    said = ruling(
        [standing("block", WHO[4], "in:22", 1), standing("allow", WHO[4], "in:", 2)], [], Subject.parse(WHO[4])
    )
    _, title, rows = precedence_lines(said)
    first, second = rows.splitlines()
    assert "the first that fits decides" in title
    assert first.split()[:3] == ["allowed", "decision", "2"]
    assert "blocked at some ports" in second
    assert "overruled by decision 2" in second


def test_a_block_alone_is_told_of_elsewhere() -> None:
    assert precedence_lines(ruling([standing("block", WHO[6], "in:", 1)], [], Subject.parse(WHO[6]))) == []
    assert precedence_lines([]) == []


def test_every_rank_has_its_words() -> None:
    assert tuple(WORDS) == RANKS
