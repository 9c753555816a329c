"""Addresses: one text for each, IPv4 within IPv6 folded, zones refused, and advice for what is nearly right."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.model import InvalidAddressError, parse_address, parse_network
from durward.model.address import text_of

any_address = some.one_of(some.ip_addresses(v=4), some.ip_addresses(v=6))


def test_an_ipv4_address_within_ipv6_is_the_ipv4_address() -> None:
    for text in ("::ffff:192.0.2.7", "::FFFF:c000:207", "0:0:0:0:0:ffff:192.0.2.7"):
        assert parse_address(text) == IPv4Address("192.0.2.7")
    assert parse_network("::ffff:192.0.2.0/120") == IPv4Network("192.0.2.0/24")
    assert parse_network("::ffff:192.0.2.7/128") == IPv4Network("192.0.2.7/32")


@pytest.mark.parametrize("text", ["fe80::1%eth0", "2001:db8::1%1", "192.0.2.1%lo", "fe80::1%"])
def test_a_zone_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(InvalidAddressError, match="zone id"):
        parse_address(text)
    with pytest.raises(InvalidAddressError, match="zone id"):
        parse_network(text + "/64")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "192.0.2", "192.0.2.256", "192.0.2.01", " 192.0.2.1", "192.0.2.1\n", "3221225985", "0xc0000201"),
        *("localhost", "2001:db8::g", "2001:db8:::1", "[2001:db8::1]", "\u0661.0.2.1", "192.0.2.1\0"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        parse_address(text)
    with pytest.raises(InvalidAddressError):
        parse_network(text)


@pytest.mark.parametrize("length", ["", "33", "-1", "+8", "8.0", " 8", "\u0668", "255.255.255.0", "9" * 5000, "8/8"])
def test_a_wrong_prefix_length_is_refused(length: str) -> None:
    with pytest.raises(InvalidAddressError, match="/0 to /32"):
        parse_network(f"192.0.2.0/{length}")


def test_a_prefix_length_that_reaches_into_the_mapping_is_refused() -> None:
    with pytest.raises(InvalidAddressError):
        parse_network("::ffff:192.0.2.0/90")


def test_bits_behind_the_prefix_are_refused_with_both_things_that_may_have_been_meant() -> None:
    with pytest.raises(InvalidAddressError, match=r"did you mean 192\.0\.2\.0/24 or 192\.0\.2\.7\?"):
        parse_network("192.0.2.7/24")
    with pytest.raises(InvalidAddressError, match=r"did you mean 2001:db8::/32 or 2001:db8::1\?"):
        parse_network("2001:db8::1/32")


@given(any_address)
def test_every_address_reads_back_as_itself_or_folded(address: IPv4Address | IPv6Address) -> None:
    read = parse_address(str(address))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert read == (mapped or address)
    assert parse_address(str(read)) == read
    assert parse_network(str(address)) == ip_network(read)


@given(any_address, some.integers(0, 128))
def test_every_network_reads_back_as_itself(address: IPv4Address | IPv6Address, length: int) -> None:
    network = ip_network((address, min(length, address.max_prefixlen)), strict=False)
    if getattr(network.network_address, "ipv4_mapped", None) is not None and length < 96:
        return
    text = text_of(parse_network(str(network)))
    assert text_of(parse_network(text)) == text
    assert ("/" in text) == (parse_network(text).prefixlen < parse_network(text).max_prefixlen)


@given(some.text(max_size=40))
def test_any_text_is_an_address_or_refused_cleanly(text: str) -> None:
    try:
        network = parse_network(text)
    except InvalidAddressError:
        return
    assert text_of(parse_network(text_of(network))) == text_of(network)
