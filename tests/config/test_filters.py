"""CSF's advanced filters: what they mean, and that no mistake in one is passed over."""

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config import filters
from durward.config.filters import Filter, InvalidFilterError, parse_filter, parse_filters
from durward.config.intervals import network_of, networks_of
from durward.model import EVERYTHING, InvalidAddressError, Standing, Subject
from durward.ruleset import elements
from durward.ruleset.elements import keys_of


def scope_of(text: str) -> str:
    return str(parse_filter(text).scope)


@pytest.mark.parametrize(
    ("written", "network", "scope"),
    [
        ("tcp|in|d=3306|s=192.0.2.4", "192.0.2.4", "in:3306"),
        ("tcp|out|d=22|d=192.0.2.4", "192.0.2.4", "out:22"),
        ("tcp|in|d=22,80_83|s=2001:db8::/32", "2001:db8::/32", "in:22,80,81,82,83"),
        ("udp|in|d=53|s=198.51.100.7/24", "198.51.100.0/24", "in:53/udp"),
        ("d=22|s=192.0.2.4", "192.0.2.4", "in:22"),
        ("out|d=22|d=192.0.2.4", "192.0.2.4", "out:22"),
        ("tcp:in:d=22:s=192.0.2.4", "192.0.2.4", "in:22"),
        ("TCP|IN|D=22|S=2001:DB8:0::1", "2001:db8::1", "in:22"),
        ("tcp|in|s=192.0.2.4|d=22", "192.0.2.4", "in:22"),
        ("tcp|in|s=1024_65535|s=192.0.2.4", "192.0.2.4", "None"),
        ("icmp|in|d=ping|s=192.0.2.4", "192.0.2.4", "None"),
        ("tcp|in|d=1_65535|s=192.0.2.4", "192.0.2.4", "None"),
        ("tcp|in|d=22|s=::ffff:192.0.2.4", "192.0.2.4", "in:22"),
        ("tcp|in|d=20:22,80-81|s=192.0.2.4", "192.0.2.4", "in:20,21,22,80,81"),
        ("udp|in|d=*|s=192.0.2.4", "192.0.2.4", "None"),
        ("tcp|in|d=22|s=2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "in:22"),
        ("icmp6|in|d=ping|s=2001:db8::1", "2001:db8::1", "None"),
        ("tcp|in|d=443|s=0.0.0.0/0", "0.0.0.0/0", "None"),
        ("tcp|in|d=20_30|s=192.0.2.0/25", "192.0.2.0/25", "None"),
    ],
)
def test_what_a_filter_means(written: str, network: str, scope: str) -> None:
    assert parse_filter(written).network == network
    assert scope_of(written) == scope


def test_filters_by_user() -> None:
    assert parse_filter("tcp|out|d=25||u=99") == Filter(
        direction="out", ports=parse_filter("d=25|s=192.0.2.4").ports, user="99"
    )
    assert parse_filter("tcp|in|d=25||g=mail").direction == "out", "only who sends is known"
    assert parse_filter("tcp|out|d=25||u=99").scope is None


def test_parts_of_icmp_and_sources() -> None:
    ping = parse_filter("icmp|in|d=ping|s=192.0.2.4")
    assert (ping.protocol, ping.icmp_type, ping.ports) == ("icmp", "ping", ())
    source = parse_filter("tcp|in|s=1024_65535|s=192.0.2.4")
    assert (source.ports_of, source.network_is, str(source.ports[0])) == ("source", "source", "1024:65535")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("tcp|in|s=192.0.2.4", "has not a port"),
        ("tcp|in|d=22", "has not an address"),
        ("tcp|in", "has not a port and an address"),
        ("tcp|in|d=22|s=192.0.2.400", "is not an IPv4 or IPv6 address"),
        ("tcp|in|d=ssh|s=192.0.2.4", "ports like 22,80,30000_35000"),
        ("tcp|in|d=70000|s=192.0.2.4", "ports like"),
        ("tcp|in|d=22|s=example.com", "is not an IPv4 or IPv6 address"),
        ("icmpv6|in|d=ping|s=192.0.2.4", "icmpv6 is of IPv6, and 192.0.2.4 is of IPv4"),
        ("icmpv6|in|d=source-quench|s=2001:db8::1", "is no type of ICMPv6, but of ICMP"),
        ("icmp|in|d=packet-too-big|s=192.0.2.4", "is no type of ICMP, but of ICMPv6"),
        ("icmp|in|d=ecko-request|s=192.0.2.4", "did you mean echo-request?"),
        ("icmp|in|d=256|s=192.0.2.4", "0 to 255, or a name like ping"),
        ("icmp|in|d=3/|s=192.0.2.4", "'3/' is no type of ICMP"),
        ("icmp|out|d=nonsense||u=99", "'nonsense' is no type of ICMP"),
        ("icmp|in|s=192.0.2.4", "has not a type (d=ping, d=any)"),
        ("icmp|in|d=ping|d=8|s=192.0.2.4", "'8' is a second type of ICMP"),
        ("tcp|udp|in|d=22|s=192.0.2.4", "'udp' is a second protocol"),
        ("tcp|in|out|d=22|s=192.0.2.4", "'out' is a second direction"),
        ("tcp|in|d=22|s=1000|s=192.0.2.4", "'1000' is a second list of ports"),
        ("tcp|in|d=22|s=!192.0.2.4", "only what is meant can be said"),
        ("tpc|in|d=22|s=192.0.2.4", "did you mean tcp?"),
        ("tcp|inn|d=22|s=192.0.2.4", "did you mean in?"),
        ("tcp|in|d=22|s=192.0.2.4-2001:db8::1", "begins with IPv4 and ends with IPv6"),
        ("tcp|in|d=22|s=192.0.2.9-192.0.2.4", "did you mean 192.0.2.4-192.0.2.9?"),
        ("tcp|in|d=22|s=192.0.2.4-9", "is not an IPv4 or IPv6 address"),
        ("tcp|in|d=90_80|s=192.0.2.4", "ports like"),
        ("tcp|in|d=22,80_|s=192.0.2.4", "ports like"),
        ("tcp|out|d=25||u=99|u=100", "is a second user"),
        ("tcp|in|x=22|s=192.0.2.4", "'x=22' is no part"),
        ("tcp|in|d=22|s=192.0.2.4|s=192.0.2.5", "is a second address"),
        ("tcp|out|d=25||u=not a user", "its number or name"),
        ("icmp|in|d=p!ng|s=192.0.2.4", "is no type of ICMP"),
        ("|", "has not a port and an address"),
    ],
)
def test_mistakes_are_named(written: str, expected: str) -> None:
    with pytest.raises(InvalidFilterError) as error:
        parse_filter(written)
    assert expected in str(error.value)


