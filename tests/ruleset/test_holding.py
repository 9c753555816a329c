"""A few networks of a list as text: sets of their lengths, the elements, and the rules that ask them."""

from ipaddress import ip_network

from durward.ruleset.holding import holding
from durward.ruleset.merged import MergedList


def test_networks_become_sets_elements_and_rules() -> None:
    networks = map(ip_network, ("192.0.2.7/32", "198.51.100.0/24", "2001:db8::/48"))
    assert holding(MergedList("feeds", "deny"), networks, "a").splitlines() == [
        "add set inet durward merged_feeds_1_4_24 { type ipv4_addr; }",
        "add set inet durward merged_feeds_1_4_32 { type ipv4_addr; }",
        "add set inet durward merged_feeds_1_6_48 { type ipv6_addr; }",
        "add element inet durward merged_feeds_1_4_32 { 192.0.2.7 }",
        "add element inet durward merged_feeds_1_4_24 { 198.51.100.0 }",
        "add element inet durward merged_feeds_1_6_48 { 2001:db8:: }",
        "flush chain inet durward listed_feeds_a",
        "add rule inet durward listed_feeds_a ip saddr @merged_feeds_1_4_32 counter drop",
        "add rule inet durward listed_feeds_a ip saddr & 255.255.255.0 @merged_feeds_1_4_24 counter drop",
        "add rule inet durward listed_feeds_a ip6 saddr & ffff:ffff:ffff:: @merged_feeds_1_6_48 counter drop",
    ]


def test_without_networks_nobody_is_listed() -> None:
    assert holding(MergedList("only", "allow_only"), (), "b").splitlines() == [
        "flush chain inet durward listed_only_b",
        "add rule inet durward listed_only_b counter drop",
    ]
