"""The parts together: the SYN proxy and the lists do not get in each other's way."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest
from tests.kernel.firewall.bases import apply, counted
from tests.kernel.firewall.probes import ping, probe
from tests.kernel.firewall.sockets import connect, listening, talks
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio

from durward.catalog.traffic import Rate, parse_ports
from durward.config.filters import parse_filter
from durward.ruleset.firewall import firewall
from durward.ruleset.floods import sysctls
from durward.ruleset.levels import TABLE
from durward.ruleset.matching import VERSIONS
from durward.ruleset.merged import Filling, contents
from durward.ruleset.policy import MergedList, Policy, Ports, Spoofing

pytestmark = pytest.mark.kernel
OPEN = parse_ports("80")
BANNED = MergedList("countries", "deny")
ONLY = MergedList("countries", "allow_only")
HERE = Spoofing(own_networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/64")))
CLOSED_OUT = Ports(tcp4=parse_ports("443"), tcp6=parse_ports("443"))


def fill(hosts: Trio, merged: MergedList) -> None:
    """Put the networks of FAR[0] and FAR6[0] into the list."""
    filling = Filling(1, (24,), (48,))
    text = ""
    for version, level in zip(VERSIONS, (24, 48), strict=True):
        name = filling.set_name(merged.name, version, level)
        text += f"add set inet {TABLE} {name} {{ type ipv{version}_addr; size 16; }}\n"
    text += contents(merged, filling, "a")
    text += f"add element inet {TABLE} {filling.set_name(merged.name, 4, 24)} {{ 198.51.100.0 }}\n"
    text += f"add element inet {TABLE} {filling.set_name(merged.name, 6, 48)} {{ 2001:db8:2:: }}\n"
    hosts.server.run("nft", "-f", "-", given=text)


@contextmanager
def proxied(hosts: Trio, policy: Policy) -> Iterator[None]:
    """The proxy answers as in a flood."""
    for name, value in sysctls(policy):
        hosts.server.run("sh", "-c", f"echo {value} > /proc/sys/{name.replace('.', '/')}")
    for line in firewall(policy, "a").splitlines():
        name = line.split()[1] if line.startswith("\tset meter_syn_flood_proxied") else ""
        if name:
            family = "ipv4" if "proxied4" in name else "ipv6"
            hosts.server.run("nft", "add", "element", "inet", TABLE, name, f"{{ {family} timeout 60s }}")
    try:
        yield
    finally:
        hosts.server.run("sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose")


@pytest.mark.parametrize(
    ("source", "denied", "listed", "to"),
    [(CLIENT, FAR[4], FAR[0], SERVER), (CLIENT6, FAR6[3], FAR6[0], SERVER6)],
)
def test_the_proxy_opens_nothing_that_the_lists_refuse(
    router: Trio, source: str, denied: str, listed: str, to: str
) -> None:
    policy = Policy(
        inbound=Ports(tcp4=OPEN, tcp6=OPEN),
        outbound=CLOSED_OUT,
        syn_flood=Rate(100, 1, 100),
        deny_filters=(parse_filter(f"tcp|in|d=80|s={denied}"),),
        merged=(BANNED,),
        spoofing=HERE,
    )
    apply(router.server, policy)
    fill(router, BANNED)
    with proxied(router, policy), listening(router.server, 80, six=":" in to) as door:
        with connect(router.client, source, to, 80) as theirs:
            ours, peer = door.accept()
            with ours:
                assert peer[0] == source
                assert talks(ours, theirs)
        assert probe("tcp", router.client, denied, to, 80, "silent") == "silent"
        assert probe("tcp", router.client, listed, to, 80, "silent") == "silent"
        assert probe("tcp", router.client, source, to, 81, "silent") == "silent"


@pytest.mark.parametrize(("listed", "other", "to"), [(FAR[0], FAR[4], SERVER), (FAR6[0], FAR6[3], SERVER6)])
def test_a_country_cannot_begin_anything_but_answers_us(router: Trio, listed: str, other: str, to: str) -> None:
    policy = Policy(inbound=Ports(tcp4=OPEN, tcp6=OPEN), merged=(BANNED,), spoofing=HERE)
    apply(router.server, policy)
    fill(router, BANNED)
    assert probe("tcp", router.client, listed, to, 80, "silent") == "silent"
    assert not ping(router.client, listed, to, seconds=0.3)
    assert probe("tcp", router.client, other, to, 80) == "passes"
    assert ping(router.client, other, to)
    assert probe("tcp", router.server, to, listed, 4444) == "passes"
    assert probe("udp", router.server, to, listed, 4444) == "passes"


@pytest.mark.parametrize(("listed", "other", "to"), [(FAR[0], FAR[4], SERVER), (FAR6[0], FAR6[3], SERVER6)])
def test_where_only_some_countries_enter_neighbours_still_find_us(
    router: Trio, listed: str, other: str, to: str
) -> None:
    apply(router.server, Policy(inbound=Ports(tcp4=OPEN, tcp6=OPEN), merged=(ONLY,), spoofing=HERE))
    fill(router, ONLY)
    router.client.ip(f"-6 neigh del {SERVER6} dev near")
    router.server.ip(f"-6 neigh del {CLIENT6} dev outer")
    try:
        assert probe("tcp", router.client, listed, to, 80) == "passes"
        assert probe("tcp", router.server, to, other, 4444) == "passes"
        assert probe("tcp", router.client, other, to, 80, "silent") == "silent"
    finally:
        router.client.knows("near", router.server.hardware("outer"), SERVER6)
        router.server.knows("outer", router.client.hardware("near"), CLIENT6)


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_without_a_proxy_cookies_answer_here_and_published_ports_stay_tracked(
    engine: Trio, source: str, to: str
) -> None:
    ports = parse_ports("80,8080")
    policy = Policy(inbound=Ports(tcp4=ports, tcp6=ports), syn_flood=Rate(100, 1, 100), syn_proxy=False, spoofing=HERE)
    apply(engine.server, policy)
    with (
        proxied(engine, policy),
        listening(engine.server, 80, six=":" in to) as here,
        listening(engine.inner, 80, six=":" in to) as beyond,
    ):
        for door, port in ((here, 80), (beyond, 8080)):
            with connect(engine.client, source, to, port) as theirs:
                ours, peer = door.accept()
                with ours:
                    assert peer[0] == source
                    assert talks(ours, theirs)
        assert counted(engine.server, "syn_flood6_a" if ":" in to else "syn_flood4_a") == 1
        assert probe("tcp", engine.client, source, to, 81, "silent") == "silent"
