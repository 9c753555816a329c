"""Membership of addresses in networks: the same answers as looking at every network."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config.membership import Networks
from durward.model import InvalidAddressError, Network

# Few different bits, so that networks hold each other and hold the addresses.
NUMBERS = st.integers(0, 15)
FOUR = st.builds(
    lambda bits, length: ip_network(((192 << 24) | (2 << 8) | bits, length), strict=False), NUMBERS, st.integers(24, 32)
)
SIX = st.builds(
    lambda bits, length: ip_network(((0x20010DB8 << 96) | bits, length), strict=False), NUMBERS, st.integers(120, 128)
)
NETWORKS = st.lists(FOUR | SIX, max_size=12)


def test_the_narrowest_network_answers() -> None:
    networks = Networks(
        [("192.0.2.0/24", "net"), ("192.0.2.4", "one"), ("192.0.2.4", "later"), ("2001:db8::/32", "six")]
    )
    assert len(networks) == 3
    assert networks.covers("192.0.2.4") == "one"
    assert networks.covers("192.0.2.5") == "net"
    assert networks.covers("::ffff:192.0.2.5") == "net"
    assert networks.covers("203.0.113.4") is None
    assert networks.covers(ip_address("2001:db8:ffff::1")) == "six"


def test_everything_and_nothing() -> None:
    assert Networks([("0.0.0.0/0", 1)]).covers("203.0.113.9") == 1
    assert Networks([("0.0.0.0/0", 1)]).covers("2001:db8::1") is None
    assert Networks[int]([]).covers("203.0.113.9") is None
    assert Networks[int]([]).overlaps("0.0.0.0/0") is None


@pytest.mark.parametrize("text", ["", "x", "192.0.2", "fe80::1%eth0", "192.0.2.0/24"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        Networks([("192.0.2.0/24", 1)]).covers(text)


@pytest.mark.parametrize("text", ["192.0.2.256", "192.0.2.x", "192.0.2.0/33", "x"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        Networks([(text, 1)])


@given(NETWORKS, FOUR | SIX)
def test_answers_are_those_of_looking_at_all(given_networks: list[Network], asked: Network) -> None:
    networks = Networks((str(network), network) for network in given_networks)
    same = [network for network in given_networks if network.version == asked.version]
    address = asked.network_address
    holding = [network for network in same if address in network]
    assert networks.covers(address) == max(holding, key=lambda network: network.prefixlen, default=None)
    found = networks.overlaps(asked)
    assert (found is not None) == any(network.overlaps(asked) for network in same)
    assert found is None or found.overlaps(asked)
    assert len(networks) == len(set(given_networks))
