"""From a trace to the rule that decided and its words; the traces are as the kernel gives them."""

from durward.ruleset.journey import NO_RULE, Hit, Rule, journey_of, step_of
from durward.ruleset.levels import TABLE
from durward.ruleset.policy import Policy

RULES = {
    "firewall_input": [Rule(1, "goto input_a")],
    "input_a": [Rule(2, "ct state established accept"), Rule(6, "goto arriving_a")],
    "arriving_a": [Rule(8, "meta l4proto icmp jump icmp_a"), Rule(9, "jump open_a"), Rule(10, "goto refused_a")],
    "open_a": [Rule(11, 'tcp dport 22 accept comment "ssh_ports"')],
    "icmp_a": [Rule(12, "return")],
    "refused_a": [Rule(13, "meta l4proto tcp goto refused_tcp_a")],
    "refused_tcp_a": [Rule(14, "counter packets 1 bytes 40 drop")],
    "prerouting": [Rule(20, "meta nfproto vmap { ipv4 : jump arriving4 }")],
    "arriving4": [Rule(21, "ip saddr @block4_32 goto refuse4")],
    "refuse4": [Rule(22, "ip saddr @allow4_32 accept"), Rule(23, "counter packets 7 bytes 420 drop")],
}


def hits(*steps: tuple[str, int, str, str]) -> list[Hit]:
    return [Hit(TABLE, *step) for step in steps]


IN = (("firewall_input", 1, "goto", "input_a"), ("input_a", 6, "goto", "arriving_a"))
RETURNED = (("arriving_a", 8, "jump", "icmp_a"), ("icmp_a", 12, "return", ""))


def test_jumps_that_were_returned_from_are_left_out() -> None:
    steps = hits(*IN, *RETURNED, ("arriving_a", 9, "jump", "open_a"), ("open_a", 11, "accept", ""))
    found = journey_of(steps, RULES, arrived=True)
    assert [place.chain for place in found.places] == ["firewall_input", "input_a", "arriving_a", "open_a"]
    assert (found.passes, found.rule) == (True, 'tcp dport 22 accept comment "ssh_ports"')


def test_what_nothing_let_in_names_the_rule_of_the_step() -> None:
    refused = (("arriving_a", 10, "goto", "refused_a"), ("refused_a", 13, "goto", "refused_tcp_a"))
    found = journey_of(hits(*IN, *refused, ("refused_tcp_a", 14, "drop", "")), RULES, arrived=False)
    assert (found.passes, found.blocked, found.rule) == (False, False, "goto refused_a")


def test_a_block_is_named_as_such_with_its_set() -> None:
    steps = hits(
        ("prerouting", 20, "jump", "arriving4"), ("arriving4", 21, "goto", "refuse4"), ("refuse4", 23, "drop", "")
    )
    found = journey_of(steps, RULES, arrived=False)
    assert (found.passes, found.blocked, found.rule) == (False, True, "ip saddr @block4_32 goto refuse4")
    assert "blocked" in step_of(found, Policy(), "a")


def test_where_no_rule_decided_that_is_said() -> None:
    lost = journey_of(hits(*IN), RULES, arrived=False)
    assert (lost.passes, lost.rule, step_of(lost, Policy(), "a")) == (False, "", NO_RULE)
    free = journey_of([], RULES, arrived=True)
    assert (free.passes, step_of(free, None, "a")) == (True, "nothing refuses it")


def test_other_tables_decide_nothing() -> None:
    found = journey_of([Hit("other", "arrived_here", 5, "drop")], RULES, arrived=True)
    assert (found.passes, found.places) == (True, ())
