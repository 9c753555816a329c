"""Authorised knocks in the engine: copies of them are read, verified, and become decisions like any other."""

import os
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from durward.config.knock_keys import FILE_NAME, KnockKey, KnockKeys, read_knock_keys
from durward.config.settings import AuthorisedKnockSettings
from durward.control import ed25519
from durward.control.channel import ChannelError
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.process import say
from durward.engine import knocks
from durward.engine.explain import moment
from durward.engine.knocks import Accepted, KnockRefusedError, judge, names_of
from durward.model import Address, Decision, Evidence, Finding, Incident, Port, Scope, Subject
from durward.model.address import parse_address
from durward.sources.packets import UDP, Packet, Packets

DATAGRAMS_MAX = 64  # of the kernel are read in one turn; then everything else has its turn
SAID_SECONDS = 60.0  # between two lines about refused knocks
SOURCE = "packets"  # of evidence


@dataclass(slots=True)
class Refused:
    """How many knocks were refused for one reason, and the last of them."""

    count: int = 0
    last_at: float = 0.0
    last_from: str = ""


@dataclass(slots=True)
class Tally:
    """What became of knocks since the engine began. `refused` has an entry for each of few reasons."""

    accepted: int = 0
    refused: dict[str, Refused] = field(default_factory=dict)


