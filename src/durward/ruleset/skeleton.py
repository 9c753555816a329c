"""The text of the table `inet durward` without its elements: the sets, and the few rules that look them up."""

import hashlib
import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from durward.ruleset.levels import BLOCK_PREFIX_V6, TABLE, Purpose, SetShape, levels_of, set_name, shapes

MARKER_PREFIX = "skeleton_"  # an empty chain of this name carries the digest of the text that it was loaded with
MARKER_PATTERN = re.compile(rf"^\tchain ({MARKER_PREFIX}[0-9a-f]{{16}}) ", re.MULTILINE)
CHAIN_PATTERN = re.compile(r"^\tchain (\w+) \{\n(.*?)^\t\}", re.MULTILINE | re.DOTALL)
RULE_PATTERN = re.compile(r"^\t\t(?!type )", re.MULTILINE)
SOURCE, DESTINATION = "saddr", "daddr"


def skeleton(block_prefix_v6: int = BLOCK_PREFIX_V6) -> str:
    """Write the table as nftables text.

    A packet of nobody in particular pays one look-up for each block level; who is allowed is asked only after a hit.
    """
    body = "\n".join([*map(_set_text, shapes(block_prefix_v6)), *_chains(block_prefix_v6)])
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return f"table inet {TABLE} {{\n\tchain {MARKER_PREFIX}{digest} {{ }}\n{body}\n}}\n"


def replacement(text: str) -> str:
    """Commands that put `text` in the place of whatever table there is, in one transaction."""
    return f"table inet {TABLE}\ndelete table inet {TABLE}\n{text}"


def marker_of(text: str) -> str:
    """The name of the chain that says which skeleton is loaded. Raises ValueError for a text of somebody else."""
    found = MARKER_PATTERN.search(text)
    if found is None:
        raise ValueError("this text is no skeleton; it has no marker chain")
    return found[1]


def rule_counts(text: str) -> dict[str, int]:
    """How many rules each chain of the skeleton has: a table with other numbers was changed by hand."""
    return {name: len(RULE_PATTERN.findall(rules)) for name, rules in CHAIN_PATTERN.findall(text)}


def _set_text(shape: SetShape) -> str:
    kind = "ipv4_addr" if shape.version == 4 else "ipv6_addr"
    if shape.has_ports:
        kind += " . inet_proto . inet_service"
    return f"\tset {shape.name} {{ type {kind}; flags timeout; counter; size {shape.size}; }}"


def _chains(block_prefix_v6: int) -> Iterator[str]:
    for version in (4, 6):
        levels = levels_of(version, block_prefix_v6)
        yield _chain(f"refuse{version}", [*_passes(version, levels), "counter drop"])
        yield _chain(f"refuse_out{version}", [*_passes_out(version, levels), "counter drop"])
        yield _chain(f"arriving{version}", _hits(version, levels, SOURCE, "block", f"goto refuse{version}"))
        yield _chain(f"leaving{version}", _hits(version, levels, DESTINATION, "out", f"goto refuse_out{version}"))
    by_family = "meta nfproto vmap {{ ipv4 : jump {0}4, ipv6 : jump {0}6 }}"
    arriving, leaving = by_family.format("arriving"), by_family.format("leaving")
    yield _chain("prerouting", [_hook("prerouting"), 'iif "lo" accept', arriving])
    yield _chain("output", [_hook("output"), 'oif "lo" accept', leaving])
    yield _chain("forward", [_hook("forward"), leaving])


def _hook(name: str) -> str:
    # Priority raw is before connection tracking, so a flood of the blocked costs a look-up and no memory.
    return f"type filter hook {name} priority -300; policy accept;"


def _chain(name: str, rules: list[str]) -> str:
    return f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}"


def _passes(version: int, levels: tuple[int, ...]) -> list[str]:
    return _hits(version, levels, SOURCE, "allow", "accept")


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


def _lookup(version: int, level: int, end: str, purpose: Purpose) -> str:
    key = f"{'ip' if version == 4 else 'ip6'} {end}"
    if level < (32 if version == 4 else 128):
        key += f" & {_mask(version, level)}"
    if purpose.endswith("_ports"):
        key += " . meta l4proto . th dport"
    return f"{key} @{set_name(purpose, version, level)}"


def _mask(version: int, level: int) -> str:
    return str((IPv4Network if version == 4 else IPv6Network)((0, level)).netmask)
