"""The names of limits are those in the rules; what is said of them follows from the settings alone."""

import pytest

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.model import Port
from durward.ruleset.firewall import firewall
from durward.ruleset.limits import limits
from durward.ruleset.policy import Icmp, Policy, Ports

RANGE = (PortRange(80, 80),)
POLICY = Policy(
    inbound=Ports(tcp4=RANGE, tcp6=RANGE),
    syn_flood=Rate(100, 1, 150),
    port_floods=(PortFlood(Port(22), 5, 300.0), PortFlood(Port(53, "udp"), 20, 5.0)),
    connection_limits=(ConnectionLimit(Port(22), 3),),
    ping=Rate(1, 1, 5),
)


def test_every_set_of_a_limit_is_in_the_rules() -> None:
    text = firewall(POLICY, "a")
    found = limits(POLICY)
    assert [one.layer for one in found] == [
        "rate:syn_flood",
        "rate:port_flood",
        "rate:port_flood",
        "rate:connection_limit",
        "rate:ping_flood",
    ]
    for limit in found:
        for name in (*limit.counting, *limit.beyond):
            assert f"\tset {name} {{" in text
            assert f"@{name} {{" in text, "some rule fills it"


def test_no_two_limits_share_a_set() -> None:
    names = [name for limit in limits(POLICY) for name in (*limit.counting, *limit.beyond)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("version", [56, 128])
def test_other_networks_of_ipv6_are_counted_elsewhere(version: int) -> None:
    changed = Policy(port_floods=POLICY.port_floods, block_prefix_v6=version)
    assert limits(changed)[0].counting[1] != limits(POLICY)[1].counting[1]


def test_how_long_a_refusal_lasts() -> None:
    pauses = {one.layer + one.port: one.pause_seconds for one in limits(POLICY)}
    assert pauses["rate:port_flood22/tcp"] == 60.0
    assert pauses["rate:syn_flood"] == 0.01
    assert pauses["rate:connection_limit22/tcp"] == 0.0


def test_what_is_not_by_source_is_nobodys_limit() -> None:
    total = Policy(syn_flood=Rate(100, 1, 150, "total"), ping=Rate(1, 1, 5, "total"))
    assert limits(total) == ()
    assert limits(Policy(ping=Rate(1, 1, 5), icmp=Icmp(answers_ping=False))) == ()
    assert limits(Policy()) == ()
