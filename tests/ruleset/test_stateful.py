"""Port lists, interfaces and name servers as rules."""

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import EVERYTHING, Interface, Knock, Policy, Ports
from durward.ruleset.stateful import (
    from_inside,
    ftp_helper,
    lets_out_everything,
    name_servers,
    open_ports,
    outgoing_ports,
    ssh_ports,
    to_inside,
    unfiltered,
    untracked_answers,
)

BOTH = Ports(tcp4=parse_ports("80"), tcp6=parse_ports("80"), udp4=parse_ports("53"))


def test_a_list_that_is_the_same_for_both_families_is_one_rule() -> None:
    assert open_ports(Policy(inbound=BOTH)) == (
        'tcp dport 80 accept comment "tcp_in"',
        'meta nfproto ipv4 udp dport 53 accept comment "udp_in"',
    )
    assert outgoing_ports(Policy(outbound=BOTH))[0] == 'tcp dport 80 accept comment "tcp_out"'


def test_a_port_that_opens_by_knocking_is_in_no_list() -> None:
    knock = Knock(80, "tcp", (7000, 9000, 8000), 20)
    assert open_ports(Policy(inbound=BOTH, knocks=(knock,)))[0].startswith("meta nfproto ipv4 udp")
    assert ssh_ports(Policy(ssh_ports=(80,), knocks=(knock,))) == ()


def test_everything_leaves_where_nothing_is_forbidden() -> None:
    assert lets_out_everything(Policy())
    assert lets_out_everything(Policy(outbound=EVERYTHING))
    assert not lets_out_everything(Policy(outbound=BOTH))
    assert not lets_out_everything(Policy(outbound=Ports())), "an empty list is no port, not every port"


def test_an_interface_is_what_the_list_says_even_if_it_looks_like_a_bridge() -> None:
    policy = Policy(interfaces=(Interface("br-ex"), Interface("lan", "trusted")), inner_interfaces=("br-*",))
    assert unfiltered(policy, "iifname") == ('iifname "lan" accept',)
    assert from_inside(policy, "accept") == ('iifname != "br-ex" iifname "br-*" accept',)
    assert to_inside(policy) == ('oifname != "br-ex" oifname "br-*" accept',)
    assert from_inside(Policy(inner_interfaces=()), "accept") == ()


def test_names_are_resolved_at_our_own_resolvers_only() -> None:
    rules = name_servers(Policy(resolvers=("192.0.2.53", "2001:db8::53", "192.0.2.52")))
    assert rules[0].startswith("ip daddr { 192.0.2.52, 192.0.2.53 } meta l4proto { tcp, udp } th dport 53 accept")
    assert rules[1].startswith("ip6 daddr 2001:db8::53 ")
    assert not any("sport" in rule for rule in rules)


def test_untracked_answers_are_those_of_open_ports() -> None:
    assert untracked_answers(Policy(inbound=BOTH)) == (
        "ct state invalid,untracked tcp sport { 22, 80 } accept",
        "ct state new tcp flags & (fin | syn | rst | ack) == ack tcp sport { 22, 80 } accept",
        "ct state invalid,untracked udp sport 53 accept",
    )


def test_the_helper_is_only_there_where_it_is_wanted() -> None:
    assert ftp_helper(Policy()) == ()
    assert ftp_helper(Policy(ftp_helper=True)) == ('tcp dport 21 ct helper set "ftp"',)