class Knocks:
    """Reads, verifies, opens. Without a port in the settings it does nothing at all."""

    def __init__(
        self, etc: Path, settings: AuthorisedKnockSettings, ledger: Ledger, door: Door, acting: Acting
    ) -> None:
        self.tally = Tally()
        self.problem = ""
        self._settings = settings
        self._names = names_of(os.uname().nodename, settings.names)
        self._path = etc / FILE_NAME
        self._ledger, self._door, self._acting = ledger, door, acting
        self._packets: Packets | None = None
        self._file = KnockKeys()
        self._keys: dict[bytes, KnockKey] = {}
        self._stamp: tuple[int, ...] | None = None
        self._said_at = 0.0
        # After a loss of the database nobody knows what was used: only what is made from now on counts.
        self._not_before = time.time() if ledger.began_anew else 0.0
        self.heed()

    def connect(self) -> None:
        """Take over the copies from an enforcer that has come; the descriptor of an earlier one goes first."""
        self.close()
        if not self._settings.port:
            return
        try:
            _answer, (descriptor, *_rest) = self._door.channel.ask_descriptors("open knocks")
        except ChannelError as error:
            self.problem = str(error)
            say(f"authorised knocks are not heard: {error}")
            return
        self.problem = ""
        self._packets = Packets(descriptor)

    def close(self) -> None:
        """Stop reading."""
        if self._packets is not None:
            self._packets.close()
            self._packets = None

    def fileno(self) -> int:
        """The descriptor to wait for; -1 for none."""
        return -1 if self._packets is None else self._packets.fileno()

    def heed(self) -> None:
        """Read the file of keys again if it has changed: a key that was taken out opens nothing from then on."""
        if not self._settings.port:
            return
        stamp = _stamp_of(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._file = read_knock_keys(self._path)
        self._keys = {key.id: key for key in self._file.keys}
        for problem in self._file.problems:
            say(str(problem))

    def read(self, now: float) -> None:
        """Judge what has come."""
        if self._packets is None:
            return
        self.heed()
        for packet in self._packets.read(DATAGRAMS_MAX):
            if packet.protocol == UDP and packet.port == self._settings.port:
                self._hear(packet, now)

    def _hear(self, packet: Packet, now: float) -> None:
        source, destination = _address(packet.source), _address(packet.destination)
        try:
            accepted = self._judge(packet.payload, source, destination, now)
            self._open(accepted, source, packet, now)
        except KnockRefusedError as error:
            self._refuse(error.reason, source, now)

    def _judge(self, datagram: bytes, source: Address, destination: Address, now: float) -> Accepted:
        """Raises KnockRefusedError. This host may also be called by the address that was knocked at."""
        names = dict.fromkeys((*self._names, str(destination)))
        try:
            accepted = judge(datagram, source, names, self._keys, now=now, verify=ed25519.verify)
        except ed25519.Ed25519Error as error:
            self.problem = str(error)
            raise KnockRefusedError(knocks.NO_LIBRARY) from None
        if accepted.knock.sent_at / 1000 < self._not_before:
            raise KnockRefusedError(knocks.TOO_OLD)
        forget_before = int((now - knocks.NONCE_SECONDS) * 1000)
        spent = self._ledger.spend(accepted.knock.nonce, accepted.knock.sent_at, forget_before)
        if spent != "new":
            reason = {"used": knocks.REPLAYED, "full": knocks.TOO_MANY}.get(spent or "", knocks.NOT_WRITTEN)
            raise KnockRefusedError(reason)
        return accepted

    def _open(self, accepted: Accepted, source: Address, packet: Packet, now: float) -> None:
        """Let an address in to SSH, as a decision that has an end. Its nonce is on the disk by now."""
        ports = self._ports_of_ssh()
        decision = decision_for(accepted, source, packet.source_port, ports, now)
        self.tally.accepted += 1
        (decided, *_), refused = self._acting.act([decision], {}, now)
        after = f", but it was refused: {refused[decided.id]}" if decided.id in refused else ""
        say(f"{decision.reason}: {decision.subject.value} may come in to SSH, decision {decided.id}{after}")

    def _ports_of_ssh(self) -> list[int]:
        try:
            return self._door.ssh_ports()
        except ChannelError:
            return [22]  # the decision is carried out when the enforcer comes

    def _refuse(self, reason: str, source: Address, now: float) -> None:
        refused = self.tally.refused.setdefault(reason, Refused())
        refused.count, refused.last_at, refused.last_from = refused.count + 1, now, str(source)
        if abs(now - self._said_at) >= SAID_SECONDS:
            self._said_at = now
            say(f"a knock from {source} is refused: {reason}")

    def status(self) -> dict[str, Any] | None:
        """What `durward status` says; None where nobody may knock."""
        if not self._settings.port:
            return None
        refused = {reason: one.count for reason, one in self.tally.refused.items()}
        state: dict[str, Any] = {"port": self._settings.port, "keys": len(self._keys), "names": list(self._names)}
        state |= {"accepted": self.tally.accepted, "refused": refused}
        return state | ({"problem": self.problem} if self.problem else {})

    def findings(self) -> list[Finding]:
        """What `durward doctor` says."""
        if not self._settings.port:
            return []
        subject = f"port {self._settings.port}"
        found = [Finding("knock", subject, "fail", str(problem)) for problem in self._file.problems]
        if self.problem:
            found.append(Finding("knock", subject, "fail", self.problem))
        elif not self._keys:
            found.append(Finding("knock", subject, "fail", f"there is no key in {self._path.name}: nobody can knock"))
        else:
            names = ", ".join(self._names)
            detail = f"{len(self._keys)} key(s) may knock, calling this host {names} or by its address"
            found.append(Finding("knock", subject, "pass", f"{detail}; {self.tally.accepted} did"))
        return found + [
            Finding(
                "knock",
                "refused",
                "unknown",
                f"{one.count} {reason}; the last from {one.last_from} at {moment(one.last_at)}",
            )
            for reason, one in self.tally.refused.items()
        ]


def prepare(settings: AuthorisedKnockSettings) -> None:
    """Load what verifies while its file can still be reached; without it knocks are refused, and told of."""
    if settings.port:
        try:
            ed25519.load()
        except ed25519.Ed25519Error as error:
            say(str(error))


def decision_for(accepted: Accepted, source: Address, source_port: int, ports: list[int], now: float) -> Decision:
    """The allowance that a knock asks for: to the ports of SSH and no others."""
    knock, key = accepted.knock, accepted.key
    subject = Subject.parse(str(knock.address))
    reason = f"authorised knock of {key.comment}"
    sent_at = knock.sent_at / 1000
    text = (
        f"knock from {source} port {source_port}, signed with {key.fingerprint} at {moment(sent_at)}, "
        f"for {knock.address}, {knock.minutes} min, nonce {knock.nonce.hex()}"
    )
    evidence = Evidence(SOURCE, knock.nonce.hex(), sent_at, text)
    incident = Incident("authorised_knock", "sshd", subject, sent_at, now, 1, 1, 0.0, (evidence,), reason)
    scope = Scope(tuple(Port(port) for port in ports))
    until = now + knock.minutes * 60
    return Decision("allow", subject, now, until, reason, f"knock:{key.comment}", scope, incident)


def _address(packed: bytes) -> Address:
    return parse_address(str(ip_address(packed)))


def _stamp_of(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
