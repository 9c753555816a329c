"""Ranks: what decides first, and what leaves nothing to decide."""

import pytest

from durward.model import Scope
from durward.ruleset.ranks import RANKS, Rank, overrules, rank_of


def test_every_entry_has_its_rank() -> None:
    found = [rank_of(listing, Scope.parse(scope)) for listing in ("allow", "block") for scope in ("in:", "out:22")]
    assert found == ["allow", "allow_ports", "block", "block_ports"]
    assert [RANKS.index(rank) for rank in found] == [0, 1, 3, 4]


@pytest.mark.parametrize(
    ("rank", "scope", "direction", "expected"),
    [
        ("allow", "in:", "in", True),
        ("allow", "in:", "out", True),
        ("allow", "out:", "in", False),
        ("allow", "out:", "out", True),
        ("block", "in:", "in", True),
        ("block", "in:", "out", False),
        ("block_ports", "in:22", "in", False),
        ("allow_ports", "in:22", "in", False),
        ("allow_filter", "in:", "in", False),
    ],
)
def test_only_what_is_said_of_all_traffic_overrules(rank: Rank, scope: str, direction: str, expected: bool) -> None:
    assert overrules((rank, Scope.parse(scope)), direction) is expected
