"""What stands when a firewall is applied goes on; what begins then is judged by the new one."""

import socket

import pytest
from tests.kernel.firewall.bases import apply
from tests.kernel.firewall.probes import probe
from tests.kernel.firewall.sockets import connect, listening, talks
from tests.kernel.hosts import CLIENT, CLIENT6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports

pytestmark = pytest.mark.kernel
OPEN, PUBLISHED = parse_ports("80"), parse_ports("8080")
BEFORE = Policy(inbound=Ports(tcp4=OPEN, tcp6=OPEN), spoofing=LABORATORY)
AFTER = Policy(outbound=Ports(tcp4=OPEN), ssh_ports=(), spoofing=LABORATORY)


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_a_connection_survives_the_next_generation(router: Trio, source: str, to: str) -> None:
    apply(router.server, BEFORE, "a")
    with listening(router.server, 80, six=":" in to) as door, connect(router.client, source, to, 80) as theirs:
        ours, _ = door.accept()
        with ours:
            assert talks(ours, theirs)
            apply(router.server, AFTER, "b")
            assert probe("tcp", router.client, source, to, 80, "silent") == "silent"
            assert talks(ours, theirs)


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_a_connection_to_a_published_port_survives_too(engine: Trio, source: str, to: str) -> None:
    apply(engine.server, Policy(inbound=Ports(tcp4=PUBLISHED, tcp6=PUBLISHED), spoofing=LABORATORY), "a")
    with listening(engine.inner, 80, six=":" in to) as door, connect(engine.client, source, to, 8080) as theirs:
        ours, peer = door.accept()
        with ours:
            assert peer[0] == source, "a published port sees who asked"
            apply(engine.server, AFTER, "b")
            assert probe("tcp", engine.client, source, to, 8080, "silent") == "silent"
            assert talks(ours, theirs)


def test_a_connection_from_before_any_firewall_goes_on(router: Trio) -> None:
    # Nothing tracked it while it was made; it is known by its port when it is seen first.
    with listening(router.server, 22) as door, connect(router.client, CLIENT, SERVER, 22) as theirs:
        ours, _ = door.accept()
        with ours:
            apply(router.server, Policy(spoofing=LABORATORY))
            assert talks(ours, theirs)


def test_answers_of_a_port_that_somebody_does_not_track_leave(router: Trio) -> None:
    apply(router.server, Policy(inbound=Ports(udp4=parse_ports("53")), outbound=Ports(tcp4=OPEN), spoofing=LABORATORY))
    router.server.run("nft", "-f", "-", given=UNTRACKED)
    try:
        with listening(router.server, 53, kind=socket.SOCK_DGRAM) as ours:
            with router.client.inside():
                theirs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with theirs:
                theirs.settimeout(10)
                theirs.sendto(b"name?", (SERVER, 53))
                text, peer = ours.recvfrom(100)
                ours.sendto(text, peer)
                assert theirs.recv(100) == b"name?"
    finally:
        router.server.run("nft", "delete", "table", "inet", "untracked")


UNTRACKED = """
table inet untracked {
    chain before { type filter hook prerouting priority -300; udp dport 53 notrack; }
    chain after { type filter hook output priority -300; udp sport 53 notrack; }
}
"""
