"""What other tables do to packets: their base chains that may refuse, and which of their sets hold an address.

Facts, no verdict: whether a packet really ends there depends on all that their rules ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from durward.model import Subject
from durward.privileged.messages import FAMILY_INET, GENERAL, GET_ELEMENT, SUBSYSTEM, key_text
from durward.privileged.netlink import (
    ERROR,
    NESTED,
    NETFILTER,
    Netlink,
    attribute,
    attributes,
    request,
)
from durward.privileged.rules import RuleFacts, rules_in, text_of
from durward.ruleset.levels import TABLE

GET_CHAIN, GET_SET = SUBSYSTEM | 4, SUBSYSTEM | 10
CHAIN_TABLE, CHAIN_NAME, CHAIN_HOOK, CHAIN_POLICY, CHAIN_TYPE = 1, 3, 4, 5, 7
HOOK_NUMBER, HOOK_PRIORITY = 1, 2
SET_TABLE, SET_NAME, SET_FLAGS, SET_KEY_TYPE, LIST_ELEMENTS = 1, 2, 3, 4, 3
ANONYMOUS = 1
KEY_TYPES = {4: 7, 6: 8}  # nft's numbers of ipv4_addr and ipv6_addr
FAMILIES = {1: "inet", 2: "ip", 5: "netdev", 10: "ip6"}  # bridges and ARP carry nothing of ours
HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress")
DEVICE_HOOKS = ("ingress", "egress")  # of the family netdev
FILTER, DROP = "filter", 0
# Where our last word is said; in the order of a packet's way. We have none at hooks of a card, nor behind routing.
OURS = {"ingress": 0, "prerouting": -290, "input": -10, "forward": -10, "output": -10, "postrouting": 0, "egress": 0}
WAY = tuple(OURS)
CHAINS_MAX = 60  # base chains that are told of
RULES_MAX = 1000  # of one table; one with more counts as one that may refuse: people wait for the answer
SETS_MAX = 200  # sets that are asked for an address
LEGACY = (Path("/proc/self/net/ip_tables_names"), Path("/proc/self/net/ip6_tables_names"))


@dataclass(frozen=True, slots=True)
class ForeignChain:
    """One base chain of somebody else. `first`: asked before ours; `accepts` and `refuses`: some rule that it leads to.

    `held` are the sets of its table that hold the address that was asked for.
    """

    family: str
    table: str
    chain: str
    hook: str
    priority: int
    drops_by_policy: bool
    accepts: bool = False
    refuses: bool = False
    unclear: bool = False
    held: tuple[str, ...] = field(default=())

    @property
    def first(self) -> bool:
        """Whether it is asked before our chain of the same hook."""
        return self.hook == "ingress" or self.priority < OURS[self.hook]


def foreign_chains(subject: Subject | None = None) -> list[ForeignChain]:
    """All filtering base chains of others, in the order of the kernel. Raises KernelError."""
    with Netlink(NETFILTER) as netlink:
        bases = list(_bases(netlink))[:CHAINS_MAX]
        held = _held(netlink, subject) if subject is not None else {}
    rules = {key: _rules(*key) for key in {(family, base.table) for family, base in bases}}
    return [
        _judged(base, rules[family, base.table], held.get((family, base.table), ()))
        for family, base in sorted(bases, key=lambda one: (WAY.index(one[1].hook), one[1].priority))
    ]


def legacy_tables() -> list[str]:
    """Tables of the older iptables, which nft does not show: `ip filter`. Empty where nobody uses them."""
    found = []
    for path, family in zip(LEGACY, ("ip", "ip6"), strict=True):
        try:
            found += [f"{family} {name}" for name in path.read_text("ascii", "replace").split()[:CHAINS_MAX]]
        except OSError:
            continue  # the kernel's module is not loaded, so there are none
    return found


def _bases(netlink: Netlink) -> Iterator[tuple[int, ForeignChain]]:
    for _, body in netlink.dump(GET_CHAIN, GENERAL.pack(0, 0, 0)):
        family, found = body[0], attributes(body[GENERAL.size :])
        table = text_of(found.get(CHAIN_TABLE, b""))
        if family not in FAMILIES or CHAIN_HOOK not in found or (family == FAMILY_INET and table == TABLE):
            continue
        if text_of(found.get(CHAIN_TYPE, b"")) != FILTER:
            continue
        hook = attributes(found[CHAIN_HOOK])
        number = int.from_bytes(hook.get(HOOK_NUMBER, b""))
        names = DEVICE_HOOKS if FAMILIES[family] == "netdev" else HOOKS
        if number < len(names):
            priority = int.from_bytes(hook.get(HOOK_PRIORITY, b""), signed=True)
            drops = CHAIN_POLICY in found and int.from_bytes(found[CHAIN_POLICY]) == DROP
            chain = text_of(found.get(CHAIN_NAME, b""))
            yield family, ForeignChain(FAMILIES[family], table, chain, names[number], priority, drops)


def _rules(family: int, table: str) -> dict[str, list[RuleFacts]] | None:
    """The rules of a table by chain; None where there are too many to be looked at."""
    chains: dict[str, list[RuleFacts]] = {}
    count = 0
    with Netlink(NETFILTER) as netlink:
        for rule in rules_in(netlink, family, table, rules_max=RULES_MAX):
            chains.setdefault(rule.chain, []).append(rule)
            count += 1
    return chains if count < RULES_MAX else None


def _judged(base: ForeignChain, rules: dict[str, list[RuleFacts]] | None, held: tuple[str, ...]) -> ForeignChain:
    accepts = refuses = False
    unclear = rules is None
    waiting, seen = [base.chain], {base.chain}
    while waiting and rules is not None:
        for rule in rules.get(waiting.pop(), ()):
            accepts, refuses, unclear = accepts or rule.accepts, refuses or rule.refuses, unclear or rule.unclear
            if rule.leads_to and rule.leads_to not in seen:
                seen.add(rule.leads_to)
                waiting.append(rule.leads_to)
    place = (base.family, base.table, base.chain, base.hook, base.priority, base.drops_by_policy)
    return ForeignChain(*place, accepts, refuses, unclear, held)


def _held(netlink: Netlink, subject: Subject) -> dict[tuple[int, str], tuple[str, ...]]:
    """The sets of others that hold the (first) address of `subject`, by table."""
    network = subject.network
    kind, key = KEY_TYPES[network.version], network.network_address.packed
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    asked = 0
    for _, body in netlink.dump(GET_SET, GENERAL.pack(0, 0, 0)):
        family, entry = body[0], attributes(body[GENERAL.size :])
        table, name = text_of(entry.get(SET_TABLE, b"")), text_of(entry.get(SET_NAME, b""))
        if family not in FAMILIES or (family == FAMILY_INET and table == TABLE):
            continue
        if int.from_bytes(entry.get(SET_KEY_TYPE, b"")) != kind or asked >= SETS_MAX:
            continue
        asked += 1
        if _holds(netlink, family, table, name, key):
            anonymous = int.from_bytes(entry.get(SET_FLAGS, b"")) & ANONYMOUS
            found[family, table] = (*found.get((family, table), ()), "one of its rules" if anonymous else name)
    return found


def _holds(netlink: Netlink, family: int, table: str, name: str, key: bytes) -> bool:
    entry = key_text(key)
    body = GENERAL.pack(family, 0, 0) + attribute(SET_TABLE, f"{table}\0".encode())
    body += attribute(SET_NAME, f"{name}\0".encode()) + attribute(LIST_ELEMENTS | NESTED, entry)
    sequence = netlink.numbers()
    netlink.send(request(GET_ELEMENT, 0, sequence, body))
    while True:
        for message in netlink.receive():
            if message.sequence == sequence:
                return message.type != ERROR
