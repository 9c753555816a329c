"""Copies of probes in the engine: who looks for a way in, whose packets may not leave, and who opened a door.

The kernel's own bans are taken over as decisions like any other, or lifted where the engine has reason to: then the
source is exempt, or a guard said no.
"""

import pwd
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

from durward.config.settings import Settings
from durward.control.channel import ChannelError
from durward.control.words import Entry
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.process import say
from durward.detectors.port_scan import Detector
from durward.engine.engine import Engine
from durward.engine.probes import BARE, HOW_OF_FLAGS, NUMBERS, TCP, record_of, text_of
from durward.model import EVERYTHING, Decision, Event, Finding, Incident, Subject
from durward.ruleset.port_scans import BAN, FLAGS, KNOCKED, LEAVING, PROBE
from durward.sources.packets import Packet, Packets

DATAGRAMS_MAX = 256  # of the kernel are read in one turn; then everything else has its turn
TAKEN_OVER_MAX = 100  # bans become decisions in one transaction
QUIET_SECONDS = 3600.0  # for which a source that a guard protects is not accused again
QUIET_MAX = 10_000  # such sources; beyond it all are forgotten, and may be accused once more
COMPARE_SECONDS = 60.0  # between two looks at whom the kernel bans
SAME_SECONDS, SAME_MAX = 60.0, 10_000  # what a user sends to the same place counts once in that time
NAMES_MAX = 4096  # of users are remembered
SERVICE = "packets"
PROBES, BANS, LEFT, DOORS = (one.encode() for one in (PROBE, BAN, LEAVING, KNOCKED))
FLAGGED = FLAGS.encode()
WORDS = {6: "tcp", 17: "udp"}


