"""The skeleton's text: what it looks up, and what it never has."""

import re

import pytest

from durward.ruleset.levels import NEAR, PURPOSES, SetShape, levels_of, shapes
from durward.ruleset.skeleton import marker_of, mending, replacement, rule_counts, set_names, skeleton


def test_every_set_is_looked_up_and_every_look_up_has_its_set() -> None:
    text = skeleton(56)
    assert (
        {shape.name for shape in shapes(56)} | {"live4", "live6", "live_udp4", "live_udp6"}
        == set(re.findall(r"@(\w+)", text))
        == set(re.findall(r"\tset (\w+)", text))
    )
    assert len(shapes(56)) == len(PURPOSES) * (3 + 5) + 2 * len(NEAR)


def test_there_are_no_intervals_and_no_other_table() -> None:
    text = skeleton()
    assert "interval" not in text
    assert re.findall(r"^\w.*$", replacement(text), re.MULTILINE) == [
        "table inet durward",
        "delete table inet durward",
        "table inet durward {",
    ]


def test_the_marker_tells_skeletons_apart() -> None:
    assert marker_of(skeleton()) == marker_of(skeleton(64))
    assert len({marker_of(skeleton(prefix)) for prefix in (48, 56, 64, 60, 128)}) == 5
    with pytest.raises(ValueError, match="no marker"):
        marker_of("table inet durward { }")


def test_only_rules_are_counted() -> None:
    counts = rule_counts(skeleton())
    assert counts["prerouting"] == 3
    assert (counts["arriving4"], counts["near4"], counts["passes4"], counts["leaving4"]) == (2, 6, 6, 1)
    assert (counts["arriving6"], counts["near6"], counts["passes6"], counts["leaving6"]) == (2, 8, 8, 1)
    assert counts["refuse4"] == 4
    assert counts["admit4"] == 2
    assert not any(name.startswith("skeleton_") for name in counts)


def test_levels_are_longest_first() -> None:
    assert levels_of(4) == (32, 24, 16)
    assert levels_of(6) == (128, 64, 48, 32)
    assert levels_of(6, 56) == (128, 64, 56, 48, 32)


@pytest.mark.parametrize("prefix", [0, 31, 129])
def test_an_impossible_block_prefix_is_refused(prefix: int) -> None:
    with pytest.raises(ValueError, match="32 to 128"):
        skeleton(prefix)


def test_the_name_of_a_set_says_what_is_in_it() -> None:
    assert SetShape("block_ports", 4, 24, 1).name == "block_ports4_24"
    assert SetShape("block_ports", 4, 24, 1).has_ports
    assert not SetShape("allow_out", 6, 64, 1).has_ports


def test_sets_for_storms_are_the_large_ones() -> None:
    sizes = {shape.name: shape.size for shape in shapes(56)}
    assert sizes["block4_32"] == sizes["block6_56"] > sizes["block6_64"] > sizes["out4_32"]


def test_mending_declares_every_chain_before_it_is_flushed_and_takes_foreign_ones_away_last() -> None:
    lines = mending(skeleton(), ["prerouting", "input_a", "firewall_input", "evil"], "# the firewall\n").splitlines()
    flushed = [line.split()[-1] for line in lines if line.startswith("flush")]
    declared = [line.split()[1] for line in lines[: lines.index("}")] if line.startswith("\tchain")]
    assert flushed == [*declared, "evil"]
    assert lines[-2:] == ["# the firewall", "delete chain inet durward evil"]
    assert [line for line in lines if line.startswith("delete")] == lines[-1:]


def test_the_sets_of_a_skeleton_are_known_by_name() -> None:
    assert set_names(skeleton()) >= {shape.name for shape in shapes()}
    assert set_names(skeleton(56)) - set_names(skeleton()) == {
        shape.name for shape in shapes(56) if "6_56" in shape.name
    }
