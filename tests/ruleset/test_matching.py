"""Words of nftables: ports, addresses, interfaces, limits."""

from ipaddress import ip_network

import pytest

from durward.catalog.traffic import PortRange, Rate, parse_ports
from durward.ruleset.matching import (
    EVERY_PORT,
    InvalidPolicyError,
    Line,
    by_interface,
    from_ports,
    in_families,
    listed,
    network_of,
    of_network,
    rate_text,
    source_of,
    to_ports,
    with_comment,
    without,
)


def test_ports_are_written_as_sets_only_where_there_are_several() -> None:
    assert to_ports("tcp", parse_ports("22")) == "tcp dport 22"
    assert to_ports("udp", parse_ports("22,80:90")) == "udp dport { 22, 80-90 }"
    assert to_ports("tcp", EVERY_PORT) == "meta l4proto tcp"
    assert to_ports("tcp", parse_ports("80"), translated=True) == "meta l4proto tcp ct original proto-dst 80"
    assert from_ports("udp", parse_ports("53")) == "udp sport 53"
    assert from_ports("udp", EVERY_PORT) == "meta l4proto udp"


def test_ports_can_be_taken_out_of_ranges() -> None:
    assert without(parse_ports("22,80:90"), [22, 80, 85, 90, 91]) == (PortRange(81, 84), PortRange(86, 89))
    assert without(parse_ports("22"), []) == (PortRange(22, 22),)


def test_networks() -> None:
    assert of_network(ip_network("192.0.2.0/24"), "saddr") == "ip saddr 192.0.2.0/24"
    assert of_network(ip_network("2001:db8::1/128"), "daddr", translated=True) == "ct original ip6 daddr 2001:db8::1"
    assert of_network(ip_network("192.0.2.1/32"), "saddr", translated=True) == "ip saddr 192.0.2.1"
    assert of_network(ip_network("::/0"), "saddr") == "meta nfproto ipv6"
    with pytest.raises(InvalidPolicyError, match="not an IPv4"):
        network_of("example.org")


def test_interfaces_are_quoted_and_in_order() -> None:
    assert by_interface("iifname", ["eth1", "br-*", "eth1"]) == 'iifname { "br-*", "eth1" }'
    assert by_interface("oifname", ["eth1"], but=True) == 'oifname != "eth1"'


def test_limits_and_whom_they_count() -> None:
    assert rate_text(Rate(5, 60, 10), over=True) == "limit rate over 5/minute burst 10 packets"
    assert rate_text(Rate(5, 3600, 10), over=False) == "limit rate 5/hour burst 10 packets"
    assert source_of(4, 64) == "ip saddr"
    assert source_of(6, 64) == "ip6 saddr & ffff:ffff:ffff:ffff::"
    assert source_of(6, 128) == "ip6 saddr"


def test_a_family_without_lines_has_no_chain() -> None:
    chains, ways = in_families("denied", "a", [Line(6, "drop")])
    assert chains == ("\tchain denied6_a {\n\t\tdrop\n\t}",)
    assert ways == ("meta nfproto vmap { ipv6 : jump denied6_a }",)
    assert in_families("denied", "a", []) == ((), ())
    assert len(in_families("denied", "a", [Line(None, "drop")])[0]) == 2


def test_small_words() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "{ a, b }"
    assert with_comment("drop", "x" * 200) == f'drop comment "{"x" * 100}"'
