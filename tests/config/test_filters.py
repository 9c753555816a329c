"""CSF's advanced filters: what they mean, and that no mistake in one is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config.filters import Filter, InvalidFilterError, network_of, parse_filter
from durward.model import InvalidAddressError


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
        ("icmpv6|in|d=ping|s=2001:db8::1", "'icmpv6' is no part of a filter"),
        ("tcp|in|x=22|s=192.0.2.4", "'x=22' is no part"),
        ("tcp|in|d=22|s=192.0.2.4|s=192.0.2.5", "is a second address"),
        ("tcp|out|d=25||u=not a user", "its number or name"),
        ("icmp|in|d=p!ng|s=192.0.2.4", "is no ICMP type"),
        ("|", "has not a port and an address"),
    ],
)
def test_mistakes_are_named(written: str, expected: str) -> None:
    with pytest.raises(InvalidFilterError) as error:
        parse_filter(written)
    assert expected in str(error.value)


@given(st.text("tcpudinosg=|:_,.0123456789/ ", max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        found = parse_filter(text)
    except InvalidFilterError:
        return
    assert found.network or found.user or found.group


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
