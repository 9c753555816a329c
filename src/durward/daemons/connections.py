"""Counts the connections that others have to this host, and through it: a pass now and then, between other work."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Any

from durward.config.settings import GuardSettings
from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.process import say
from durward.engine.explain import moment
from durward.model import Address, Event, Finding, Network
from durward.sources.flows import SILENT_SECONDS_MAX, Attached, Flows
from durward.sources.opening import SourceError
from durward.sources.sockets import PROVEN, Connection, Counts, Sockets, Wanted

NAME = "connections"  # of the detector, and of the source of its evidence
KIND = "connections.open"
STEP_SECONDS = 0.005  # of a pass at a time; then everything else has its turn
ACCUSED_MAX = 200  # addresses and networks of one pass, those with the most connections; the rest is seen in the next
PAYING_MAX = 100_000  # addresses that were accused lately and are remembered; further ones are not
EXAMPLES_MAX = 10  # connections of each that are listed as evidence
NETWORK_BYTES = {4: 3, 16: 6}  # a network is an IPv4 /24 or an IPv6 /48


@dataclass(frozen=True, slots=True)
class Crowd:
    """One address or network with too many connections; `hosts` are the addresses that they are of."""

    network: Network
    number: int
    hosts: tuple[bytes, ...]
    shared: bool = False  # by addresses of which none is too many by itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too many, of one address (IPv6: of a network of `prefix_v6` bits) and of one network; 0: not counted."""

    count: int
    network_count: int
    prefix_v6: int = 64


