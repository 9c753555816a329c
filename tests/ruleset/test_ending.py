"""Deny filters for connections that stand: asked only where there are any, and never of what is not asked otherwise."""

from durward.config.filters import parse_filter
from durward.ruleset.ending import Ending, ending
from durward.ruleset.firewall import firewall
from durward.ruleset.order import FAST
from durward.ruleset.policy import Interface, Policy

ARRIVING, LEAVING = parse_filter("tcp|in|d=1_1000|s=192.0.2.4"), parse_filter("tcp|out|d=25|d=2001:db8::4")


def test_without_deny_filters_nothing_is_asked() -> None:
    assert ending(Policy(allow_filters=(ARRIVING, LEAVING)), "a") == Ending()


def test_what_comes_in_is_asked_before_connections_pass() -> None:
    policy = Policy(deny_filters=(ARRIVING,))
    made = ending(policy, "b")
    assert made.input == ("ct state established jump still_input_b",)
    assert made.output == ()
    text = firewall(policy, "b")
    for name in ("input", "forward"):
        assert f"chain {name}_b {{\n\t\tct state established jump still_{name}_b\n\t\t{FAST}\n" in text


def test_what_leaves_is_asked_on_its_own_way_and_for_our_containers() -> None:
    made = ending(Policy(deny_filters=(LEAVING,)), "a")
    assert made.input == ()
    assert made.output == ("ct state established,related jump still_output_a",)
    (forward,) = (one for one in made.chains if "chain still_forward_a" in one)
    assert "goto still_output_a" in forward
    assert "ct status dnat" not in forward


def test_whoever_is_not_filtered_is_not_asked() -> None:
    interfaces = (Interface("eth1", "trusted"), Interface("docker0", "ignored"))
    made = ending(Policy(deny_filters=(ARRIVING, LEAVING), interfaces=interfaces), "a")
    for name, word, loop in (("input", "iifname", "iif"), ("output", "oifname", "oif")):
        (found,) = (one for one in made.chains if f"chain still_{name}_a" in one)
        assert f'{loop} "lo" return' in found
        assert f'{word} {{ "docker0", "eth1" }} return' in found


def test_a_hit_leads_to_those_who_are_allowed_first() -> None:
    made = ending(Policy(deny_filters=(ARRIVING, LEAVING)), "a")
    (denied,) = (one for one in made.chains if "chain still_denied_a" in one)
    rules = [line.strip() for line in denied.splitlines()[1:-1]]
    assert [rule.split(" ")[-1] for rule in rules[-1:]] == ["drop"]
    assert "jump allowed4_a" in rules[0]
    assert any("counter goto still_denied_a" in one for one in made.chains)
