"""What the counters of our rules are about: which chain and comment stand for which kind of refusal, added up."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

PARTS_MAX = 200  # of one kind are told apart; the packets of the rest count for the whole alone
SILENT = "untold"  # of closed ports: beyond a source's share of what is told, or not to this host alone
Verdict = Literal["drop", "accept", ""]


class Tally(NamedTuple):
    """What one rule has counted. `verdict` is what it does with a packet: "drop", "accept", or nothing of both."""

    chain: str
    comment: str
    verdict: Verdict
    packets: int
    bytes: int


class Kind(NamedTuple):
    """One kind of what is counted, and which of its kind: the port, the flag, the list."""

    what: str
    of: str = ""


class Sum(NamedTuple):
    """The packets and bytes of a kind, and of each of its parts."""

    what: str
    packets: int
    bytes: int
    parts: Mapping[str, tuple[int, int]]


GENERATION = re.compile(r"(\w+)_[ab]")
# Chains in which nothing is refused, or whose rules are as many as the entries of a list: not worth asking for.
UNCOUNTED = re.compile(r"(?:allowed|denied|open|ports|skeleton|arriving[46]$|leaving[46]$|firewall_)\w*")
REFUSING: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), what, of)
    for pattern, what, of in (
        (r"refuse[46]", "block", "in"),
        (r"refuse_out[46]", "block", "out"),
        (r"beyond[46]", "throttle", ""),
        (r"bad_flags", "bad_flags", "*"),
        (r"(?:impossible|spoofed)", "spoofed", "*"),
        (r"syn_beyond", "syn_flood", ""),
        (r"port_flood_(?P<protocol>tcp|udp)_(?P<port>\d+)", "port_flood", ""),
        (r"connection_limit_(?P<port>\d+)", "connection_limit", ""),
        (r"udp_flood", "udp_flood", ""),
        (r"ping_flood", "ping_flood", ""),
        (r"echo", "large_ping", ""),
        (r"early", "icmp_fragments", ""),
        (r"icmp", "icmp", ""),
        (r"(?:listed|merged)_(?P<name>\w+)", "list", ""),
        (r"still_denied(?:_out)?", "denied", ""),
        (r"(?:arriving|sending)", "invalid", ""),
        (r"refused_(?P<name>tcp|udp|icmp|other)", "closed", ""),
        (r"refused", "closed", SILENT),
        (r"refused_out_(?P<name>tcp|udp|icmp|other)", "closed_out", ""),
        (r"refused_out", "closed_out", SILENT),
    )
)
COUNTING = {"syn_flood proxied": "syn_proxied", "wrong knock": "knock_wrong", "opened by knocking": "knock_opened"}
KNOCK = re.compile(r"knock \d+")
DOOR = re.compile(r"knock[46]_(?P<protocol>tcp|udp)_(?P<port>\d+)")


def is_counted(chain: str) -> bool:
    """Whether the rules of a chain are worth asking for."""
    return UNCOUNTED.fullmatch(chain) is None


def refused(tallies: Iterable[Tally]) -> list[Sum]:
    """What our rules refused since they were loaded, by kind, in a fixed order; kinds without a packet too."""
    return _sums((kind, tally) for tally in tallies if tally.verdict == "drop" and (kind := _refusal(tally)))


def counted(tallies: Iterable[Tally]) -> list[Sum]:
    """What they counted and did not refuse: connections that the SYN proxy answered, and knocks."""
    return _sums((kind, tally) for tally in tallies if tally.verdict != "drop" and (kind := _event(tally)))


def _refusal(tally: Tally) -> Kind | None:
    name = GENERATION.fullmatch(tally.chain)
    for pattern, what, of in REFUSING:
        found = pattern.fullmatch(name[1] if name else tally.chain)
        if found:
            return Kind(what, tally.comment if of == "*" else of or _of(found.groupdict()))
    return Kind("other", name[1] if name else tally.chain)


def _event(tally: Tally) -> Kind | None:
    door = DOOR.match(tally.chain)
    of = _of(door.groupdict()) if door else ""
    if tally.comment in COUNTING:
        return Kind(COUNTING[tally.comment], of)
    return Kind("knock", of) if door and KNOCK.fullmatch(tally.comment) else None


def _of(found: Mapping[str, str | None]) -> str:
    if port := found.get("port"):
        return f"{port}/{found.get('protocol') or 'tcp'}"
    return found.get("name") or ""


def _sums(tallies: Iterable[tuple[Kind, Tally]]) -> list[Sum]:
    wholes: dict[str, tuple[int, int]] = {}
    parts: dict[str, dict[str, tuple[int, int]]] = {}
    for kind, tally in tallies:
        wholes[kind.what] = _added(wholes.get(kind.what), tally)
        known = parts.setdefault(kind.what, {})
        if kind.of and (kind.of in known or len(known) < PARTS_MAX):
            known[kind.of] = _added(known.get(kind.of), tally)
    return [Sum(what, *whole, parts[what]) for what, whole in sorted(wholes.items())]


def _added(before: tuple[int, int] | None, tally: Tally) -> tuple[int, int]:
    packets, size = before or (0, 0)
    return packets + tally.packets, size + tally.bytes
