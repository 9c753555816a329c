"""Port knocking: a port opens for the source that sends to some closed ports in order, each soon after the one before.

How far a source has come is in sets whose elements expire. No packet removes one: the kernel loses the memory of what
is removed so. A wrong knock makes them expire at once, and nothing of that source counts for as long as QUIET.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from durward.catalog.traffic import PortRange
from durward.ruleset import port_scans
from durward.ruleset.fragment import Fragment, meter_name
from durward.ruleset.matching import (
    VERSIONS,
    InvalidPolicyError,
    Protocol,
    Version,
    chain,
    joined,
    of_version,
    to_ports,
    with_comment,
    without,
)
from durward.ruleset.policy import Knock, Policy

KNOCKERS_MAX = 16_384  # sources in each set; while one is full, another's knocks do not count
QUIET = "500ms"  # longer than the kernel's clock takes to let an element expire
AT_ONCE = "1ms"
PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp")


def fragment(policy: Policy, generation: str) -> Fragment:
    """Doors that knocks open. Belongs first into `accepting`; nothing after it may accept the port of a door.

    `published` is the same for what is led to a container.

    Raises InvalidPolicyError for a door that a scan of the ports in order would open.
    """
    doors = [_Door(policy, knock, version, generation) for knock in policy.knocks for version in VERSIONS]
    for door in doors:
        door.check()
    steps = [
        f"{to_ports(protocol, ports)} drop"
        for protocol in PROTOCOLS
        if (ports := _single(step for one in policy.knocks if one.protocol == protocol for step in one.steps))
    ]
    return Fragment(
        sets=tuple(line for door in doors for line in door.sets()),
        chains=tuple(text for door in doors for text in door.chains()),
        accepting=(*(f"{of_version(door.version)} jump {door.chain_name()}" for door in doors), *steps),
        published=tuple(door.published() for door in doors),
    )


class _Door:
    """The text of one door for one address family."""

    def __init__(self, policy: Policy, knock: Knock, version: Version, generation: str) -> None:
        self.knock, self.version, self.generation = knock, version, generation
        self.source = "ip saddr" if version == 4 else "ip6 saddr"
        self.label = f"knock{version}_{knock.protocol}_{knock.port}"
        # One set for each step that was done; whoever is in the last one may enter.
        self.stages = [meter_name(f"{self.label}_{number}", knock) for number, _ in enumerate(knock.steps, 1)]
        self.wrong = meter_name(f"{self.label}_wrong", knock)
        self.told = port_scans.knocked(policy)
        self.open = {protocol: _open_ports(policy, protocol, version) for protocol in PROTOCOLS}

    def check(self) -> None:
        """Raises InvalidPolicyError where a scan hits the steps in order, and no closed port between them."""
        for order, sign in (("ascending", 1), ("descending", -1)):
            if all((after - before) * sign > 0 and self._all_open(before, after) for before, after in self._pairs()):
                door = f"{self.knock.port}/{self.knock.protocol}"
                raise InvalidPolicyError(f"a scan in {order} order would open {door}; mix the order of its steps")

    def sets(self) -> Iterator[str]:
        for name in (*self.stages, self.wrong):
            timeout = QUIET if name == self.wrong else f"{self.knock.within_seconds}s"
            kind = f"type ipv{self.version}_addr; flags dynamic,timeout"
            yield f"set {name} {{ {kind}; timeout {timeout}; size {KNOCKERS_MAX}; }}"

    def chains(self) -> Iterator[str]:
        yield chain(self.chain_name(), self._entry())
        for number in range(1, len(self.stages) + 1):
            rules = self._opened() if number == len(self.stages) else self._on_the_way(number)
            yield chain(self.chain_name(number), rules)
        yield chain(self.chain_name("wrong"), self._wrong())

    def published(self) -> str:
        """A container's door, which the knocks at this host open: that of the port at which it is published."""
        port = to_ports(self.knock.protocol, _single([self.knock.port]), translated=True)
        return with_comment(f"{self.source} @{self.stages[-1]} {port} counter accept", "opened by knocking")

    def chain_name(self, part: object = "") -> str:
        return "_".join(filter(None, (self.label, str(part), self.generation)))

    def _entry(self) -> Iterator[str]:
        """Whoever has come far is still in the sets of the earlier steps, so the last one is asked first."""
        yield f"{self.source} @{self.wrong} return"
        for number in range(len(self.stages), 0, -1):
            yield f"{self.source} @{self.stages[number - 1]} goto {self.chain_name(number)}"
        yield self._step(0)

    def _on_the_way(self, number: int) -> Iterator[str]:
        yield self._step(number)
        yield f"{self._to(self.knock.steps[number - 1])} return"  # sent again, for lack of an answer
        yield f"{self._to(self.knock.port)} return"  # tried too early
        yield f"goto {self.chain_name('wrong')}"

    def _opened(self) -> Iterator[str]:
        yield with_comment(f"{self._to(self.knock.port)} counter accept", "opened by knocking")
        yield f"{self._to(*self.knock.steps)} return"
        yield f"goto {self.chain_name('wrong')}"

    def _wrong(self) -> Iterator[str]:
        """An open port is no wrong knock, or a browser would spoil the knocks of its user."""
        for protocol, ports in self.open.items():
            if ports:
                yield f"{to_ports(protocol, ports)} return"
        yield with_comment(f"update @{self.wrong} {{ {self.source} }} counter", "wrong knock")
        for name in self.stages:
            yield f"{self.source} @{name} update @{name} {{ {self.source} timeout {AT_ONCE} }}"

    def _step(self, done: int) -> str:
        told = self.told if done + 1 == len(self.stages) else ""
        advance = f"add @{self.stages[done]} {{ {self.source} }} counter {told}return"
        return with_comment(f"{self._to(self.knock.steps[done])} {advance}", f"knock {done + 1}")

    def _to(self, *ports: int) -> str:
        return to_ports(self.knock.protocol, _single(ports))

    def _pairs(self) -> Iterable[tuple[int, int]]:
        return pairwise(self.knock.steps)

    def _all_open(self, before: int, after: int) -> bool:
        """Whether no port between the two would be a wrong knock; that of the door is none on the way."""
        first, last = min(before, after) + 1, max(before, after) - 1
        neutral = joined((*self.open[self.knock.protocol], *_single([self.knock.port])))
        return first > last or any(ports.first <= first and last <= ports.last for ports in neutral)


def _open_ports(policy: Policy, protocol: Protocol, version: Version) -> tuple[PortRange, ...]:
    inbound = policy.inbound
    if protocol == "udp":
        ports = inbound.udp4 if version == 4 else inbound.udp6
    else:
        ports = (*(inbound.tcp4 if version == 4 else inbound.tcp6), *_single(policy.ssh_ports))
    return without(joined(ports), (knock.port for knock in policy.knocks if knock.protocol == protocol))


def _single(ports: Iterable[int]) -> tuple[PortRange, ...]:
    return tuple(PortRange(port, port) for port in sorted(set(ports)))
