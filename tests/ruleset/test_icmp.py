"""ICMP's rules: limits that fit their rate, and nothing where nothing is wanted."""

from durward.catalog.traffic import Rate
from durward.ruleset.icmp import always_leaving, fragment
from durward.ruleset.policy import Icmp, Interface, Policy


def test_a_meter_remembers_as_long_as_its_bucket_needs_to_fill() -> None:
    sets = fragment(Policy(ping=Rate(1, 3600, 5)), "a").sets
    assert len(sets) == 2
    assert all("timeout 18000s" in line for line in sets)
    assert all("timeout 60s" in line for line in fragment(Policy(ping=Rate(1, 1, 5)), "a").sets)


def test_a_total_needs_no_meter_and_no_limit_needs_nothing() -> None:
    assert fragment(Policy(ping=Rate(1, 1, 5, "total")), "a").sets == ()
    assert "limit rate over 1/second" in fragment(Policy(ping=Rate(1, 1, 5, "total")), "a").chains[1]
    assert "limit" not in fragment(Policy(), "a").chains[1]
    assert "refused_a" in fragment(Policy(icmp=Icmp(answers_ping=False)), "a").chains[1]


def test_no_packet_is_looked_at_twice_unless_fragments_are_refused() -> None:
    assert fragment(Policy(), "a").early == ()
    policy = Policy(icmp=Icmp(refuses_fragments=True), interfaces=(Interface("lan", "trusted"),))
    assert fragment(policy, "a").early[0] == 'iifname { "lan", "lo" } accept'


def test_neighbours_are_always_talked_to() -> None:
    assert any("nd-neighbor-solicit" in rule for rule in always_leaving())
