"""The lines of `why` about what decides; what they are made of is tried in tests/daemons/test_ruling.py."""

from typing import Any

from durward.commands.precedence import precedence_lines


def entry(rank: str, **more: Any) -> dict[str, Any]:
    plain = {"rank": rank, "says": rank, "by": "decision 1", "subject": "192.0.2.4", "traffic": "all", "until": None}
    return plain | {"overruled_by": None} | more


def test_one_allowance_is_told_and_one_block_is_not() -> None:
    assert precedence_lines([entry("block")]) == []
    assert "decision 1 (192.0.2.4)" in precedence_lines([entry("allow")])[-1]


def test_what_comes_from_a_list_is_inert() -> None:
    (row,) = precedence_lines([entry("deny_filter", by="deny.list:1\x1b[31m")])[-1].splitlines()
    assert "\x1b[31m" not in row
