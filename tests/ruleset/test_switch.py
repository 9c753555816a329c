"""The switch: what decides, in which order it is asked, what is taken away, and what is left as it is."""

import re

import pytest

from durward.catalog.traffic import parse_ports
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Policy, Ports
from durward.ruleset.switch import BASES, Firewall, Generation, Present, other, switch

NOTHING = Present(frozenset(), frozenset())
METER = "meter_flood_0a1b2c3d"


def compiled(generation: Generation, port: str = "80") -> Firewall:
    return Firewall.marked(generation, firewall(Policy(inbound=Ports(tcp4=parse_ports(port))), generation))


def small(generation: Generation, *chains: str, meter: str = "") -> Firewall:
    """A firewall of a few chains, for what does not depend on their rules."""
    sets = [f"\tset {meter} {{ type ipv4_addr; flags dynamic,timeout; }}"] if meter else []
    body = [*sets, *(f"\tchain {name}_{generation} {{\n\t\taccept\n\t}}" for name in chains)]
    return Firewall.marked(generation, "table inet durward {\n" + "\n".join(body) + "\n}\n")


def present_with(*firewalls: Firewall, sets: tuple[str, ...] = ()) -> Present:
    """What the kernel has once these were loaded."""
    chains = {name for one in firewalls for name in re.findall(r"^\tchain (\w+) ", one.text, re.MULTILINE)}
    return Present(frozenset(chains | {f"firewall_{slot}" for one in firewalls for slot in one.slots}), frozenset(sets))


def leads(text: str, slot: str = "input") -> list[str]:
    """The rules of a base chain, in order."""
    return re.findall(rf"^add rule inet durward firewall_{slot} (.*)$", text, re.MULTILINE)


def deleted(text: str, kind: str) -> list[str]:
    return re.findall(rf"^delete {kind} inet durward (\w+)$", text, re.MULTILINE)


def test_the_other_generation_is_the_free_one() -> None:
    assert [other("a"), other("b")] == ["b", "a"]


def test_a_firewall_knows_which_base_chains_lead_into_it() -> None:
    assert compiled("a").slots == tuple(slot for slot in BASES if slot in {"raw", "input", "forward", "output"})
    assert small("b", "input", "flood", "nat_arriving").slots == ("input", "nat_arriving")


def test_it_can_be_found_again_in_a_larger_text() -> None:
    made = compiled("b")
    found = re.search(r"^# begin b\n.*?^# end b\n", f"before\n{made.text}after\n", re.MULTILINE | re.DOTALL)
    assert found is not None
    assert found[0] == made.text


@pytest.mark.parametrize(("generation", "whole"), [("a", True), ("b", False)])
def test_a_text_of_another_generation_is_not_whole(generation: Generation, whole: bool) -> None:
    assert Firewall.marked(generation, firewall(Policy(), "a")).is_whole is whole
    assert not Firewall.marked(generation, "table inet durward { }").is_whole
    assert not Firewall.marked("a", f"{firewall(Policy(), 'a')}{firewall(Policy(), 'b')}").is_whole


def test_a_trial_is_asked_first_and_only_while_the_kernel_says_so() -> None:
    text = switch(NOTHING, compiled("a"), compiled("b", "81"), 60)
    for slot in ("input", "forward", "output", "raw"):
        assert leads(text, slot) == [f"meta nfproto @trial goto {slot}_b", f"goto {slot}_a"]
    assert "add element inet durward trial { ipv4 timeout 60s, ipv6 timeout 60s }" in text
    assert text.index("flush set inet durward trial") < text.index("add element inet durward trial")


def test_without_a_trial_nothing_is_asked_of_the_kernel() -> None:
    text = switch(NOTHING, compiled("a"))
    assert leads(text) == ["goto input_a"]
    assert "flush set inet durward trial" in text
    assert "add element" not in text


def test_a_first_trial_leaves_everything_open_behind_it() -> None:
    assert leads(switch(NOTHING, None, compiled("a"), 5)) == ["meta nfproto @trial goto input_a"]


def test_what_is_kept_stays_as_it_is_with_its_counters() -> None:
    kept, trial = compiled("a"), compiled("b", "81")
    text = switch(present_with(kept), kept, trial, 60, reload=False)
    assert kept.text not in text
    assert trial.text in text
    assert deleted(text, "chain") == []
    assert leads(text) == ["meta nfproto @trial goto input_b", "goto input_a"]


@pytest.mark.parametrize("reload", [True, False])
def test_what_is_kept_is_loaded_where_a_chain_of_it_is_gone(reload: bool) -> None:
    kept = small("a", "input", "flood")
    there = Present(frozenset({"input_a", "firewall_input"}), frozenset())
    text = switch(there, kept, reload=reload)
    assert kept.text in text
    assert deleted(text, "chain") == ["input_a"], "its remains go first, or they would be there twice"


def test_what_was_on_trial_is_taken_away_before_the_next_trial_is_loaded() -> None:
    kept, first, second = small("a", "input"), small("b", "input", "flood"), small("b", "input", "limits")
    text = switch(present_with(kept, first), kept, second, 60, reload=False)
    assert deleted(text, "chain") == ["flood_b", "input_b"]
    assert text.index("flush chain inet durward flood_b") < text.index("delete chain inet durward flood_b")
    assert text.rindex("delete chain") < text.index(second.text)


def test_a_base_chain_that_nothing_leads_into_any_more_is_emptied() -> None:
    before, after = small("a", "input", "nat_arriving"), small("b", "input")
    text = switch(present_with(before), after)
    assert "flush chain inet durward firewall_nat_arriving" in text
    assert leads(text, "nat_arriving") == []


def test_nothing_at_all_takes_every_chain_and_meter_away() -> None:
    kept = small("a", "input", meter=METER)
    text = switch(present_with(kept, sets=(METER, "block4_32", "trial")), None)
    assert (deleted(text, "chain"), deleted(text, "set")) == (["input_a"], [METER])
    assert leads(text) == []


def test_meters_outlive_an_apply_and_go_when_nobody_counts_with_them() -> None:
    kept, trial = small("a", "input", meter=METER), small("b", "input", meter=METER)
    there = present_with(kept, sets=(METER, "meter_ping_00000000"))
    text = switch(there, kept, trial, 60, reload=False)
    assert deleted(text, "set") == ["meter_ping_00000000"]
    assert "add element inet durward meter" not in text


def test_chains_of_the_skeleton_are_nobodys_generation() -> None:
    there = Present(frozenset({"prerouting", "arriving4", "refuse_out6", "skeleton_0123456789abcdef"}), frozenset())
    text = switch(there, None)
    assert deleted(text, "chain") == []
    assert not re.search(r"flush chain inet durward (prerouting|arriving4|refuse_out6|skeleton)", text)