class Probes:
    """Reads copies and has the engine judge them."""

    def __init__(self, settings: Settings, engine: Engine, door: Door, acting: Acting) -> None:
        self.problem = ""
        self.taken_over = 0
        self._engine, self._door, self._acting = engine, door, acting
        self._scans = engine.detector("port_scan")
        if isinstance(self._scans, Detector):
            self._scans.counts_by(settings.ipv6.block_prefix)
        self._knocks: dict[tuple[str, int], str] = {
            (one.port.protocol, one.steps[-1]): str(one.port) for one in settings.firewall.knocks
        }
        outbound = settings.detectors.get("outbound_probing")
        watches = outbound is not None and outbound.general["within"] > 0
        self._outbound = outbound.general["ports"] if watches and outbound is not None else None
        self._packets: Packets | None = None
        self._quiet: dict[str, float] = {}
        self._same: dict[tuple[int, bytes, int], float] = {}
        self._names: dict[int, str] = {}
        self._heard = 0
        self._compared_at = 0.0

    def connect(self, now: float) -> None:
        """Take over the copies, and the bans, from an enforcer that has come; an earlier descriptor goes first."""
        self.close()
        try:
            _answer, (descriptor, *_rest) = self._door.channel.ask_descriptors("open probes")
        except ChannelError as error:
            if str(error) != self.problem:
                say(f"port scans are not seen: {error}")
            self.problem = str(error)
            return
        self.problem = ""
        self._packets = Packets(descriptor)
        self.read(now)  # what came meanwhile is the evidence of the bans
        self.compare(now)

    def close(self) -> None:
        """Stop reading."""
        if self._packets is not None:
            self._packets.close()
            self._packets = None

    def fileno(self) -> int:
        """The descriptor to wait for; -1 for none."""
        return -1 if self._packets is None else self._packets.fileno()

    def read(self, now: float) -> None:
        """Judge what has come. `now` is epoch seconds."""
        if self._packets is None:
            return
        incidents: list[Incident] = []
        banned: dict[str, list[tuple[int, int]]] = {}
        others: list[Packet] = []
        judge = self._scans.see if isinstance(self._scans, Detector) else None
        for packet in self._packets.read(DATAGRAMS_MAX):
            prefix = packet.prefix
            if prefix in (PROBES, FLAGGED):
                if judge is not None:
                    incidents += judge(*seen(packet), now)
            elif prefix == BANS:
                banned[self._engine.subject_of(str(ip_address(packet.source))).value] = []
            else:
                others.append(packet)
        self._accuse(incidents, now)
        if banned:
            self._take_over(banned, now)
        if others:
            self._tell(others, now)

    def tick(self, now: float) -> None:
        """Now and then, ask for bans of which no copy came."""
        if self._packets is not None and not 0 <= now - self._compared_at < COMPARE_SECONDS:
            self.compare(now)

    def compare(self, now: float) -> None:
        """Make decisions of all bans that the kernel has, or lift them."""
        self._compared_at = now
        try:
            bans = self._door.bans()
            if any(not self._is_blocked(text, now) for text in bans):
                bans = self._door.bans(ports=True)
        except ChannelError as error:
            self._door.degraded = str(error)
            return
        self._take_over(bans, now)

    def _accuse(self, incidents: Iterable[Incident], now: float) -> list[Decision]:
        """Have the engine decide about these; gives what was carried out."""
        made: list[Decision] = []
        for incident in incidents:
            if self._quiet.get(incident.subject.value, 0.0) <= now:
                made += self._engine.accuse(incident, now)
        if not made:
            return []
        decided, refused = self._acting.act(made, {}, now)
        if len(self._quiet) > QUIET_MAX:
            self._quiet.clear()
        self._quiet.update((one.subject.value, now + QUIET_SECONDS) for one in decided if one.id in refused)
        return [one for one in decided if one.id not in refused and not one.simulated and not one.held]

    def _take_over(self, banned: dict[str, list[tuple[int, int]]], now: float) -> None:
        waiting = {text: ports for text, ports in banned.items() if not self._is_blocked(text, now)}
        if not isinstance(self._scans, Detector):
            self._lift(waiting)
            return
        items = list(waiting.items())
        for first in range(0, len(items), TAKEN_OVER_MAX):
            part = items[first : first + TAKEN_OVER_MAX]
            self._accuse([self._scans.banned(_packed(text), now, ports) for text, ports in part], now)
            self._lift([text for text, _ in part if not self._is_blocked(text, now)])
            self.taken_over += len(part)

    def _is_blocked(self, text: str, now: float) -> bool:
        return self._engine.is_blocked(Subject.parse(text), SERVICE, now)

    def _lift(self, texts: Iterable[str]) -> None:
        """End the kernel's own bans of these."""
        entries = [Entry(Subject.parse(text), EVERYTHING) for text in texts]
        if entries:
            try:
                self._door.unblock("block", entries)
            except ChannelError as error:
                self._door.degraded = str(error)

    def _tell(self, packets: Sequence[Packet], now: float) -> None:
        events = [event for packet in packets if (event := self._event(packet, now)) is not None]
        made = [decision for event in events for decision in self._engine.feed(event)]
        if made:
            self._acting.act(made, {}, now)

    def _event(self, packet: Packet, now: float) -> Event | None:
        """What another copy says: a user's packet was refused, or a knock was the last one."""
        protocol = WORDS.get(packet.protocol, "other")
        self._heard += 1
        position = f"{now:.3f}/{self._heard}"
        if packet.prefix == DOORS:
            door = self._knocks.get((protocol, packet.port))
            source = str(ip_address(packet.source))
            line = f"the last knock was {_words(packet, now)}".encode()
            known = ("port.knock", now, now, SERVICE, SERVICE, position, line, source, packet.source_port)
            return Event(*known, about=door) if door else None
        if packet.prefix != LEFT or packet.user <= 0 or self._outbound is None:
            return None
        if (packet.port and not self._outbound.holds(packet.port)) or self._is_known(packet, now):
            return None
        line = f"{_words(packet, now)}, to {ip_address(packet.destination)}".encode()
        name, about = self._name(packet.user), f"{packet.port}/{protocol}"
        return Event("outbound.refused", now, now, SERVICE, SERVICE, position, line, user_name=name, about=about)

    def _is_known(self, packet: Packet, now: float) -> bool:
        key = packet.user, packet.destination, packet.port
        if now - self._same.get(key, 0.0) < SAME_SECONDS:
            return True
        if len(self._same) >= SAME_MAX:
            self._same.clear()
        self._same[key] = now
        return False

    def _name(self, user: int) -> str:
        if user not in self._names:
            if len(self._names) >= NAMES_MAX:
                self._names.clear()
            try:
                self._names[user] = pwd.getpwuid(user).pw_name
            except KeyError:
                self._names[user] = f"uid {user}"
        return self._names[user]

    def status(self) -> dict[str, Any]:
        """What `durward status` says."""
        state: dict[str, Any] = {"taken_over": self.taken_over}
        return state | ({"problem": self.problem} if self.problem else {})

    def findings(self) -> list[Finding]:
        """What `durward doctor` says."""
        return [Finding("probes", "copies", "fail", f"port scans are not seen: {self.problem}")] if self.problem else []


def _packed(text: str) -> bytes:
    return Subject.parse(text).network.network_address.packed


def seen(packet: Packet) -> tuple[bytes, int, int, int, int, int]:
    """A packet as the detector hears of it: source, how, protocol, ports, shape."""
    # By number, not by name: a storm brings fifty thousand a second.
    protocol = NUMBERS.get(packet[3], BARE)
    if protocol == TCP:
        return packet[1], HOW_OF_FLAGS[packet[6]], TCP, packet[4], packet[5], packet[8]
    if protocol == BARE:
        return packet[1], 0, BARE, 0, packet[3] & 0xFFFF, 0
    return packet[1], 0, protocol, packet[4], packet[5], 0


def _words(packet: Packet, now: float) -> str:
    _, how, protocol, source_port, port, _ = seen(packet)
    return text_of(record_of(int(now), how, protocol, source_port, port))
