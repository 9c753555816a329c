"""The names of ICMP types in both families."""

import pytest

from durward.ruleset.icmp_types import icmp_match
from durward.ruleset.matching import InvalidPolicyError


@pytest.mark.parametrize(
    ("name", "four", "six"),
    [
        ("ping", "icmp type 8", "icmpv6 type 128"),
        ("port-unreachable", "icmp type 3 icmp code 3", "icmpv6 type 1 icmpv6 code 4"),
        ("13", "icmp type 13", "icmpv6 type 13"),
        ("3/1", "icmp type 3 icmp code 1", "icmpv6 type 3 icmpv6 code 1"),
        ("", "meta l4proto icmp", "meta l4proto ipv6-icmp"),
        ("any", "meta l4proto icmp", "meta l4proto ipv6-icmp"),
    ],
)
def test_a_name_is_a_number_of_its_family(name: str, four: str, six: str) -> None:
    assert (icmp_match(name, 4), icmp_match(name, 6)) == (four, six)


@pytest.mark.parametrize(("name", "version"), [("packet-too-big", 4), ("source-quench", 6), ("256", 4), ("3/256", 4)])
def test_what_the_family_does_not_have_is_refused(name: str, version: int) -> None:
    with pytest.raises(InvalidPolicyError, match="no type of ICMP"):
        icmp_match(name, version)  # type: ignore[arg-type]
