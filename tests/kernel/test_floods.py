"""Limits hold for each source by itself, both families; a flood of SYNs with false sources keeps nobody out."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.kernel.assembly import GENERATION, assembled, counters, load_into
from tests.kernel.frames import put, tcp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair
from tests.kernel.namespaces import Namespace

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.model import Port
from durward.ruleset.floods import fragment, sysctls
from durward.ruleset.policy import Policy, Ports

pytestmark = pytest.mark.kernel
PORT, UDP_PORT = 5300, 5301
RANGE = (PortRange(PORT, PORT),)
INBOUND = Ports(tcp4=RANGE, tcp6=RANGE)
OTHER, OTHER6 = FAR[0], FAR6[3]
NOBODY = 65534
LOOSE = ("net.netfilter.nf_conntrack_tcp_loose", "1")
SEND_MANY = """
import socket, sys
sent = 0
for number in range(int(sys.argv[2])):
    with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM) as sending:
        try:
            sent += sending.sendto(b"x", (sys.argv[1], 5302)) == 1
        except PermissionError:
            pass
print(sent)
"""


@pytest.fixture
def firewalled(pair: Pair) -> Iterator[Pair]:
    yield pair
    pair.server.run("nft", "flush", "ruleset")


@contextmanager
def listening(pair: Pair, source: str) -> Iterator[socket.socket]:
    with pair.server.inside():
        opened = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
    with opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((SERVER6 if ":" in source else SERVER, PORT))
        opened.listen(100)
        yield opened


def connect(client: Namespace, source: str, seconds: float = 0.4) -> socket.socket | str:
    """A connection, or how it was refused."""
    six = ":" in source
    with client.inside():
        opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    opened.settimeout(seconds)
    try:
        opened.bind((source, 0))
        opened.connect((SERVER6 if six else SERVER, PORT))
    except TimeoutError:
        opened.close()
        return "dropped"
    except ConnectionRefusedError:
        opened.close()
        return "refused"
    return opened


def outcome(pair: Pair, source: str) -> str:
    got = connect(pair.client, source)
    if isinstance(got, str):
        return got
    got.close()
    return "connected"


def load(pair: Pair, policy: Policy) -> None:
    load_into(
        pair.server, assembled(fragment(policy, GENERATION), [f"tcp dport {PORT} accept", "udp dport 5301 accept"])
    )


@pytest.mark.parametrize(("source", "other"), [(CLIENT, OTHER), (CLIENT6, OTHER6)])
def test_who_opens_too_many_connections_waits_and_nobody_else(firewalled: Pair, source: str, other: str) -> None:
    load(firewalled, Policy(port_floods=(PortFlood(Port(PORT), 3, 600),)))
    with listening(firewalled, source):
        assert [outcome(firewalled, source) for _ in range(4)] == ["connected"] * 3 + ["dropped"]
        assert outcome(firewalled, other) == "connected"
    assert counters(firewalled.server, f"port_flood_tcp_{PORT}_a")[f"port_flood {PORT}/tcp"] >= 1


@pytest.mark.parametrize(("source", "free"), [(CLIENT, FREE), (CLIENT6, FREE6)])
def test_datagrams_beyond_the_limit_are_dropped(firewalled: Pair, source: str, free: str) -> None:
    load(firewalled, Policy(port_floods=(PortFlood(Port(UDP_PORT, "udp"), 3, 600),)))
    texts = firewalled.host.arrivals(
        firewalled.client, [source] * 5, SERVER6 if ":" in source else SERVER, free, UDP_PORT
    )
    assert len(texts) == 5  # each of the five names the same source, which came through
    assert counters(firewalled.server, f"port_flood_udp_{UDP_PORT}_a") == {f"port_flood {UDP_PORT}/udp": 2}


def test_neighbours_in_one_ipv6_network_share_a_limit(firewalled: Pair) -> None:
    load(firewalled, Policy(port_floods=(PortFlood(Port(PORT), 2, 600),)))
    with listening(firewalled, CLIENT6):
        # Both addresses are within one /64, which one customer has.
        assert [outcome(firewalled, source) for source in (*FAR6[:2], FAR6[0])] == ["connected", "connected", "dropped"]


def test_limits_survive_a_new_rule_set(firewalled: Pair) -> None:
    policy = Policy(port_floods=(PortFlood(Port(PORT), 2, 600),))
    load(firewalled, policy)
    with listening(firewalled, CLIENT):
        assert [outcome(firewalled, CLIENT) for _ in range(2)] == ["connected"] * 2
        text = assembled(fragment(policy, GENERATION), [f"tcp dport {PORT} accept"])
        firewalled.server.run("nft", "-f", "-", given=text)  # without deleting the table, as an apply does
        assert outcome(firewalled, CLIENT) == "dropped"


@pytest.mark.parametrize(("source", "other"), [(CLIENT, OTHER), (CLIENT6, OTHER6)])
def test_a_source_has_at_most_so_many_connections_at_once(firewalled: Pair, source: str, other: str) -> None:
    load(firewalled, Policy(connection_limits=(ConnectionLimit(Port(PORT), 2),)))
    with listening(firewalled, source) as server, ExitStack() as open_ones:
        for _ in range(2):
            got = connect(firewalled.client, source)
            assert not isinstance(got, str)
            open_ones.enter_context(got)
            open_ones.enter_context(server.accept()[0])
        assert outcome(firewalled, source) == "refused"
        assert outcome(firewalled, other) == "connected"
        open_ones.close()
        time.sleep(0.05)  # the kernel looks for ended ones at most once in a tick of its clock
        assert outcome(firewalled, source) == "connected"
    assert counters(firewalled.server, f"connection_limit_{PORT}_a") == {f"conn_limit {PORT}": 1}


@pytest.mark.parametrize("to", [CLIENT, CLIENT6])
def test_a_user_sends_so_many_datagrams_and_root_any_number(firewalled: Pair, to: str) -> None:
    load(firewalled, Policy(udp_flood=Rate(6, 3600, 6)))
    assert sent_by(firewalled, NOBODY, to, 20) == 6
    assert sent_by(firewalled, NOBODY - 1, to, 2) == 2
    assert sent_by(firewalled, 0, to, 20) == 20
    assert counters(firewalled.server, "udp_flood_a") == {"udp_flood": 14}


def sent_by(pair: Pair, user: int, to: str, count: int) -> int:
    with pair.server.inside():
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", SEND_MANY, to, str(count)],
            user=user,
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    return int(done.stdout)


def set_sysctls(pair: Pair, settings: tuple[tuple[str, str], ...]) -> None:
    for name, value in settings:
        pair.server.run("sysctl", "-q", "-w", f"{name}={value}")


@contextmanager
def flooded(pair: Pair, *, six: bool, per_second: int = 20_000) -> Iterator[None]:
    """SYNs with sources that do not exist, until the end."""
    words = [sys.executable, "-m", "tests.kernel.syn_flood", pair.server.hardware("outer"), str(PORT), str(per_second)]
    with pair.client.inside():
        flooding = subprocess.Popen([*words, SERVER6 if six else SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert flooding.stdout is not None
        assert flooding.stdout.readline() == "flooding\n"
        yield
        assert flooding.poll() is None
    finally:
        flooding.terminate()
        flooding.communicate()


def tracked(pair: Pair) -> int:
    return int(pair.server.run("sysctl", "-n", "net.netfilter.nf_conntrack_count"))


@pytest.mark.parametrize("proxy", [True, False])
@pytest.mark.parametrize("sources", [(CLIENT, *FAR), (CLIENT6, *FAR6)])
def test_new_clients_connect_in_a_flood_of_false_sources(
    firewalled: Pair, sources: tuple[str, ...], *, proxy: bool
) -> None:
    policy = Policy(inbound=INBOUND, syn_flood=Rate(100, 1, 150), syn_proxy=proxy)
    load(firewalled, policy)
    set_sysctls(firewalled, sysctls(policy))
    version = 6 if ":" in sources[0] else 4
    with listening(firewalled, sources[0]) as server, flooded(firewalled, six=version == 6):
        while counters(firewalled.server, f"syn_flood{version}_a")["syn_flood proxied"] < 10_000:
            time.sleep(0.05)
        for source in sources:
            got = connect(firewalled.client, source, 3)
            assert not isinstance(got, str), (source, got)
            with got, server.accept()[0] as theirs:
                theirs.settimeout(3)
                got.send(b"hello")
                assert theirs.recv(5) == b"hello"
        assert tracked(firewalled) < 2_000
    set_sysctls(firewalled, (LOOSE,))


@pytest.mark.parametrize("source", [CLIENT, CLIENT6])
def test_a_source_that_is_known_has_a_limit_of_its_own(firewalled: Pair, source: str) -> None:
    other = OTHER6 if ":" in source else OTHER
    load(firewalled, Policy(inbound=INBOUND, syn_flood=Rate(5, 3600, 5)))
    with listening(firewalled, source) as server:
        strangers = [tcp(source, PORT, source_port=41_000 + number) for number in range(20)]
        put(firewalled, strangers)
        assert counters(firewalled.server, "syn_beyond_a") == {"syn_flood source": 0}
        with connect(firewalled.client, source), server.accept()[0]:
            pass
        put(firewalled, [tcp(source, PORT, source_port=42_000 + number) for number in range(20)])
        assert counters(firewalled.server, "syn_beyond_a") == {"syn_flood source": 15}
        assert outcome(firewalled, other) == "connected"
