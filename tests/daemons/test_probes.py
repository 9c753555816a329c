"""What the engine makes of copies of probes, and of bans that the kernel made by itself."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.frames import tcp, udp
from tests.sources.test_packets import record

from durward.catalog.shelf import directories_of, load_detectors
from durward.config.home import Home
from durward.config.settings import load_settings
from durward.control.channel import answer, listen, receive
from durward.control.words import decode
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.probes import Probes
from durward.engine.assembly import assemble, policy_of
from durward.model import Decision
from durward.sources.packets import Packets
from durward.store import decisions, explanations

NOW = time.time()
SOURCE, GUARDED, IGNORED = "203.0.113.5", "203.0.113.53", "198.51.100.7"
DETECTORS = load_detectors(directories_of("detectors"))
SETTINGS = """\
[firewall]
knocks = ["2222/tcp 5s 7003 7001 7002"]
[detectors.port_knock]
mode = "enforce"
"""


class Enforcer:
    """Answers like the real one: a guard protects one address, and the kernel bans whom it is told to."""

    def __init__(self, path: Path) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.bans: dict[str, list[list[int]]] = {}
        self._listener = listen(path, socket.SOCK_SEQPACKET, 0o600)
        self._listener.setblocking(True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener:
            while packet := receive(connection)[0]:
                word = decode(packet)
                self.said.append((word.name, word.fields))
                answer(connection, self._reply(word.name, word.fields))

    def _reply(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        if name == "look bans":
            return {"banned": [[text, ports] for text, ports in sorted(self.bans.items())], "more": False}
        if name == "block":
            values = [entry.subject.value for entry in fields["entries"]]
            return {"refused": [[index, "it is a name server"] for index, one in enumerate(values) if one == GUARDED]}
        return {}

    def lifted(self) -> list[str]:
        return [one.subject.value for name, fields in self.said if name == "unblock" for one in fields["entries"]]


class Room:
    def __init__(self, home: Home) -> None:
        for directory in (home.lib, home.etc, home.run):
            directory.mkdir(exist_ok=True)
        (home.etc / "durward.toml").write_text(SETTINGS, encoding="ascii")
        settings = load_settings(home.etc, [], DETECTORS)
        self.ledger = Ledger(home.database, NOW)
        self.enforcer = Enforcer(home.enforcer_socket)
        door = Door(home.enforcer_socket)
        assert door.connect()
        exempt = {IGNORED: "ignore.list:1"}.get
        self.engine = assemble(policy_of(settings, [], DETECTORS, exempt), DETECTORS)
        self.probes = Probes(settings, self.engine, door, Acting(self.engine, self.ledger, door))
        self._door = door
        ours, self.kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        self.probes._packets = Packets(ours.detach())

    def close(self) -> None:
        self.probes.close()
        self.kernels.close()
        self._door.channel.close()
        self.ledger.close()

    def hears(self, *packets: bytes, prefix: bytes = b"dw:probe", user: int | None = None) -> None:
        for packet in packets:
            self.kernels.send(copied(packet, prefix, user))
            self.probes.read(NOW)

    def made(self) -> list[Decision]:
        return [entry.decision for entry in reversed(decisions.latest(self.ledger.store, 100))]


def evidence(room: Room, made: Decision) -> list[str]:
    explained = explanations.explain(room.ledger.store, made.id)
    assert explained is not None
    assert explained.decision.incident is not None
    return [line.text for line in explained.decision.incident.evidence]


def copied(packet: bytes, prefix: bytes, user: int | None) -> bytes:
    if user is None:
        return record(packet, prefix)
    plain = record(packet, prefix)
    more = struct.pack("=HH", 8, 11) + user.to_bytes(4)
    return struct.pack("=I", len(plain) + 8) + plain[4:20] + more + plain[20:]


def syns(source: str, *ports: int) -> list[bytes]:
    return [tcp(source, port, to="2001:db8::1" if ":" in source else "192.0.2.1") for port in ports]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(Home.below(tmp_path))
    yield made
    made.close()


def test_ten_probes_become_a_block_with_its_evidence(room: Room) -> None:
    room.hears(*syns(SOURCE, *range(20, 29)))
    assert room.made() == []
    room.hears(*syns(SOURCE, 29, 30, 31))
    (made,) = room.made()
    assert (made.verdict, made.subject.value, made.origin) == ("block", SOURCE, "detector:port_scan")
    assert made.reason == "10 closed ports probed in 1 s"
    assert [name for name, _ in room.enforcer.said] == ["block"]


def test_the_kernels_own_ban_of_what_was_seen_makes_no_second_block(room: Room) -> None:
    room.hears(*syns(SOURCE, *range(20, 30)))
    room.hears(*syns(SOURCE, 29), prefix=b"dw:ban")
    assert len(room.made()) == 1
    assert room.enforcer.lifted() == []


def test_a_ban_of_which_nothing_else_was_heard_is_taken_over(room: Room) -> None:
    room.hears(*syns(SOURCE, 22), prefix=b"dw:ban")
    (made,) = room.made()
    assert made.reason == "the kernel counted 10 closed ports, or 3 impossible packets"
    assert room.probes.status() == {"taken_over": 1}


def test_bans_made_in_our_absence_are_taken_over_with_their_ports(room: Room) -> None:
    room.enforcer.bans = {SOURCE: [[6, 21], [17, 53]], "2001:db8:5::/64": []}
    room.probes.tick(NOW)
    made = {one.subject.value: one for one in room.made()}
    assert sorted(made) == ["2001:db8:5::/64", SOURCE]
    assert evidence(room, made[SOURCE]) == ["TCP to port 21", "UDP to port 53"]
    room.probes.compare(NOW)
    assert len(room.made()) == 2


def test_a_ban_of_who_is_exempt_or_guarded_is_lifted(room: Room) -> None:
    room.hears(*syns(IGNORED, 22), *syns(GUARDED, 22), prefix=b"dw:ban")
    assert room.enforcer.lifted() == [IGNORED, GUARDED]
    assert [(one.subject.value, one.verdict) for one in room.made()] == [(GUARDED, "block")]
    assert not room.engine.is_blocked(room.engine.subject_of(GUARDED), "packets", NOW)


def test_whom_a_guard_protects_is_accused_once_and_not_with_each_further_packet(room: Room) -> None:
    room.hears(*syns(GUARDED, *range(1, 200)))
    assert len(room.made()) == 1


def test_a_users_refused_packets_are_told_of(room: Room) -> None:
    out = [udp("192.0.2.1", port, b"?", to="198.51.100.9") for port in range(6660, 6672)]
    room.hears(*out, prefix=b"dw:left", user=0)
    assert room.made() == []
    room.hears(*out[:1] * 50, prefix=b"dw:left", user=61_234)
    assert room.made() == []
    room.hears(*out, prefix=b"dw:left", user=61_234)
    (made,) = room.made()
    assert (made.verdict, made.subject.kind, made.subject.value) == ("alert", "user", "uid 61234")
    assert evidence(room, made)[0] == "UDP to port 6660, from port 40000, to 198.51.100.9"


def test_a_door_that_was_opened_by_knocking_is_told_of(room: Room) -> None:
    room.hears(*syns(SOURCE, 7002), prefix=b"dw:knocked")
    (made,) = room.made()
    assert (made.verdict, made.subject.value, made.reason) == (
        "alert",
        SOURCE,
        f"{SOURCE} opened port 2222 by knocking",
    )


def test_protocols_without_ports_count_once_each(room: Room) -> None:
    packets = []
    for protocol in range(60, 72):
        packet = bytearray(tcp(SOURCE, 1, to="192.0.2.1"))
        packet[9] = protocol
        packets.append(bytes(packet))
    room.hears(*packets)
    (made,) = room.made()
    assert evidence(room, made)[0] == "IP protocol 60"
    assert room.probes.findings() == []