class Connections:
    """Takes a pass apart into steps. Without a limit in the settings it does nothing at all."""

    def __init__(self, values: Mapping[str, Any], guards: GuardSettings, prefix_v6: int, door: Door) -> None:
        """`values` are the detector's settings."""
        self.problem = ""
        self.seen = 0  # connections in the last whole pass
        self._door = door
        self._every_seconds = float(values["every"])
        self._wanted = wanted_of(values)
        self._on = values["mode"] != "off" and values["count"] > 0
        # A network that the enforcer would not block is not even counted.
        shares = guards.automatic_prefix_v4 <= 24 and guards.automatic_prefix_v6 <= 48
        self._limits = Limits(values["count"], values["network_count"] if shares else 0, prefix_v6)
        self._mistaken = bool(values["network_count"]) and not shares
        self._sockets: Sockets | None = None
        self._flows: Flows | None = None
        self._pass: Iterator[list[Event]] | None = None
        self._began_at = self._ended_at = 0.0
        self._paying: dict[bytes, float] = {}

    def close(self) -> None:
        """Give the descriptors back; the next pass asks for others."""
        self._pass = None
        for opened in (self._sockets, self._flows):
            if opened is not None:
                opened.close()
        self._sockets = self._flows = None

    @property
    def busy(self) -> bool:
        """Whether a pass is going on."""
        return self._pass is not None

    def tick(self, now: float, exempt: Callable[[str], str | None]) -> None:
        """Begin a pass when it is time. `exempt` says whose connections do not count."""
        if self._on and not self.busy and not 0 <= now - self._began_at < self._every_seconds:
            self._began_at = now
            self._pass = self._passing(now, exempt)

    def go_on(self) -> list[Event]:
        """Go on with the pass for a moment; at its end, give what was found: an event of each who is too many."""
        if self._pass is None:
            return []
        until = time.monotonic() + STEP_SECONDS
        try:
            for events in self._pass:
                if events:
                    return self._ended(events)
                if time.monotonic() > until:
                    return []
        except (SourceError, ChannelError, ValueError) as error:
            self._fail(str(error))
            return []
        return self._ended([])

    def next_seconds(self, now: float) -> float:
        """How long it is until there is something to do."""
        if not self._on:
            return self._every_seconds
        return 0.0 if self.busy else max(0.0, self._every_seconds - (now - self._began_at))

    def status(self) -> dict[str, Any] | None:
        """What `durward status` says; None where nobody is counted."""
        if not self._on:
            return None
        state: dict[str, Any] = {"counted": self.seen, "last_at": moment(self._ended_at or None)}
        return state | ({"problem": self.problem} if self.problem else {})

    def findings(self) -> list[Finding]:
        """What `durward doctor` says."""
        if not self._on:
            return []
        found = []
        if self._mistaken:
            advice = "network_count means nothing while [guards] forbids automatic blocks of a /24 or an IPv6 /48"
            found.append(Finding(NAME, "networks", "fail", advice))
        if self.problem:
            return [*found, Finding(NAME, "all", "fail", f"are not counted: {self.problem}")]
        return [*found, Finding(NAME, "all", "pass", f"{self.seen} were counted at {moment(self._ended_at)}")]

    def _ended(self, events: list[Event]) -> list[Event]:
        self._pass = None
        self._ended_at = time.time()
        if events:
            self.close()  # what was not read of a long list need not be: the kernel forgets it
        return events

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            say(f"connections are not counted: {problem}")
        self.close()
        self.problem = problem

    def _passing(self, now: float, exempt: Callable[[str], str | None]) -> Iterator[list[Event]]:
        """One pass. Raises SourceError, ChannelError, ValueError."""
        sockets, flows = self._opened()
        counts = Counts()
        for _ in sockets.count(self._wanted, counts):
            yield []
        attached, sequence = self._look(flows)
        if sequence:
            for _ in flows.count(sequence, attached, self._wanted, counts):
                yield []
        self.seen = counts.hosts.total()
        self.problem = f"{counts.left_out} are left out" if counts.left_out else ""
        crowds = crowds_of(counts.hosts, self._limits, attached.own, exempt, self._paying_at(now))
        accused = (host for crowd in crowds if not crowd.shared for host in crowd.hosts)
        self._paying |= dict.fromkeys(islice(accused, max(0, PAYING_MAX - len(self._paying))), now)
        if crowds:
            examples = Examples(crowds)
            yield from self._looking_closer(sockets, flows, examples)
            yield [event_of(crowd, examples.of(crowd), now) for crowd in crowds]

    def _paying_at(self, now: float) -> Collection[bytes]:
        """Who was accused so lately that what is left of his connections is still listed."""
        self._paying = {host: at for host, at in self._paying.items() if 0 <= now - at < SILENT_SECONDS_MAX}
        return self._paying

    def _looking_closer(self, sockets: Sockets, flows: Flows, examples: "Examples") -> Iterator[list[Event]]:
        for one in sockets.of(examples.networks, self._wanted):
            if one is not None:
                examples.keep(one)
            elif examples.enough:
                return
            else:
                yield []
        attached, sequence = self._look(flows)
        for flow in flows.of(sequence, attached, self._wanted, examples.hosts) if sequence else ():
            if flow is not None:
                examples.keep(flow)
            elif examples.enough:
                return
            else:
                yield []

    def _opened(self) -> tuple[Sockets, Flows]:
        if self._sockets is None or self._flows is None:
            _answer, (sockets, flows, *_rest) = self._door.channel.ask_descriptors("open connections")
            self._sockets, self._flows = Sockets(sockets), Flows(flows)
        return self._sockets, self._flows

    def _look(self, flows: Flows) -> tuple[Attached, int]:
        """What belongs to this host, and the number under which its flows arrive; 0 where it forwards nothing."""
        flows.forget()
        answer = self._door.channel.ask("look connections")
        return Attached.of(answer["addresses"], int(answer["remembered_seconds"])), int(answer["sequence"])


def wanted_of(values: Mapping[str, Any]) -> Wanted:
    """Which connections count by the settings."""
    states = frozenset(values["states"]) or PROVEN
    return Wanted(states - {"TIME_WAIT"} if values["skip_time_wait"] else states, values["ports"])


