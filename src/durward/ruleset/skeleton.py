"""The text of the table `inet durward` without its elements: the sets, and the few rules that look them up."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from durward.catalog.traffic import Rate
from durward.ruleset.levels import (
    BLOCK_PREFIX_V6,
    NEAR_LEVELS,
    TABLE,
    Near,
    Purpose,
    SetShape,
    levels_of,
    set_name,
    shapes,
)
from durward.ruleset.matching import rate_text

MARKER_PREFIX = "skeleton_"  # an empty chain of this name carries the digest of the text that it was loaded with
MARKER_PATTERN = re.compile(rf"^\tchain ({MARKER_PREFIX}[0-9a-f]{{16}}) ", re.MULTILINE)
CHAIN_PATTERN = re.compile(r"^\tchain (\w+) \{\n(.*?)^\t\}", re.MULTILINE | re.DOTALL)
RULE_PATTERN = re.compile(r"^\t\t(?!type )", re.MULTILINE)
SET_PATTERN = re.compile(r"^\tset ((?!live)\w+) \{", re.MULTILINE)
LEAD, ENDINGS = "firewall_", ("_a", "_b")  # the firewall's own chains: those that lead into it, and its generations
PARDON, PARDON_OUT = f"{LEAD}pardon", f"{LEAD}pardon_out"  # what the firewall's allow filters say of the blocked
SOURCE, DESTINATION = "saddr", "daddr"
# Connections of the blocked to ports that they were allowed: they live on when the allowance has ended. Each packet
# puts the end off; a silent one is kept alive by the kernel's own keepalives, every two hours. When the set is full,
# further connections end with the allowance.
LIVE, LIVE_SECONDS, LIVE_MAX = "live", 3 * 3600, 8192
NOT_FIRST = "tcp flags & (syn | ack) != syn"
# Who is throttled may begin so much anew; each packet beyond it is dropped. What goes on is not counted: TCP shows it,
# and of UDP we remember who sent to which port. When that set is full, each packet of a further one is something new.
THROTTLE_RATE = Rate(6, 60, 6)
FLOWS, FLOW_SECONDS, FLOWS_MAX = f"{LIVE}_udp", 180, 8192
MEMORIES = ((LIVE, LIVE_MAX), (FLOWS, FLOWS_MAX))
ECHO = {4: "icmp type != echo-request", 6: "icmpv6 type != echo-request"}  # everything else that they say is needed


def skeleton(block_prefix_v6: int = BLOCK_PREFIX_V6, throttle_rate: Rate = THROTTLE_RATE) -> str:
    """Write the table as nftables text. `throttle_rate` is what each of the throttled may begin anew.

    A packet of nobody in particular pays two look-ups when it comes and one when it goes; the others are for those that
    are near a blocked network or port. Who is allowed is asked only after a hit, and only near somebody allowed.
    """
    sets = [_set_text(shape, block_prefix_v6, throttle_rate) for shape in shapes(block_prefix_v6)]
    sets += [_memory(version, name, size) for name, size in MEMORIES for version in (4, 6)]
    pardons = [f"\tchain {name} {{ }}" for name in (PARDON, PARDON_OUT)]
    body = "\n".join([*sets, *pardons, *_chains(block_prefix_v6)])
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return f"table inet {TABLE} {{\n\tchain {MARKER_PREFIX}{digest} {{ }}\n{body}\n}}\n"


def replacement(text: str) -> str:
    """Commands that put `text` in the place of whatever table there is, in one transaction."""
    return f"table inet {TABLE}\ndelete table inet {TABLE}\n{text}"


def mending(text: str, chains: Iterable[str], firewall: str) -> str:
    """Commands that put every rule of skeleton `text` there again, in one transaction; its sets stay as they are.

    `chains` are those that the kernel has, `firewall` the commands for the firewall's. What is neither's goes.
    """
    own = {marker_of(text): "", **{name: rules.partition("\n")[0] for name, rules in CHAIN_PATTERN.findall(text)}}
    foreign = sorted(one for one in chains if one not in own and not one.startswith(LEAD) and one[-2:] not in ENDINGS)
    hooks = [f"\tchain {name} {{\n{hook if 'type filter' in hook else ''}\n\t}}" for name, hook in own.items()]
    lines = [f"table inet {TABLE} {{", *hooks, "}"]
    lines += [f"flush chain inet {TABLE} {name}" for name in (*own, *foreign)]
    removal = [f"delete chain inet {TABLE} {name}" for name in foreign]
    return "\n".join([*lines, (text + firewall).rstrip(), *removal]) + "\n"


def set_names(text: str) -> frozenset[str]:
    """The names of the sets of a skeleton that we fill; packets fill the others."""
    return frozenset(SET_PATTERN.findall(text))


def marker_of(text: str) -> str:
    """The name of the chain that says which skeleton is loaded. Raises ValueError for a text of somebody else."""
    found = MARKER_PATTERN.search(text)
    if found is None:
        raise ValueError("this text is no skeleton; it has no marker chain")
    return found[1]


def rule_counts(text: str) -> dict[str, int]:
    """How many rules each chain of the skeleton has: a table with other numbers was changed by hand."""
    return {name: len(RULE_PATTERN.findall(rules)) for name, rules in CHAIN_PATTERN.findall(text)}


def _set_text(shape: SetShape, prefix_v6: int, throttle_rate: Rate) -> str:
    kind = "ipv4_addr" if shape.version == 4 else "ipv6_addr"
    if shape.has_ports:
        kind += " . inet_proto . inet_service"
    counter = " counter;" if shape.has_counter else ""
    if shape.is_limited:
        counter = f" {rate_text(throttle_rate, over=True)} counter;"  # in this order: counted is what is beyond it
    # Into these the reflex of port scans puts whom it bans. nft wants that said, or it says it itself at times.
    flags = "dynamic,timeout" if shape.purpose == "block" and shape.level in (32, prefix_v6) else "timeout"
    return f"\tset {shape.name} {{ type {kind}; flags {flags};{counter} size {shape.size}; }}"


def _chains(block_prefix_v6: int) -> Iterator[str]:
    for version in (4, 6):
        levels = levels_of(version, block_prefix_v6)
        live = f"{_connection(version)} @{LIVE}{version}"
        yield _chain(f"admit{version}", [f"{NOT_FIRST} {_remembering(version)}", "accept"])
        yield _chain(f"passes{version}", _passes(version, levels))
        passes = f"{_lookup(version, NEAR_LEVELS[version], SOURCE, 'allow_near')} jump passes{version}"
        yield _chain(
            f"refuse{version}",
            [passes, f"{NOT_FIRST} {live} goto admit{version}", f"jump {PARDON}", "counter drop"],
        )
        yield _chain(f"refuse_out{version}", [*_passes_out(version, levels), f"jump {PARDON_OUT}", "counter drop"])
        hits = _hits(version, levels, SOURCE, "block", f"goto refuse{version}")
        usual = 0 if version == 4 else levels.index(block_prefix_v6)  # single addresses, or what stands for a customer
        near = f"{_lookup(version, NEAR_LEVELS[version], SOURCE, 'block_near')} goto near{version}"
        yield from _throttling(version, levels)
        throttles = f"{_lookup(version, NEAR_LEVELS[version], SOURCE, 'throttle_near')} goto throttle{version}"
        yield _chain(f"near{version}", [*hits[:usual], *hits[usual + 1 :], throttles])
        yield _chain(f"arriving{version}", [hits[usual], near])
        hits = _hits(version, levels, DESTINATION, "out", f"goto refuse_out{version}")
        near = f"{_lookup(version, NEAR_LEVELS[version], DESTINATION, 'out_near')} goto near_out{version}"
        yield _chain(f"near_out{version}", hits)
        yield _chain(f"leaving{version}", [near])
    # Two comparisons cost each packet less than one look-up in a map.
    arriving, leaving = ([f"meta nfproto ipv{n} goto {name}{n}" for n in (4, 6)] for name in ("arriving", "leaving"))
    yield _chain("prerouting", [_hook("prerouting"), 'iif "lo" accept', *arriving])
    yield _chain("output", [_hook("output"), 'oif "lo" accept', *leaving])
    yield _chain("forward", [_hook("forward"), *leaving])


def _hook(name: str) -> str:
    # Priority raw is before connection tracking, so a flood of the blocked costs a look-up and no memory.
    return f"type filter hook {name} priority -300; policy accept;"


def _chain(name: str, rules: list[str]) -> str:
    return f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}"


def _throttling(version: int, levels: tuple[int, ...]) -> Iterator[str]:
    """The chains for those near somebody throttled, after everything that blocks: what goes on is let go at once."""
    flow = _connection(version, "udp")
    remember = f"update @{FLOWS}{version} {{ {flow} timeout {FLOW_SECONDS}s }}"
    passes = f"{_lookup(version, NEAR_LEVELS[version], SOURCE, 'allow_near')} jump passes{version}"
    yield _chain(f"beyond{version}", [passes, f"jump {PARDON}", "counter drop"])
    yield _chain(f"goes_on{version}", [remember, "accept"])
    beyond = [f"{_lookup(version, level, SOURCE, 'throttle')} goto beyond{version}" for level in levels]
    known = f"{flow} @{FLOWS}{version} goto goes_on{version}"
    yield _chain(f"throttle{version}", [f"{NOT_FIRST} accept", f"{ECHO[version]} accept", known, *beyond, remember])


def _memory(version: int, name: str, size: int) -> str:
    kind = f"ipv{version}_addr . inet_service . inet_service"
    return f"\tset {name}{version} {{ type {kind}; flags dynamic,timeout; size {size}; }}"


def _connection(version: int, protocol: str = "tcp") -> str:
    return f"{'ip' if version == 4 else 'ip6'} saddr . {protocol} sport . {protocol} dport"


def _remembering(version: int) -> str:
    return f"update @{LIVE}{version} {{ {_connection(version)} timeout {LIVE_SECONDS}s }}"


def _passes(version: int, levels: tuple[int, ...]) -> list[str]:
    everywhere = [f"{_lookup(version, level, SOURCE, 'allow')} accept" for level in levels]
    return everywhere + [f"{_lookup(version, level, SOURCE, 'allow_ports')} goto admit{version}" for level in levels]


def _passes_out(version: int, levels: tuple[int, ...]) -> list[str]:
    # Whoever is allowed in must get answers too, so being allowed counts in both directions.
    allowed = [_lookup(version, level, DESTINATION, "allow") + " accept" for level in levels]
    return [*allowed, *_hits(version, levels, DESTINATION, "allow_out", "accept")]


def _hits(version: int, levels: tuple[int, ...], end: str, purpose: Purpose, verdict: str) -> list[str]:
    with_ports: dict[Purpose, Purpose] = {
        "block": "block_ports",
        "out": "out_ports",
        "allow": "allow_ports",
        "allow_out": "allow_out_ports",
    }
    plain = [f"{_lookup(version, level, end, purpose)} {verdict}" for level in levels]
    return plain + [f"{_lookup(version, level, end, with_ports[purpose])} {verdict}" for level in levels]


def _lookup(version: int, level: int, end: str, purpose: Purpose | Near) -> str:
    key = f"{'ip' if version == 4 else 'ip6'} {end}"
    if level < (32 if version == 4 else 128):
        key += f" & {_mask(version, level)}"
    if purpose.endswith("_ports"):
        key += " . meta l4proto . th dport"
    return f"{key} @{set_name(purpose, version, level)}"


def _mask(version: int, level: int) -> str:
    return str((IPv4Network if version == 4 else IPv6Network)((0, level)).netmask)
