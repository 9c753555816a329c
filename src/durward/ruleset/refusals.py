"""Where a packet ends that nothing let in or out: told of, as far as its source's share goes, and dropped or rejected.

Each source has its own share, so one that floods does not drown what others do; what exceeds it is dropped in silence.
Where the meter is full the total limits alone hold, one for each protocol.
"""

from typing import Literal, NamedTuple

from durward.catalog.traffic import PortRange, Rate
from durward.ruleset import port_scans
from durward.ruleset.fragment import Fragment, meter_name
from durward.ruleset.matching import (
    PROTOCOLS,
    VERSIONS,
    Version,
    chain,
    meter,
    of_version,
    rate_text,
    source_of,
    to_ports,
)
from durward.ruleset.policy import Policy

Way = Literal["in", "out"]

REJECT = "reject with icmpx type admin-prohibited"
COPY_BYTES_MAX = 96  # of a packet are told: both headers with options, nothing of what is in it
SHARE = Rate(10, 1, 50)  # of one source, or of one user of ours
TOTAL = Rate(1000, 1, 2000)  # of each protocol
LINES_SHARE = Rate(30, 60, 5)  # of kernel lines, for one source: CSF's limit for all together
LINES_TOTAL = Rate(20, 1, 100)
MEMORY_SECONDS = 60


class Kind(NamedTuple):
    """What is told of as one: the word in our prefix, how to tell it, and CSF's word where it has one."""

    word: str
    match: str
    csf: str


KINDS = (
    Kind("tcp", "meta l4proto tcp ", "TCP"),
    Kind("udp", "meta l4proto udp ", "UDP"),
    Kind("icmp", "meta l4proto { icmp, ipv6-icmp } ", "ICMP"),
    Kind("other", "", ""),
)


def fragment(policy: Policy, generation: str) -> Fragment:
    """The chains `refused_<g>` and `refused_out_<g>`, which every packet ends in that goes there."""
    sets: list[str] = []
    arriving = [*port_scans.broadcast(policy, generation), "meta pkttype != host counter drop"]
    arriving += [*port_scans.closed(policy, generation), *_silence(policy.logging.silent_ports)]
    arriving += _shares(policy, "told", SHARE, sets)
    arriving += [f"{kind.match}goto refused_{kind.word}_{generation}" for kind in KINDS]
    leaving = [*port_scans.leaving(policy), _share_of_users(sets)]
    leaving += [f"{kind.match}goto refused_out_{kind.word}_{generation}" for kind in KINDS]
    chains = [chain(f"refused_{kind.word}_{generation}", _told(policy, kind, "in", sets)) for kind in KINDS]
    chains += [chain(f"refused_out_{kind.word}_{generation}", _told(policy, kind, "out", sets)) for kind in KINDS]
    chains += [chain(f"refused_{generation}", arriving), chain(f"refused_out_{generation}", leaving)]
    return Fragment(sets=tuple(dict.fromkeys(sets)), chains=tuple(chains))


def _silence(ports: tuple[PortRange, ...]) -> list[str]:
    return [f"{to_ports(protocol, ports)} counter drop" for protocol in PROTOCOLS] if ports else []


def _shares(policy: Policy, purpose: str, rate: Rate, sets: list[str]) -> list[str]:
    """Drop without a word what exceeds its source's share."""
    rules = []
    for version in VERSIONS:
        name = meter_name(f"{purpose}{version}", str(rate), policy.block_prefix_v6)
        sets.append(meter(name, f"ipv{version}_addr", MEMORY_SECONDS))
        source = source_of(version, policy.block_prefix_v6)
        rules.append(f"{of_version(version)} update @{name} {{ {source} {rate_text(rate, over=True)} }} counter drop")
    return rules


def _share_of_users(sets: list[str]) -> str:
    name = meter_name("told_user", str(SHARE))
    sets.append(meter(name, "uid", MEMORY_SECONDS))
    return f"update @{name} {{ meta skuid {rate_text(SHARE, over=True)} }} counter {REJECT}"


def _told(policy: Policy, kind: Kind, way: Way, sets: list[str]) -> list[str]:
    prefix = f"dw:{way}:{kind.word}"
    log = f'log prefix "{prefix}" group {policy.logging.group} snaplen {COPY_BYTES_MAX}'
    rules = [f"{rate_text(TOTAL, over=False)} {log}"]
    if policy.logging.kernel_lines and kind.csf:
        rules += _kernel_lines(policy, kind, way, sets)
    return [*rules, "counter drop" if way == "in" else f"counter {REJECT}"]


def _kernel_lines(policy: Policy, kind: Kind, way: Way, sets: list[str]) -> list[str]:
    rules = []
    opening = "tcp flags & (fin | syn | rst | ack) == syn " if way == "out" and kind.word == "tcp" else ""
    for version in VERSIONS:
        middle = "_" if version == 4 else "6"
        line = f'log prefix "Firewall: *{kind.csf}{middle}{way.upper()} Blocked* "'
        share = _share_of_lines(policy, version, sets) if way == "in" else ""
        whose = " flags skuid" if way == "out" else ""
        rules.append(f"{of_version(version)} {opening}{share}{rate_text(LINES_TOTAL, over=False)} {line}{whose}")
    return rules


def _share_of_lines(policy: Policy, version: Version, sets: list[str]) -> str:
    name = meter_name(f"line{version}", str(LINES_SHARE), policy.block_prefix_v6)
    sets.append(meter(name, f"ipv{version}_addr", MEMORY_SECONDS))
    source = source_of(version, policy.block_prefix_v6)
    return f"update @{name} {{ {source} {rate_text(LINES_SHARE, over=False)} }} "
