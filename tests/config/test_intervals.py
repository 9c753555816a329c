"""Addresses, networks and intervals as lists write them."""

import pytest

from durward.config.intervals import network_of, networks_of
from durward.model import InvalidAddressError


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("192.0.2.4", ["192.0.2.4"]),
        ("192.0.2.77/24", ["192.0.2.0/24"]),
        ("192.0.2.10-192.0.2.10", ["192.0.2.10"]),
        ("192.0.2.0-192.0.2.255", ["192.0.2.0/24"]),
        ("192.0.2.10-192.0.2.16", ["192.0.2.10/31", "192.0.2.12/30", "192.0.2.16"]),
        ("2001:DB8::2-2001:db8::4", ["2001:db8::2/127", "2001:db8::4"]),
        ("::ffff:192.0.2.4-192.0.2.5", ["192.0.2.4/31"]),
    ],
)
def test_what_is_written_as_networks(written: str, networks: list[str]) -> None:
    assert list(networks_of(written)) == networks
    assert [network_of(one) for one in networks] == networks


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("192.0.2.9-192.0.2.4", "did you mean 192.0.2.4-192.0.2.9?"),
        ("192.0.2.9-2001:db8::1", "begins with IPv4 and ends with IPv6"),
        ("192.0.2.4-9", "'9' is not an IPv4"),
        ("192.0.2.0/24-198.51.100.0/24", "is not an IPv4"),
        ("192.0.2.4-192.0.2.5-192.0.2.6", "is not an IPv4"),
        ("-", "is not an IPv4"),
    ],
)
def test_what_is_no_interval(written: str, said: str) -> None:
    with pytest.raises(InvalidAddressError) as error:
        networks_of(written)
    assert said in str(error.value)


def test_the_widest_interval_is_few_networks() -> None:
    assert len(networks_of("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")) == 254
