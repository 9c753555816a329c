"""The network of a source is what one customer has; what is wider stays as it is."""

import pytest

from durward.engine.networks import network_around
from durward.model import Subject


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("203.0.113.0/25", "203.0.113.0/24"),
        ("198.51.0.0/16", "198.51.0.0/16"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_the_network_around_a_source(source: str, network: str) -> None:
    assert network_around(Subject.parse(source)).value == network
