"""Random policies and packets: what would-pass says is what the same rules do to a real connection.

Packets come to this host and leave it, pass it by to a machine behind it, and come from there, over both families.
"""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from tests.kernel.firewall.bases import ENGINE
from tests.kernel.firewall.probes import probe
from tests.kernel.hosts import BEYOND, BEYOND6, CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.config.filters import parse_filter
from durward.facts.packet import Packet
from durward.facts.passing import judged
from durward.model import Port, Scope, Standing, Subject
from durward.ruleset.elements import desired
from durward.ruleset.filling import filling
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import INNER_INTERFACES, Icmp, Interface, Knock, Policy, Ports, Redirect, Smtp
from durward.ruleset.skeleton import replacement, skeleton
from durward.ruleset.switch import Firewall, Present, switch

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

NUMBERS = (25, 80, 443)
PUBLISHED = (8080, 8081)  # by a container engine, for the machine behind this host: its port 80, and its port 8080
ADDRESSES = (*FAR, *FAR6)
NETWORKS = (*ADDRESSES, "198.51.100.0/24", "10.20.0.0/16", "2001:db8:2::/64", "2001:db8:2::/48")
# Within this host, and to the machine behind it, which answers by way of this host or, where it is its gateway, itself.
REDIRECTS = (
    Redirect("tcp", None, 81, None, 80),
    Redirect("udp", SERVER, 443, None, 80),
    Redirect("tcp", SERVER, 80, BEYOND, 443),
    Redirect("udp", None, 25, BEYOND6, 80),
    Redirect("tcp", SERVER6, 443, BEYOND6, 25, keeps_source=True),
)
QUIET = "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit"

ports = some.lists(some.sampled_from((*NUMBERS, 8080)), max_size=3, unique=True).map(
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
    lambda protocol, way, port, network: parse_filter(
        f"{protocol}|{way}|d={port}|{'s' if way == 'in' else 'd'}={network}"
    ),
    some.sampled_from(["tcp", "udp"]),
    some.sampled_from(["in", "out"]),
    some.sampled_from(NUMBERS),
    some.sampled_from(NETWORKS),
)
interfaces = some.sampled_from(["outer", "inner", "other"]).flatmap(
    lambda name: some.one_of(
        some.sampled_from([Interface(name, "trusted"), Interface(name, "ignored")]),
        some.builds(Interface, some.just(name), inbound=both),
    )
)
policies = some.builds(
    Policy,
    inbound=both,
    outbound=both,
    ssh_ports=some.sampled_from([(22,), (80,), ()]),
    interfaces=some.one_of(some.just(()), interfaces.map(lambda one: (one,))),
    inner_interfaces=some.sampled_from([INNER_INTERFACES, ("inner",)]),
    allow_filters=some.lists(filters, max_size=1).map(tuple),
    deny_filters=some.lists(filters, max_size=2).map(tuple),
    redirects=some.lists(some.sampled_from(REDIRECTS), max_size=2, unique=True).map(tuple),
    # Nobody knocked, and nobody has come before: doors are closed, and limits have room.
    knocks=some.sampled_from([(), (Knock(443, "tcp", (81, 25, 80), 20),)]),
    port_floods=some.sampled_from([(), (PortFlood(Port(80), 9, 60.0),)]),
    connection_limits=some.sampled_from([(), (ConnectionLimit(Port(25), 9),)]),
    syn_flood=some.sampled_from([None, Rate(100, 1, 150)]),
    ping=some.sampled_from([None, Rate(9, 1, 9)]),
    icmp=some.sampled_from([Icmp(), Icmp(), Icmp(answers_ping=False), Icmp(refuses_fragments=True)]),
    smtp=some.sampled_from([None, None, Smtp(), Smtp(users=(8,))]),
    spoofing=some.just(LABORATORY),
)
questions = some.lists(
    some.tuples(
        some.sampled_from(["tcp", "udp", "icmp"]),
        some.sampled_from((*ADDRESSES, CLIENT, CLIENT6)),
        some.sampled_from((*NUMBERS, 22, 81)),
        some.sampled_from(["in", "in", "out", "through", "from behind", "published", "published"]),
    ),
    min_size=3,
    max_size=6,
    unique=True,
)


@pytest.fixture(scope="module")
def hosts(trio: Trio) -> Iterator[Trio]:
    for namespace in (trio.client, trio.server, trio.inner):
        namespace.run("sh", "-c", QUIET)
    yield trio
    for table in ("durward", "engine"):
        trio.server.run("nft", "delete", "table", "inet", table)


def packet_of(protocol: str, far: str, port: int, way: str) -> Packet:
    six = ":" in far
    here, behind, there = (ip_address(one) for one in (SERVER6 if six else SERVER, BEYOND6 if six else BEYOND, far))
    if way == "published":
        way, port = "in", PUBLISHED[port % 2]
    port = 0 if protocol == "icmp" else port
    ends, direction, cards = {
        "in": ((there, here), "in", ("outer", "")),
        "out": ((here, there), "out", ("outer", "")),
        "through": ((there, behind), "in", ("outer", "inner")),
        "from behind": ((behind, there), "in", ("inner", "outer")),
    }[way]
    return Packet(*ends, protocol, port, direction, *cards)  # type: ignore[arg-type]


def really(hosts: Trio, packet: Packet, *, expected: bool) -> bool:
    """Whether the first packet of a real connection gets an answer, or a refusal that is none of ours."""
    inner = hosts.inner if packet.interface == "inner" else hosts.client
    sender = hosts.server if packet.direction == "out" else inner
    protocol = "ping" if packet.protocol == "icmp" else packet.protocol
    hoped = "passes" if expected else "silent"
    return probe(protocol, sender, str(packet.source), str(packet.destination), packet.port, hoped) == "passes"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each try waits for silences: too slow to shrink
)
@given(
    policy=policies, stands=some.lists(standings, max_size=4), asked=questions, engine=some.sampled_from(["", ENGINE])
)
def test_what_is_said_is_what_happens(
    hosts: Trio, policy: Policy, stands: list[Standing], asked: list[tuple[str, str, int, str]], engine: str
) -> None:
    compiled = Firewall.marked("a", firewall(policy, "a"))
    rules = skeleton() + switch(Present(frozenset(), frozenset()), compiled)
    rules += filling(desired(stands, 0.0).values())
    packets = [packet_of(*one) for one in asked]
    with hosts.server.inside():
        said = [journey.passes for journey in judged(rules + engine, packets)]
    emptied = "table inet engine {}\ndelete table inet engine\ntable inet engine {}\n"
    hosts.server.run("nft", "-f", "-", given=replacement(rules) + emptied + engine)
    assert [really(hosts, one, expected=passes) for one, passes in zip(packets, said, strict=True)] == said
