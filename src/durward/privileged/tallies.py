"""What the rules of our table have counted, and what their meters know of one address. Sets are never listed."""

from durward.model import Subject
from durward.privileged.messages import FAMILY_INET, Reading
from durward.privileged.names import present
from durward.privileged.netlink import NETFILTER, Netlink
from durward.privileged.rules import RuleFacts, rules_in
from durward.privileged.sets import Sets
from durward.ruleset.elements import ElementKey
from durward.ruleset.levels import TABLE
from durward.ruleset.tallies import Tally, Verdict, is_counted

RULES_MAX = 1000  # of one chain; the rest is not counted
METER = "meter_"


def tallies() -> list[Tally]:
    """What each rule that counts has counted since it was loaded. Raises KernelError."""
    found: list[Tally] = []
    for chain in sorted(filter(is_counted, present().chains)):
        with Netlink(NETFILTER) as netlink:
            found += [_tally(one) for one in rules_in(netlink, FAMILY_INET, TABLE, chain, RULES_MAX) if one.counts]
    return found


def meters(sets: Sets, names: list[str], subject: Subject, prefix_v6: int) -> list[Reading | bool]:
    """What each of these meters has for `subject`: a reading, or whether there is such a meter at all.

    IPv6 is counted by its networks of `prefix_v6`. Raises KernelError.
    """
    network = subject.network
    if network.version == 6 and network.prefixlen > prefix_v6:
        network = network.supernet(new_prefix=prefix_v6)
    here = [name for name in names if name.startswith(METER)]
    standing = present().sets.intersection(here)
    asked = [name for name in here if name in standing]
    key = network.network_address.packed
    readings = dict(zip(asked, sets.read(ElementKey(name, key) for name in asked), strict=True))
    return [readings.get(name) or name in standing for name in names]


def _tally(rule: RuleFacts) -> Tally:
    verdict: Verdict = "drop" if rule.refuses else "accept" if rule.accepts else ""
    return Tally(rule.chain, rule.comment, verdict, rule.packets, rule.bytes)