def crowds_of(
    hosts: "Counter[bytes]",
    limits: Limits,
    own: Collection[bytes],
    exempt: Callable[[str], str | None],
    paying: Collection[bytes] = (),
) -> list[Crowd]:
    """Who has too many connections, the worst first; at most ACCUSED_MAX. Whom a list exempts does not count.

    Nor do those who are `paying` for theirs already make their networks pay.
    """
    alone: dict[Network, list[bytes]] = {}
    totals: Counter[Network] = Counter()
    sixes: dict[int, list[bytes]] = {}
    for host in [host for host, number in hosts.items() if number > limits.count and len(host) == 4]:
        if _counts(host, own, exempt):
            alone[ip_network(host)] = [host]
            totals[ip_network(host)] = hosts[host]
    for host in [host for host in hosts if len(host) == 16]:
        sixes.setdefault(int.from_bytes(host) >> (128 - limits.prefix_v6), []).append(host)
    for bits, members in sixes.items():
        number = sum(hosts[host] for host in members)
        if number > limits.count:
            counted = [host for host in members if _counts(host, own, exempt)]
            network = ip_network((bits << (128 - limits.prefix_v6), limits.prefix_v6))
            totals[network], alone[network] = sum(hosts[host] for host in counted), counted
    crowds = [
        Crowd(network, number, tuple(sorted(alone[network], key=lambda host: -hosts[host])))
        for network, number in totals.items()
        if number > limits.count
    ]
    if limits.network_count:
        apart = {*paying, *(host for crowd in crowds for host in crowd.hosts)}
        crowds += _shared(hosts, limits, apart, own, exempt)
    return sorted(crowds, key=lambda crowd: -crowd.number)[:ACCUSED_MAX]


class Examples:
    """Some connections of each crowd."""

    def __init__(self, crowds: Sequence[Crowd]) -> None:
        self.networks = [crowd.network for crowd in crowds]
        self._lists: list[list[Connection]] = [[] for _ in crowds]
        self.hosts = {host: kept for crowd, kept in zip(crowds, self._lists, strict=True) for host in crowd.hosts}

    @property
    def enough(self) -> bool:
        """Whether there are as many as are shown, of each."""
        return all(len(kept) >= EXAMPLES_MAX for kept in self._lists)

    def keep(self, one: Connection) -> None:
        """Keep a connection if it is of one of them, and there are not enough of those."""
        kept = self.hosts.get(one.peer.packed)
        if kept is not None and len(kept) < EXAMPLES_MAX:
            kept.append(one)

    def of(self, crowd: Crowd) -> Sequence[Connection]:
        """Those of a crowd."""
        return self.hosts[crowd.hosts[0]]


def event_of(crowd: Crowd, examples: Sequence[Connection], now: float) -> Event:
    """What a pass found of somebody, as the engine hears it."""
    lines = [str(one) for one in examples]
    if crowd.number > len(lines):
        lines.append(f"and {crowd.number - len(lines)} more")
    return Event(
        *(KIND, now, now, "tcp", NAME, f"{now:.0f}", "\n".join(lines).encode()),
        source_ip=str(crowd.network.network_address if crowd.shared else ip_address(crowd.hosts[0])),
        hits=crowd.number,
        about=str(crowd.network) if crowd.shared else None,
    )


def _shared(
    hosts: "Counter[bytes]",
    limits: Limits,
    apart: Collection[bytes],
    own: Collection[bytes],
    exempt: Callable[[str], str | None],
) -> Iterator[Crowd]:
    """The networks whose addresses are too many together."""
    totals: Counter[bytes] = Counter()
    for host, number in hosts.items():
        totals[host[: NETWORK_BYTES[len(host)]]] += number
    crowded = {prefix: list[bytes]() for prefix, number in totals.items() if number > limits.network_count}
    for host in hosts if crowded else ():
        members = crowded.get(host[: NETWORK_BYTES[len(host)]])
        if members is not None and host not in apart and _counts(host, own, exempt):
            members.append(host)
    for prefix, members in crowded.items():
        number = sum(hosts[host] for host in members)
        if number > limits.network_count:
            size = 4 if len(prefix) == NETWORK_BYTES[4] else 16
            network = ip_network((prefix + bytes(size - len(prefix)), len(prefix) * 8))
            yield Crowd(network, number, tuple(sorted(members, key=lambda host: -hosts[host])), shared=True)


def _counts(host: bytes, own: Collection[bytes], exempt: Callable[[str], str | None]) -> bool:
    """Whether an address is another's, and no list exempts it."""
    address: Address = ip_address(host)
    return host not in own and not (address.is_loopback or address.is_unspecified) and exempt(str(address)) is None
