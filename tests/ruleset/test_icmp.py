"""ICMP's rules: limits that fit their rate, and nothing where nothing is wanted."""

from durward.catalog.traffic import Rate
from durward.ruleset.icmp import always_leaving, fragment
from durward.ruleset.policy import Icmp, Interface, Policy


def test_a_meter_remembers_as_long_as_its_bucket_needs_to_fill() -> None:
    assert [line.split("timeout ")[1].partition(";")[0] for line in _counting(Rate(1, 3600, 5))] == ["18000s"] * 2
    assert [line.split("timeout ")[1].partition(";")[0] for line in _counting(Rate(1, 1, 5))] == ["60s"] * 2


def _counting(rate: Rate) -> list[str]:
    """The sets that count, without those that remember whom the limit refused."""
    return [line for line in fragment(Policy(ping=rate), "a").sets if "beyond" not in line]


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
