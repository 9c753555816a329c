"""Advanced filters as rules: each kind of line, in the right direction and family."""

import pytest

from durward.config.filters import Filter, parse_filter
from durward.ruleset.filters import FILTERS_MAX, allowing, denying, text_of
from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.policy import Policy

NEEDED = "2, 130, 131, 132, 133, 134, 135, 136, 141, 142, 143, 148, 149, 151, 152, 153"
REJECT = "counter reject with icmpx type admin-prohibited"


@pytest.mark.parametrize(
    ("line", "version", "rule"),
    [
        ("tcp|in|d=22|s=192.0.2.4", 4, "ip saddr 192.0.2.4 tcp dport 22 counter drop"),
        ("tcp|in|d=22,80_90|s=2001:db8::/32", 6, "ip6 saddr 2001:db8::/32 tcp dport { 22, 80-90 } counter drop"),
        ("udp|in|s=53|s=192.0.2.0/24", 4, "ip saddr 192.0.2.0/24 udp sport 53 counter drop"),
        ("tcp|in|d=80|d=192.0.2.1", 4, "ip daddr 192.0.2.1 tcp dport 80 counter drop"),
        ("icmp|in|d=ping|s=192.0.2.4", 4, "ip saddr 192.0.2.4 icmp type 8 counter drop"),
        ("icmp|in|d=ping|s=2001:db8::1", 6, "ip6 saddr 2001:db8::1 icmpv6 type 128 counter drop"),
        ("icmp|in|d=any|s=192.0.2.4", 4, "ip saddr 192.0.2.4 meta l4proto icmp counter drop"),
        ("icmpv6|in|d=any|s=2001:db8::1", 6, f"ip6 saddr 2001:db8::1 icmpv6 type != {{ {NEEDED} }} counter drop"),
        ("icmp|in|d=fragmentation-needed|s=192.0.2.4", 4, "ip saddr 192.0.2.4 icmp type 3 icmp code 4 counter drop"),
    ],
)
def test_what_comes_in(line: str, version: int, rule: str) -> None:
    policy = Policy(deny_filters=(parse_filter(line),))
    ((found_version, text),) = denying(policy, "in")
    assert (found_version, text.partition(" comment ")[0]) == (version, rule)
    assert denying(policy, "out") == ()
    assert allowing(policy, "in") == ()


def test_what_the_sender_asked_for_counts_for_translated_packets() -> None:
    policy = Policy(allow_filters=(parse_filter("tcp|in|d=80|d=192.0.2.1"),))
    ((_, text),) = allowing(policy, "in", translated=True)
    assert text.startswith("ct original ip daddr 192.0.2.1 meta l4proto tcp ct original proto-dst 80 accept")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("tcp|out|d=25||u=99", f"tcp dport 25 meta skuid 99 {REJECT}"),
        ("udp|out|d=53||u=www-data", f'udp dport 53 meta skuid "www-data" {REJECT}'),
        ("tcp|out||||g=mail", f'meta l4proto tcp meta skgid "mail" {REJECT}'),
    ],
)
def test_who_of_ours_sends_counts_in_both_families(line: str, rule: str) -> None:
    found = denying(Policy(deny_filters=(parse_filter(line),)), "out")
    assert [(version, text.partition(" comment ")[0]) for version, text in found] == [(4, rule), (6, rule)]


def test_every_rule_says_which_line_it_comes_from() -> None:
    line = "tcp|in|d=22,80_90|s=192.0.2.4"
    assert text_of(parse_filter(line)) == line
    ((_, text),) = allowing(Policy(allow_filters=(parse_filter(line),)), "in")
    assert text.endswith(f'comment "{line}"')


def test_what_cannot_be_a_rule_is_an_error() -> None:
    wrong = Filter("icmp", icmp_type="nonsense", network="192.0.2.4")
    with pytest.raises(InvalidPolicyError, match="no type of ICMP"):
        denying(Policy(deny_filters=(wrong,)), "in")
    with pytest.raises(InvalidPolicyError, match="at most"):
        denying(Policy(deny_filters=(parse_filter("tcp|in|d=22|s=192.0.2.4"),) * (FILTERS_MAX + 1)), "in")