def test_an_interval_is_a_filter_for_each_network_in_it() -> None:
    found = parse_filters("tcp|in|d=22|s=192.0.2.10-192.0.2.12")
    assert [one.network for one in found] == ["192.0.2.10/31", "192.0.2.12"]
    assert {str(one.scope) for one in found} == {"in:22"}
    assert parse_filter("tcp|in|d=22|s=192.0.2.0-192.0.2.255").network == "192.0.2.0/24"
    with pytest.raises(InvalidFilterError, match="names an interval"):
        parse_filter("tcp|in|d=22|s=192.0.2.10-192.0.2.12")


def test_icmp_is_of_the_family_that_its_address_or_its_type_is_of() -> None:
    assert parse_filter("icmpv6|in|d=packet-too-big|s=2001:db8::1").versions == (6,)
    assert parse_filter("icmp|in|d=ping|s=192.0.2.4").versions == (4,)
    assert parse_filter("icmp|out|d=ping||u=99").versions == (4, 6)
    assert parse_filter("icmp|out|d=source-quench||u=99").versions == (4,)
    assert parse_filter("icmp6|out|d=any||u=99").versions == (6,)


def test_what_the_sets_cannot_carry_is_as_the_sets_are() -> None:
    for text in ("10.0.0.0/8", "192.0.2.0/23", "2001:db8::/40", "2001:db8::/47", "2001:d00::/24", "192.0.2.4"):
        standing = Standing("block", Subject.parse(text), EVERYTHING, None, 1)
        assert filters.elements_of(text) == sum("near" not in key.set_name for key in keys_of(standing))
    assert filters.ELEMENTS_MAX == elements.ELEMENTS_MAX


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_an_interval_is_neither_more_nor_less(one: int, other: int) -> None:
    first, last = sorted((IPv4Address(one), IPv4Address(other)))
    found = [ip_network(text) for text in networks_of(f"{first}-{last}")]
    assert (found[0].network_address, found[-1].broadcast_address) == (first, last)
    assert sum(network.num_addresses for network in found) == int(last) - int(first) + 1


@given(st.text("tcpudinosg=|:_,.0123456789/ ", max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        found = parse_filters(text)
    except InvalidFilterError:
        return
    assert all(one.network or one.user or one.group for one in found)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("192.0.2.4", "192.0.2.4"),
        ("192.0.2.4/32", "192.0.2.4"),
        ("192.0.2.77/24", "192.0.2.0/24"),
        ("2001:0DB8::0001", "2001:db8::1"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::ffff:192.0.2.4", "192.0.2.4"),
        ("::ffff:192.0.2.4/120", "192.0.2.0/24"),
    ],
)
def test_networks_become_canonical(written: str, canonical: str) -> None:
    assert network_of(written) == canonical
    assert network_of(canonical) == canonical


@pytest.mark.parametrize(
    "written", ["192.0.2.4/33", "192.0.2.4/", "192.0.2.4/-1", "192.0.2", "fe80::1%eth0", "::ffff:192.0.2.4/90"]
)
def test_what_is_no_network(written: str) -> None:
    with pytest.raises(InvalidAddressError, match=r"expected|is not an"):
        network_of(written)
