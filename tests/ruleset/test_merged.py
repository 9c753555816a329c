"""The text of merged lists: where their ways are, what a filling puts into them, and which are refused."""

import pytest

from durward.catalog.traffic import PortRange
from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.merged import Filling, MergedList, contents, declarations, fragment, removal
from durward.ruleset.policy import Policy

SSH = (PortRange(22, 22),)
FILLING = Filling(7, (16, 24, 32), (48, 64))


def test_without_lists_there_is_nothing() -> None:
    part = fragment(Policy(), "a")
    assert (part.chains, part.raw, part.arriving, part.accepting) == ((), (), (), ())


def test_lists_of_each_kind_have_their_slot() -> None:
    lists = (
        MergedList("feeds", "deny", early=True),
        MergedList("banned", "deny"),
        MergedList("home", "allow_only"),
        MergedList("office", "allow_ports", tcp=SSH),
    )
    part = fragment(Policy(merged=lists), "b")
    (early,), (arriving,), accepting = part.raw, part.arriving, part.accepting
    assert early.endswith("jump merged_early_b")
    assert arriving.startswith("ct state new,untracked ")
    assert arriving.endswith("jump merged_b")
    assert accepting[0].endswith("22 jump listed_office_b")
    assert {text.split()[1] for text in part.chains} == {
        *(f"listed_{one.name}_b" for one in lists),
        "merged_b",
        "merged_early_b",
    }


def test_a_filling_asks_for_long_prefixes_first_and_once_for_each_level() -> None:
    text = contents(MergedList("feeds", "deny"), FILLING, ["a", "b"])
    rules = [line for line in text.splitlines() if " listed_feeds_b " in line and line.startswith("add")]
    assert [rule.split("@")[1].split()[0] for rule in rules] == [
        "merged_feeds_7_4_32",
        "merged_feeds_7_4_24",
        "merged_feeds_7_4_16",
        "merged_feeds_7_6_64",
        "merged_feeds_7_6_48",
    ]
    assert "ip saddr & 255.255.255.0 @merged_feeds_7_4_24 counter drop" in text
    assert text.count("flush chain") == 2


def test_whoever_is_not_in_a_list_of_the_only_ones_is_dropped_in_both_families() -> None:
    text = contents(MergedList("home", "allow_only"), Filling(1, (32,)), ["a"])
    assert text.splitlines()[-1] == "add rule inet durward listed_home_a counter drop"
    assert contents(MergedList("home", "allow_only"), None, ["a"]) == "flush chain inet durward listed_home_a\n"


def test_sets_have_no_size_and_no_flags() -> None:
    assert list(declarations("feeds", Filling(3, (32,), (64,)))) == [
        "add set inet durward merged_feeds_3_4_32 { type ipv4_addr; }\n",
        "add set inet durward merged_feeds_3_6_64 { type ipv6_addr; }\n",
    ]
    assert removal("feeds", Filling(3, (32,), (64,))).count("delete set") == 2


@pytest.mark.parametrize(
    "lists",
    [
        (MergedList("Feeds", "deny"),),
        (MergedList("a b", "deny"),),
        (MergedList("feeds", "deny"), MergedList("feeds", "allow_only")),
        (MergedList("feeds", "allow_only", early=True),),
        (MergedList("feeds", "deny", tcp=SSH),),
        (MergedList("feeds", "deny_ports"),),
        tuple(MergedList(f"feeds{number}", "deny") for number in range(17)),
    ],
)
def test_impossible_lists_are_refused(lists: tuple[MergedList, ...]) -> None:
    with pytest.raises(InvalidPolicyError):
        fragment(Policy(merged=lists), "a")
