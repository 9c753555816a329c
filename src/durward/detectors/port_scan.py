"""Somebody looks for a way in: too many different closed ports, alone or with others, or packets that cannot be."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from durward.engine import probes
from durward.engine.crowds import Crowd, Crowds
from durward.engine.policy import DetectorPolicy
from durward.engine.probes import (
    ACK,
    FIN,
    NUMBERS,
    OTHER,
    SYN,
    TCP,
    TIMES,
    UDP,
    WRONG,
    XMAS,
    Probes,
    how_of,
    record_of,
    seconds_of,
    text_of,
)
from durward.engine.room import Room
from durward.engine.spans import span
from durward.model import Event, Evidence, Incident, Subject, parse_address

SERVICE, SOURCE = "packets", "packets"
NEIGHBOURS_V4, NEIGHBOURS_V6 = 24, 48  # bits of a network that is looked at as one
NEIGHBOURS_MIN = 3  # sources of a network before they are blamed for what they did together
NETWORK_MIN = 5  # before the network itself is blamed, and only where they shared the work
NEAR_SECONDS, FAR_SECONDS = 3600, 86_400  # beyond the first, neighbours have to have tried twice as many ports
STRANGERS_SECONDS = 600
STRANGERS_MIN = 4  # sources before strangers are taken for one
SHARED_MIN = 0.8  # of the work that was done once only: noise of the internet tries the same ports
OWN_PROBES_MAX = 3  # of a source; whoever has more is found by himself, and would hide those who share
BARE_HEADER = 6  # words of a TCP header: a SYN with no option but the size of segments comes from a tool, not a stack
SYSTEM_FACTOR = 2  # so many times as many ports and sources where the packets are those of a usual system
EVIDENCE_MAX = 25
WRONG_MAX = 65_536  # sources of impossible packets; beyond it the first ones are forgotten
SWEEP_SECONDS = 600.0
V6 = 1 << 128
ALIKE_SECONDS = 60  # after the last of strangers who were found out, whoever sends packets of that make is one more


class Detector:
    """Counts different ports. `see` is told of packets; `feed` of events, as a story or a log has them."""

    def __init__(self, detector: str, policy: DetectorPolicy, room: Room) -> None:
        threshold, values = policy.default, policy.values
        self._detector, self._policy, self._room = detector, policy, room
        self._count = max(threshold.count, threshold.distinct)
        self._flags_count = int(values.get("bad_flags", 3))
        self._within = threshold.within_seconds
        self.watches = threshold.watches and self._within > 0
        self._probes = Probes(self._within, self._count)
        self._wrong: dict[int, list[int]] = {}
        self._networks = Crowds(min(self._within, FAR_SECONDS))
        self._strangers = Crowds(STRANGERS_SECONDS)
        self._alike: dict[int, int] = {}
        self._prefix_v6 = 64
        self._swept_at = 0.0

    def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
        """Hear of one probe; `about` is the port like `23/tcp`."""
        if subject is None or event.source_ip is None or not event.about:
            return ()
        number, _, name = event.about.partition("/")
        port = int(number) if number.isdecimal() and len(number) < 6 else 0
        protocol = {"tcp": TCP, "udp": UDP}.get(name, OTHER)
        self._prefix_v6 = subject.network.prefixlen if subject.network.version == 6 else self._prefix_v6
        packed = parse_address(event.source_ip).packed
        return self.see(packed, SYN, protocol, event.source_port or 0, port & 0xFFFF, 0, at)

    def see(  # noqa: PLR0917 — what a packet has, and there are very many
        self, source: bytes, how: int, protocol: int, source_port: int, port: int, shape: int, at: float
    ) -> Sequence[Incident]:
        """Judge one packet to a closed port. `source` is packed; `shape` is what its header is like, 0 for unknown."""
        if not self.watches:
            return ()
        now = int(at)
        key = int.from_bytes(source) if len(source) == 4 else self._key(source)
        record = (now & TIMES - 1) << 37 | how << 34 | protocol << 32 | source_port << 16 | port  # as record_of does
        count = self._probes.add(key, record, now)
        if FIN <= how <= XMAS and protocol == TCP and self._is_wrong_too_often(key, now):
            self._leave(key, shape)
            return (self._wrong_flags(source, key, at),)
        if count == 0:
            return ()
        if count >= self._count:
            self._leave(key, shape)
            return (self._alone(source, key, at),)
        return self._together(source, key, record, shape, at) if count <= OWN_PROBES_MAX else ()

    def banned(self, source: bytes, at: float, ports: Iterable[tuple[int, int]] = ()) -> Incident:
        """The kernel has banned `source` by itself: what is known of it makes an incident of that.

        `ports` are those that the kernel remembers, each with the number of its protocol.
        """
        key = self._key(source)
        for protocol, port in ports:
            kind = NUMBERS.get(protocol, OTHER)
            self._probes.add(key, record_of(int(at), probes.UNKNOWN, kind, 0, port), int(at))
        records = self._probes.of(key, int(at))
        self._leave(key, 0)
        reason = f"the kernel counted {self._count} closed ports, or {self._flags_count} impossible packets"
        return self._incident(self._subject(source), [("", one) for one in records], self._count, reason, at)

    def forget(self, subject: Subject) -> None:
        """Begin again at nothing for `subject`, and for all that it holds."""
        if subject.kind not in ("address", "network"):
            return
        network = subject.network
        first, last = (self._key(one.packed) for one in (network.network_address, network.broadcast_address))
        self._probes.forget_where(first, last)
        for key in [key for key in self._wrong if first <= key <= last]:
            del self._wrong[key]
        self._networks.forget(_network_key(first))

    def tick(self, now: float) -> Sequence[Incident]:
        """Let go of what is too old to matter, now and then: a million sources take a while to look through."""
        if not 0 <= now - self._swept_at < SWEEP_SECONDS:
            self._swept_at = now
            self._probes.expire(int(now))
            self._wrong = {key: times for key, times in self._wrong.items() if now - times[-1] <= self._within}
            self._alike = {shape: until for shape, until in self._alike.items() if until > now}
        return ()

    def nearest(self, subject: Subject) -> tuple[int, int]:
        """How many closed ports `subject` has tried, and how many are too many."""
        if subject.kind not in ("address", "network") or subject.network.prefixlen < NEIGHBOURS_V4:
            return 0, self._count
        # As of the last packet of anybody: what is too old goes when the next one comes.
        return self._probes.known(self._key(subject.network.network_address.packed)), self._count

    def counts_by(self, prefix_v6: int) -> None:
        """Count IPv6 by networks of so many bits."""
        self._prefix_v6 = prefix_v6

    def _key(self, source: bytes) -> int:
        """A number for a source; for IPv6 that of its network, with a bit that no address of IPv4 has."""
        number = int.from_bytes(source)
        if len(source) == 4:
            return number
        rest = 128 - self._prefix_v6
        return number >> rest << rest | V6

    def _is_wrong_too_often(self, key: int, now: int) -> bool:
        times = self._wrong.get(key)
        if times is None:
            if len(self._wrong) >= WRONG_MAX:
                del self._wrong[next(iter(self._wrong))]
            self._wrong[key] = [now]
            return self._flags_count <= 1
        times.append(now)
        times[:] = [one for one in times if now - one <= self._within][-self._flags_count :]
        return len(times) >= self._flags_count

    def _leave(self, key: int, shape: int) -> None:
        """Who is found by himself is no part of a crowd, nor does he make one look like something else."""
        self._networks.leave(_network_key(key), key)
        self._strangers.leave(shape, key)

    def _together(self, source: bytes, key: int, record: int, shape: int, at: float) -> Sequence[Incident]:
        now = int(at)
        network = _network_key(key)
        crowd = self._networks.add(network, key, record, now)
        if crowd and crowd.sources >= NEIGHBOURS_MIN and crowd.ports >= self._count and self._is_dense(crowd, now):
            self._networks.forget(network)
            for member in crowd.members():
                self._strangers.leave(shape, member)
            return self._neighbours(source, crowd, at)
        if not shape or how_of(record) not in (SYN, ACK, *WRONG):
            return ()
        if self._alike.get(shape, 0) > now:
            self._alike[shape] = now + ALIKE_SECONDS
            return (self._one_of_many(key, [record], {key: [record]}, at),)
        crowd = self._strangers.add(shape, key, record, now)
        if not crowd or not self._is_one_scan(crowd, shape):
            return ()
        self._strangers.forget(shape)
        return self._found_out(crowd, shape, at)

    def _is_dense(self, crowd: Crowd, now: int) -> bool:
        age = probes.age_of(crowd.probes[0][1], now)
        return crowd.ports >= (self._count if age <= NEAR_SECONDS else 2 * self._count)

    def _is_one_scan(self, crowd: Crowd, shape: int) -> bool:
        factor = 1 if _is_bare(shape) else SYSTEM_FACTOR
        enough = crowd.sources >= STRANGERS_MIN * factor and crowd.ports >= self._count * factor
        return enough and crowd.shared >= SHARED_MIN

    def _found_out(self, crowd: Crowd, shape: int, at: float) -> Sequence[Incident]:
        """Those who did it. Who sent a single packet as any usual system sends it may be innocent."""
        members = crowd.members()
        if _is_bare(shape):
            self._alike[shape] = int(at) + ALIKE_SECONDS
            guilty = members
        else:
            guilty = {key: records for key, records in members.items() if len(records) > 1}
        return [self._one_of_many(key, records, members, at) for key, records in guilty.items()]

    def _one_of_many(self, key: int, records: list[int], members: dict[int, list[int]], at: float) -> Incident:
        others = [(self._address(one), record) for one, found in members.items() if one != key for record in found]
        told = [*others[: EVIDENCE_MAX - len(records)], *(("", record) for record in records)]
        many = f"{len(members)} sources" if len(members) > 1 else "many sources"
        reason = f"one part of a scan by {many}, whose packets are all of one make"
        return self._incident(self._subject_of(key), told, self._count, reason, at)

    def _alone(self, source: bytes, key: int, at: float) -> Incident:
        records = self._probes.of(key, int(at))
        self._probes.forget((key,))
        took = seconds_of(records[-1], at) - seconds_of(records[0], at)
        reason = f"{len(records)} closed ports probed in {span(took)}"
        return self._incident(self._subject(source), [("", one) for one in records], self._count, reason, at)

    def _wrong_flags(self, source: bytes, key: int, at: float) -> Incident:
        records = [one for one in self._probes.of(key, int(at)) if how_of(one) in WRONG]
        del self._wrong[key]
        names = ", ".join(dict.fromkeys(f"TCP {probes.HOW[how_of(one)]}" for one in records))
        reason = f"{self._flags_count} packets that no honest host sends ({names})"
        told = [("", one) for one in records]
        return replace(
            self._incident(self._subject(source), told, self._flags_count, reason, at), count=self._flags_count
        )

    def _neighbours(self, source: bytes, crowd: Crowd, at: float) -> Sequence[Incident]:
        """The network, where many in it shared one scan; or else those who did something, and nobody beside them."""
        reason = f"{crowd.ports} closed ports probed by {crowd.sources} addresses of one network"
        told = [(self._address(key), record) for key, record in crowd.probes]
        if crowd.sources < NETWORK_MIN or crowd.shared < SHARED_MIN:
            keys = crowd.members()
            return [self._incident(self._subject_of(key), told, self._count, reason, at) for key in keys]
        bits = NEIGHBOURS_V4 if len(source) == 4 else min(NEIGHBOURS_V6, self._prefix_v6)
        network = Subject.of(ip_network((ip_address(source), bits), strict=False))
        return (self._incident(network, told, self._count, reason, at),)

    def _incident(
        self, subject: Subject, told: list[tuple[str, int]], threshold: int, reason: str, at: float
    ) -> Incident:
        records = [record for _, record in told]
        times = [seconds_of(record, at) for record in records] or [at]
        evidence = [
            Evidence(SOURCE, f"{record:x}{name}", seconds_of(record, at), text_of(record, name))
            for name, record in told[-EVIDENCE_MAX:]
        ]
        return Incident(
            detector=self._detector,
            service=SERVICE,
            subject=subject,
            first_at=min(times),
            last_at=max(times),
            count=max(len(records), 1),
            threshold=threshold,
            within_seconds=self._within,
            evidence=tuple(evidence),
            reason=reason,
            familiar=self._room.familiar.is_familiar(subject, at),
        )

    def _subject(self, source: bytes) -> Subject:
        return Subject.around(parse_address(str(ip_address(source))), self._prefix_v6)

    def _subject_of(self, key: int) -> Subject:
        if key < V6:
            return Subject("address", str(IPv4Address(key)))
        return Subject.around(IPv6Address(key ^ V6), self._prefix_v6)

    def _address(self, key: int) -> str:
        return self._subject_of(key).value


def _network_key(key: int) -> int:
    return key >> (32 - NEIGHBOURS_V4 if key < V6 else 128 - NEIGHBOURS_V6)


def _is_bare(shape: int) -> bool:
    return shape >> 16 <= BARE_HEADER
