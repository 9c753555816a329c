"""Port knocking: a port opens for the source that sends to some closed ports in order, each soon after the one before.

How far a source has come is in sets whose elements expire. Elements are never removed by packets: the kernel's way to
do that loses memory. A wrong knock lets them expire at once instead, and for QUIET nothing of that source counts.
"""

from collections.abc import Iterator
from itertools import pairwise

from durward.catalog.traffic import PortRange
from durward.ruleset.fragment import Fragment, meter_name
from durward.ruleset.policy import Knock, Policy
from durward.ruleset.writing import chain, group, ports_text

KNOCKERS_MAX = 16_384  # sources in each set; while it is full, the next one's knocks do not count
QUIET = "500ms"  # longer than the kernel's clock needs to see that an element has expired
AT_ONCE = "1ms"
DEFAULT_PROTOCOLS = ("tcp", "udp")


def fragment(policy: Policy, generation: str) -> Fragment:
    """Doors that knocks open. Needs to stand first in `accepting`, and no rule after it may accept a door's port.

    Raises ValueError for a door that a scan of ports in order would open.
    """
    sets: list[str] = []
    chains: list[str] = []
    leads: list[str] = []
    for knock in policy.knocks:
        if scanned := _opened_by_a_scan(policy, knock):
            raise ValueError(f"a scan of ports in {scanned} order would open {knock.port}/{knock.protocol}")
        for version in (4, 6):
            door = _Door(policy, knock, version, generation)
            sets += door.sets()
            chains += door.chains()
            leads.append(f"meta nfproto ipv{version} jump {door.name}")
    steps = [f"{protocol} dport {ports_text(ranges)} drop" for protocol, ranges in _all_steps(policy.knocks)]
    return Fragment(sets=tuple(sets), chains=tuple(chains), accepting=(*leads, *steps))


def doors(policy: Policy) -> frozenset[tuple[str, int]]:
    """The ports (protocol, number) that open by knocking only, so that no other rule may accept them."""
    return frozenset((knock.protocol, knock.port) for knock in policy.knocks)


def _all_steps(knocks: tuple[Knock, ...]) -> Iterator[tuple[str, list[PortRange]]]:
    for protocol in DEFAULT_PROTOCOLS:
        steps = {step for knock in knocks if knock.protocol == protocol for step in knock.steps}
        if steps:
            yield protocol, [PortRange(step, step) for step in steps]


def _open_ports(policy: Policy, protocol: str, version: int) -> list[PortRange]:
    inbound = policy.inbound
    lists = {
        ("tcp", 4): inbound.tcp4,
        ("tcp", 6): inbound.tcp6,
        ("udp", 4): inbound.udp4,
        ("udp", 6): inbound.udp6,
    }
    ssh = [PortRange(port, port) for port in policy.ssh_ports] if protocol == "tcp" else []
    return [*lists[protocol, version], *ssh]


def _opened_by_a_scan(policy: Policy, knock: Knock) -> str:
    """In which order a scan would hit all steps with no closed port between them, which would be a wrong knock."""
    for version in (4, 6):
        neutral = _open_ports(policy, knock.protocol, version)
        neutral += [PortRange(port, port) for protocol, port in doors(policy) if protocol == knock.protocol]
        for order, sign in (("ascending", 1), ("descending", -1)):
            if all(
                (after - before) * sign > 0 and _all_neutral(neutral, min(before, after) + 1, max(before, after) - 1)
                for before, after in pairwise(knock.steps)
            ):
                return order
    return ""


def _all_neutral(neutral: list[PortRange], first: int, last: int) -> bool:
    for ports in sorted(neutral):
        if ports.first <= first <= ports.last:
            first = ports.last + 1
    return first > last


class _Door:
    """The text of one door for one address family."""

    def __init__(self, policy: Policy, knock: Knock, version: int, generation: str) -> None:
        self.policy, self.knock, self.version, self.generation = policy, knock, version, generation
        self.source = "ip saddr" if version == 4 else "ip6 saddr"
        self.label = f"knock{version}_{knock.protocol}_{knock.port}"
        self.name = f"{self.label}_{generation}"
        self.stages = [self._set(number) for number in range(1, len(knock.steps) + 1)]  # the last one is: open
        self.wrong = self._set("wrong")

    def _set(self, stage: object) -> str:
        return meter_name(f"{self.label}_{stage}", self.knock)

    def sets(self) -> Iterator[str]:
        kind = f"ipv{self.version}_addr"
        for name in self.stages:
            timeout = f"{self.knock.within_seconds}s"
            yield f"\tset {name} {{ type {kind}; flags dynamic,timeout; timeout {timeout}; size {KNOCKERS_MAX}; }}"
        yield f"\tset {self.wrong} {{ type {kind}; flags dynamic,timeout; timeout {QUIET}; size {KNOCKERS_MAX}; }}"

    def chains(self) -> Iterator[str]:
        yield chain(self.name, self._entry())
        for number, step in enumerate(self.knock.steps, 1):
            yield chain(f"{self.label}_{number}_{self.generation}", self._stage(number, step))
        yield chain(f"{self.label}_wrong_{self.generation}", self._wrong())

    def _entry(self) -> Iterator[str]:
        """Whoever has come far is asked first, because he is in the sets of the earlier steps too."""
        yield f"{self.source} @{self.wrong} return"
        for number, name in reversed(list(enumerate(self.stages, 1))):
            yield f"{self.source} @{name} goto {self.label}_{number}_{self.generation}"
        yield f"{self._at(self.knock.steps[0])} {self._advance(0)}"

    def _stage(self, number: int, step: int) -> Iterator[str]:
        door = f"{self._at(self.knock.port)}"
        if number == len(self.stages):
            yield f'{door} counter accept comment "knock opened"'
            every = group(sorted(set(self.knock.steps)))
            yield f"{self.knock.protocol} dport {every} return"
        else:
            yield f"{self._at(self.knock.steps[number])} {self._advance(number)}"
            yield f"{self._at(step)} return"  # sent again, because nobody answered
            yield f"{door} return"  # tried before its time
        yield f"goto {self.label}_wrong_{self.generation}"

    def _wrong(self) -> Iterator[str]:
        """A closed port is a wrong knock; an open one is none, or a browser would spoil its user's knocks."""
        for protocol in DEFAULT_PROTOCOLS:
            closed = doors(self.policy)
            ports = [PortRange(number, number) for number in range(1) if (protocol, number) not in closed and number]
            ports += _open_ports(self.policy, protocol, self.version)
            if ports:
                yield f"{protocol} dport {ports_text(ports)} return"
        yield f'update @{self.wrong} {{ {self.source} }} counter comment "knock wrong"'
        for name in self.stages:
            yield f"{self.source} @{name} update @{name} {{ {self.source} timeout {AT_ONCE} }}"

    def _at(self, port: int) -> str:
        return f"{self.knock.protocol} dport {port}"

    def _advance(self, number: int) -> str:
        return f'add @{self.stages[number]} {{ {self.source} }} counter return comment "knock {number + 1}"'
