"""Random policies and packets: what would-pass says is what the same rules do to a real connection."""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Pair
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import PortRange
from durward.config.filters import parse_filter
from durward.facts.packet import Packet
from durward.facts.passing import judged
from durward.model import Port, Scope, Standing, Subject
from durward.ruleset.elements import desired
from durward.ruleset.filling import filling
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Interface, Policy, Ports
from durward.ruleset.skeleton import replacement, skeleton
from durward.ruleset.switch import Firewall, Present, switch

pytestmark = pytest.mark.kernel

NUMBERS = (25, 80, 443)
ADDRESSES = (*FAR, *FAR6)
NETWORKS = (*ADDRESSES, "198.51.100.0/24", "10.20.0.0/16", "2001:db8:2::/64", "2001:db8:2::/48")
QUIET = "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit"

ports = some.lists(some.sampled_from(NUMBERS), max_size=2, unique=True).map(
    lambda numbers: tuple(PortRange(number, number) for number in sorted(numbers))
)
both = some.builds(Ports, ports, ports, ports, ports)
scopes = some.builds(
    Scope,
    some.sampled_from([(), (Port(80),), (Port(25), Port(443, "udp"))]),
    some.sampled_from(["in", "in", "out"]),
)
standings = some.builds(
    Standing,
    some.sampled_from(["block", "block", "allow"]),
    some.sampled_from(NETWORKS).map(Subject.parse),
    scopes,
    some.none(),
    some.just(1),
)
filters = some.builds(
    lambda protocol, port, network: parse_filter(f"{protocol}|in|d={port}|s={network}"),
    some.sampled_from(["tcp", "udp"]),
    some.sampled_from(NUMBERS),
    some.sampled_from(NETWORKS),
)
policies = some.builds(
    Policy,
    inbound=both,
    outbound=both,
    interfaces=some.sampled_from([(), (), (), (Interface("outer", "trusted"),), (Interface("other", "trusted"),)]),
    allow_filters=some.lists(filters, max_size=1).map(tuple),
    deny_filters=some.lists(filters, max_size=2).map(tuple),
    spoofing=some.just(LABORATORY),
)
questions = some.lists(
    some.tuples(
        some.sampled_from(["tcp", "udp", "icmp"]),
        some.sampled_from((*ADDRESSES, CLIENT, CLIENT6)),
        some.sampled_from((*NUMBERS, 22, 81)),
        some.booleans(),
    ),
    min_size=3,
    max_size=5,
    unique=True,
)


@pytest.fixture(scope="module")
def hosts(pair: Pair) -> Iterator[Pair]:
    for namespace in (pair.client, pair.server):
        namespace.run("sh", "-c", QUIET)
    yield pair
    pair.server.run("nft", "delete", "table", "inet", "durward")


def packet_of(protocol: str, far: str, port: int, *, out: bool) -> Packet:
    here, there = ip_address(SERVER6 if ":" in far else SERVER), ip_address(far)
    port = 0 if protocol == "icmp" else port
    ends = (here, there) if out else (there, here)
    return Packet(*ends, protocol, port, "out" if out else "in", "outer")  # type: ignore[arg-type]


def really(hosts: Pair, packet: Packet, *, expected: bool) -> bool:
    """Whether the first packet of a real connection gets an answer, or a refusal that is none of ours."""
    sender = hosts.server if packet.direction == "out" else hosts.client
    protocol = "ping" if packet.protocol == "icmp" else packet.protocol
    hoped = "passes" if expected else "silent"
    return probe(protocol, sender, str(packet.source), str(packet.destination), packet.port, hoped) == "passes"


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each try waits for silences: too slow to shrink
)
@given(policy=policies, stands=some.lists(standings, max_size=4), asked=questions)
def test_what_is_said_is_what_happens(
    hosts: Pair, policy: Policy, stands: list[Standing], asked: list[tuple[str, str, int, bool]]
) -> None:
    compiled = Firewall.marked("a", firewall(policy, "a"))
    rules = skeleton() + switch(Present(frozenset(), frozenset()), compiled)
    rules += filling(desired(stands, 0.0).values())
    packets = [packet_of(protocol, far, port, out=out) for protocol, far, port, out in asked]
    said = [journey.passes for journey in judged(rules, packets)]
    hosts.server.run("nft", "-f", "-", given=replacement(rules))
    assert [really(hosts, one, expected=passes) for one, passes in zip(packets, said, strict=True)] == said
