"""The order of the firewall: what is told to people is what the rules do."""

from tests.ruleset.golden import cases

from durward.ruleset.firewall import firewall
from durward.ruleset.order import FAST, Parts, listed, ways
from durward.ruleset.policy import Policy

EVERYTHING = next(case.policy for case in cases() if case.name == "everything")


def test_every_rule_of_every_part_has_its_place() -> None:
    parts = Parts.of(EVERYTHING, "a")
    placed = {rule for way in ways(EVERYTHING, "a", parts) for step in way.steps for rule in step.rules}
    slots = ("raw", "untracked", "arriving", "accepting", "leaving", "nat_arriving", "nat_leaving", "nat_routed")
    for slot in (*slots, "early", "ending"):
        assert set(parts.slot(slot)) <= placed, slot


def test_the_shortest_way_is_the_first_rule() -> None:
    text = firewall(Policy(), "a")
    for name in ("input", "forward"):
        assert f"chain {name}_a {{\n\t\t{FAST}\n" in text


def test_lists_that_deny_come_after_those_that_allow_and_before_the_proxy() -> None:
    (arriving,) = (way for way in ways(EVERYTHING, "a", Parts.of(EVERYTHING, "a")) if way.chain == "arriving")
    rules = [rule for step in arriving.steps for rule in step.rules]
    order = ("jump allowed4_a", "jump icmp_a", "jump denied4_a", "jump merged_a", "jump syn_proxy4_a", "goto refused_a")
    places = [next(index for index, rule in enumerate(rules) if word in rule) for word in order]
    assert places == sorted(places)


def test_translated_packets_have_lists_of_their_own() -> None:
    assert set(listed(Policy())) == {
        *("pardoned", "pardoned_out"),
        *("allowed", "denied", "allowed_translated", "denied_translated", "allowed_out", "denied_out"),
    }
