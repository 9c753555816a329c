"""What the engine makes of copies of knocks: decisions, counts, and words for `status` and `doctor`."""

import base64
import os
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.engine.samples import engine
from tests.sources.test_packets import ipv4, record, udp

from durward.config.home import Home
from durward.config.knock_keys import blob_of
from durward.config.settings import AuthorisedKnockSettings
from durward.control import ed25519
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.knocks import Knocks
from durward.daemons.ledger import Ledger
from durward.engine import knocks
from durward.model import Decision, Port
from durward.model.knock import Knock, key_id_of
from durward.sources.packets import Packets
from durward.store import decisions, explanations, nonces
from durward.store.errors import StoreFullError

SECRET = b"s" * 32
PUBLIC = ed25519.public_key_of(SECRET)
SOURCE = "203.0.113.5"  # of the samples
NOW = time.time()


class Room:
    def __init__(self, home: Home, port: int = 22022) -> None:
        self.ledger = Ledger(home.database, NOW)
        door = Door(home.enforcer_socket)
        settings = AuthorisedKnockSettings(port, ("web1",))
        self.knocks = Knocks(home.etc, settings, self.ledger, door, Acting(engine(), self.ledger, door))
        ours, self.kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        self.knocks._packets = Packets(ours.detach())

    def close(self) -> None:
        self.knocks.close()
        self.kernels.close()
        self.ledger.close()

    def hears(self, *datagrams: bytes, now: float = NOW) -> None:
        for datagram in datagrams:
            self.kernels.send(record(ipv4(udp(datagram), 17)))
        self.knocks.read(now)

    def made(self) -> list[Decision]:
        return [entry.decision for entry in decisions.latest(self.ledger.store, 10)]

    def refused(self) -> dict[str, int]:
        return {reason: one.count for reason, one in self.knocks.tally.refused.items()}


def home_of(directory: Path) -> Home:
    home = Home.below(directory)
    home.lib.mkdir()
    home.etc.mkdir()
    line = f"ssh-ed25519 {base64.b64encode(blob_of(PUBLIC)).decode()} alice@laptop\n"
    (home.etc / "knock_keys").write_text(line, encoding="ascii")
    return home


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(home_of(tmp_path))
    yield made
    made.close()


def knock(host: str = "web1", at: float = NOW, nonce: bytes | None = None, minutes: int = 5) -> bytes:
    made = Knock(key_id_of(PUBLIC), int(at * 1000), nonce or os.urandom(16), ip_address(SOURCE), minutes)
    return made.body() + ed25519.sign(SECRET, made.signed_for(host))


def test_a_knock_becomes_an_allowance_of_ssh_with_an_end_and_its_evidence(room: Room) -> None:
    room.hears(knock())
    (made,) = room.made()
    assert (made.verdict, made.subject.value, made.scope.ports) == ("allow", SOURCE, (Port(22),))
    assert made.until == pytest.approx(NOW + 300)
    assert (made.reason, made.origin) == ("authorised knock of alice@laptop", "knock:alice@laptop")
    explained = explanations.explain(room.ledger.store, made.id)
    assert explained is not None
    assert explained.decision.incident is not None
    (evidence,) = explained.decision.incident.evidence
    assert f"knock from {SOURCE} port 40000, signed with SHA256:" in evidence.text


def test_the_address_that_was_knocked_at_is_a_name_as_well(room: Room) -> None:
    room.hears(knock("192.0.2.1"))
    assert len(room.made()) == 1


def test_refusals_are_counted_by_reason_and_told(room: Room) -> None:
    used = knock()
    room.hears(used, used, used, knock("web2"), b"x" * 114, knock(at=NOW - 61))
    expected = {knocks.REPLAYED: 2, knocks.NOT_SIGNED: 1, knocks.DAMAGED: 1, knocks.TOO_OLD: 1}
    assert room.refused() == expected
    status = room.knocks.status()
    assert status is not None
    assert (status["keys"], status["accepted"], status["refused"]) == (1, 1, expected)
    told = [(one.result, one.detail) for one in room.knocks.findings()]
    assert told[0][0] == "pass"
    assert len(told) == 1 + len(expected)
    assert any(detail.startswith(f"2 {knocks.REPLAYED}; the last from {SOURCE}") for _, detail in told)


def test_another_port_is_none_of_its_business(room: Room) -> None:
    room.kernels.send(record(ipv4(udp(knock()).replace((22022).to_bytes(2), (22023).to_bytes(2), 1), 17)))
    room.knocks.read(NOW)
    assert (room.made(), room.refused()) == ([], {})


def test_what_cannot_be_remembered_opens_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreFullError("no room")

    monkeypatch.setattr(nonces, "spend", full)
    room.hears(knock())
    assert (room.made(), room.refused()) == ([], {knocks.NOT_WRITTEN: 1})


def test_after_a_loss_of_the_database_only_new_knocks_count(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    home.database.write_bytes(b"no database at all")
    room = Room(home)
    now = time.time()
    room.hears(knock(at=NOW - 1), knock(at=now + 1), now=now)
    assert (len(room.made()), room.refused()) == (1, {knocks.TOO_OLD: 1})
    room.close()


def test_without_a_library_nothing_opens_and_it_is_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> bool:
        raise ed25519.Ed25519Error("there is no libcrypto")

    monkeypatch.setattr(ed25519, "verify", missing)
    room.hears(knock())
    assert room.refused() == {knocks.NO_LIBRARY: 1}
    assert ("fail", "there is no libcrypto") in [(one.result, one.detail) for one in room.knocks.findings()]


def test_keys_are_followed_and_their_problems_told(room: Room, tmp_path: Path) -> None:
    (tmp_path / "etc" / "knock_keys").write_text("ssh-rsa AAAA somebody\n", encoding="ascii")
    room.hears(knock())
    assert room.refused() == {knocks.UNKNOWN_KEY: 1}
    told = [one.detail for one in room.knocks.findings() if one.result == "fail"]
    assert any("knock_keys:1: a key of kind 'ssh-rsa'" in detail for detail in told)
    assert any("nobody can knock" in detail for detail in told)


def test_without_a_port_there_is_nothing_to_tell(tmp_path: Path) -> None:
    room = Room(home_of(tmp_path), port=0)
    assert (room.knocks.status(), room.knocks.findings()) == (None, [])
    room.close()
