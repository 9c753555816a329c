"""Copies of packets come to whoever holds the socket, without rights and in another network; he changes nothing."""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.daemons.forked import forked
from tests.kernel.namespaces import Namespace

from durward.daemons.privileges import become
from durward.daemons.seclusion import leave_network
from durward.privileged.failure import KernelError
from durward.privileged.loading import run_nft
from durward.privileged.netlink import ACKNOWLEDGE, ERROR, attribute, messages, refusal_of, request
from durward.privileged.nflog import CONFIG, PacketGroup
from durward.sources.packets import Packets

pytestmark = pytest.mark.kernel
GROUP, PORT = 6, 22022
RULES = f"""
table inet copying {{
    chain in {{
        type filter hook input priority 0; policy accept;
        udp dport {PORT} log prefix "dw:knock" group {GROUP} snaplen 256
    }}
}}
"""


@contextmanager
def copies(**more: int) -> Iterator[Packets]:
    with PacketGroup(GROUP, copy_bytes=256, **more) as group:
        packets = Packets(group.descriptor())
        try:
            yield packets
        finally:
            packets.close()


def send(*texts: bytes, six: bool = False) -> None:
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as sending:
        for text in texts:
            sending.sendto(text, ("::1" if six else "127.0.0.1", PORT))


@pytest.mark.parametrize("six", [False, True])
def test_the_payload_comes_whole(namespace: Namespace, six: bool) -> None:
    run_nft(RULES)
    with copies() as packets:
        send(b"one" * 38, b"two", six=six)
        found = packets.read(10)
    assert [(one.prefix, one.port, one.payload) for one in found] == [
        (b"dw:knock", PORT, b"one" * 38),
        (b"dw:knock", PORT, b"two"),
    ]
    assert found[0].source == found[0].destination == (b"\0" * 15 + b"\1" if six else b"\x7f\0\0\1")


def test_a_long_packet_is_cut(namespace: Namespace) -> None:
    run_nft(RULES)
    with copies() as packets:
        send(b"x" * 1000)
        (found,) = packets.read(10)
    assert found.payload == b"x" * (256 - 28)


def test_what_nobody_reads_is_lost_and_nothing_else(namespace: Namespace) -> None:
    run_nft(RULES)
    with copies(waiting_bytes=1 << 15) as packets:
        send(*[b"%04d" % number for number in range(2000)])
        found = packets.read(10_000)
        assert 10 < len(found) < 2000
        assert [one.payload for one in found] == [b"%04d" % number for number in range(len(found))]
        send(b"later")
        assert [one.payload for one in packets.read(10)] == [b"later"]


def test_many_come_gathered(namespace: Namespace) -> None:
    run_nft(RULES)
    with copies(gathered=50, gathered_bytes=1 << 16, flush_centiseconds=100) as packets:
        send(*[b"x"] * 100)
        assert len(packets.read(2)) == 100


def test_a_group_has_one_listener(namespace: Namespace) -> None:
    with copies(), pytest.raises(KernelError, match="another process listens") as refused:
        PacketGroup(GROUP, copy_bytes=64)
    assert refused.value.number == errno.EPERM
    with copies():
        pass


def test_without_the_capability_nobody_listens(namespace: Namespace) -> None:
    def act() -> None:
        become("durward-engine")
        with pytest.raises(KernelError, match="CAP_NET_ADMIN"):
            PacketGroup(GROUP, copy_bytes=64)

    forked(act)


def test_who_was_handed_the_socket_reads_and_changes_nothing(namespace: Namespace) -> None:
    """As the engine: no capability, an empty network of its own, and a descriptor of the kind by which rules change."""
    run_nft(RULES)
    with PacketGroup(GROUP, copy_bytes=256) as group:
        handed = group.descriptor()
        send(b"before")

        def act() -> None:
            leave_network()
            become("durward-engine")
            assert [one.payload for one in Packets(handed).read(10)] == [b"before"]
            with socket.socket(fileno=os.dup(handed)) as ours:
                ours.settimeout(5)
                unbind = struct.pack(">BBH", 0, 0, GROUP) + attribute(1, b"\2")
                rules = struct.pack(">BBH", 1, 0, 0) + attribute(1, b"copying\0")
                for kind, body in ((CONFIG, unbind), (10 << 8 | 2, rules)):  # the second would delete a table
                    ours.send(request(kind, ACKNOWLEDGE, 7, body))
                    refusals = [
                        refusal_of(one).number for one in messages(memoryview(ours.recv(9999))) if one.type == ERROR
                    ]
                    assert refusals == [errno.EPERM]

        forked(act)
        send(b"after")
        packets = Packets(handed)
        assert [one.payload for one in packets.read(10)] == [b"after"]
        packets.close()
    assert "dport 22022" in namespace.run("nft", "list", "ruleset")
