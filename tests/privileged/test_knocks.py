"""The enforcer's part in authorised knocks: rules that follow the settings and keys, and a socket for the engine."""

import base64
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kernel.namespaces import Namespace

from durward.config.knock_keys import blob_of
from durward.model.knock import KNOCK_BYTES, key_id_of
from durward.privileged.failure import KernelError
from durward.privileged.knocks import KnockCopies
from durward.privileged.sets import Sets
from durward.sources.packets import Packets

pytestmark = pytest.mark.kernel
PORT = 22022
KNOWN, OTHER = b"k" * 32, b"o" * 32
SHARE = 10  # of one source at once, as the rules say
UNKNOWN = 10  # of all packets with the form of a knock that name no known key


@pytest.fixture
def copies(sets: Sets, tmp_path: Path) -> Iterator[KnockCopies]:
    made = KnockCopies(tmp_path / "knock_keys", PORT, 64)
    write(made, KNOWN)
    yield made
    made.close()


def write(copies: KnockCopies, *keys: bytes) -> None:
    lines = [f"ssh-ed25519 {base64.b64encode(blob_of(key)).decode()} somebody\n" for key in keys]
    copies.keys.write_text("".join(lines), encoding="ascii")


def datagram(key: bytes, version: int = 1) -> bytes:
    head = bytes([version]) + key_id_of(key)
    return head + os.urandom(KNOCK_BYTES - len(head))


def copied(copies: KnockCopies, *datagrams: bytes, source: str = "127.0.0.1") -> int:
    packets = Packets(copies.descriptor())
    packets.read(1000)
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((source, 0))
        for one in datagrams:
            sending.sendto(one, ("::1" if ":" in source else "127.0.0.1", PORT))
    count = len(packets.read(1000))
    packets.close()
    return count


def test_rules_are_loaded_once_and_follow_the_keys(copies: KnockCopies, namespace: Namespace) -> None:
    assert [copies.keep(), copies.keep(), copies.keep(again=True), copies.keep()] == [True, False, True, False]
    assert key_id_of(KNOWN).hex().lstrip("0") in namespace.run("nft", "list", "table", "inet", "durward")
    write(copies, KNOWN, OTHER)
    assert [copies.keep(), copies.keep()] == [True, False]
    copies.keys.unlink()
    assert [copies.keep(), copies.keep()] == [True, False]
    assert "knock" not in namespace.run("nft", "list", "table", "inet", "durward")


def test_what_was_flushed_is_put_there_again(copies: KnockCopies, namespace: Namespace) -> None:
    copies.keep()
    namespace.run("nft", "flush", "chain", "inet", "durward", "firewall_knock")
    assert copied(copies, datagram(KNOWN)) == 0
    assert copies.keep(again=True)
    assert copied(copies, datagram(KNOWN)) == 1


@pytest.mark.parametrize("source", ["127.0.0.1", "::1"])
def test_only_what_has_the_form_of_a_knock_is_copied(copies: KnockCopies, source: str) -> None:
    copies.keep()
    assert copied(copies, b"", b"x", datagram(KNOWN)[:-1], datagram(KNOWN) + b"x", source=source) == 0
    assert copied(copies, datagram(KNOWN), datagram(OTHER), datagram(KNOWN, version=2), source=source) == 3


def test_each_source_has_its_share_and_who_names_no_key_takes_none_of_it(copies: KnockCopies) -> None:
    copies.keep()
    few = UNKNOWN + 5  # a limit may let some more pass while the test runs
    assert UNKNOWN <= copied(copies, *[datagram(OTHER) for _ in range(2000)]) <= few
    assert copied(copies, datagram(KNOWN)) == 1
    assert SHARE - 1 <= copied(copies, *[datagram(KNOWN)] * 2000) <= SHARE + 4
    assert copied(copies, datagram(KNOWN), source="127.0.0.2") == 1


def test_a_blocked_source_is_copied_too(copies: KnockCopies, namespace: Namespace) -> None:
    copies.keep()
    namespace.run("nft", "insert", "rule", "inet", "durward", "prerouting", "counter", "drop")
    assert copied(copies, datagram(KNOWN)) == 1


def test_without_a_port_nothing_is_there(sets: Sets, tmp_path: Path) -> None:
    off = KnockCopies(tmp_path / "knock_keys", 0, 64)
    write(off, KNOWN)
    assert not off.keep()
    with pytest.raises(KernelError, match="no port"):
        off.descriptor()
