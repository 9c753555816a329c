"""Advanced filters as rules: one protocol, one direction, some ports or types, a network, or who of ours sends it."""

from collections.abc import Iterator, Mapping
from typing import Literal

from durward.config.filters import Filter
from durward.ruleset.icmp_types import icmp_match
from durward.ruleset.matching import (
    InvalidPolicyError,
    Line,
    Version,
    from_ports,
    network_of,
    of_network,
    to_ports,
    with_comment,
)
from durward.ruleset.policy import Policy
from durward.ruleset.refusals import REJECT

Way = Literal["in", "out"]

VERDICTS: Mapping[Way, str] = {"in": "counter drop", "out": f"counter {REJECT}"}
FILTERS_MAX = 10_000  # of a list; every packet is held against those of its family that deny, and more are refused


def allowing(policy: Policy, way: Way, *, translated: bool = False) -> tuple[Line, ...]:
    """Rules for what a list allows in this direction. Raises InvalidPolicyError."""
    return tuple(_lines(policy.allow_filters, way, "accept", translated=translated))


def denying(policy: Policy, way: Way, *, translated: bool = False) -> tuple[Line, ...]:
    """Rules for what a list denies in this direction. Raises InvalidPolicyError."""
    return tuple(_lines(policy.deny_filters, way, VERDICTS[way], translated=translated))


def stopping(policy: Policy, way: Way, verdict: str, *, translated: bool = False) -> tuple[Line, ...]:
    """The same with another verdict, for connections that stand. Raises InvalidPolicyError."""
    return tuple(_lines(policy.deny_filters, way, f"counter {verdict}", translated=translated))


def text_of(found: Filter) -> str:
    """The filter as a line of a list."""
    ports = ",".join(str(one).replace(":", "_") for one in found.ports)
    parts = [
        found.protocol,
        found.direction,
        f"{found.ports_of[0]}={ports}" if ports else "",
        f"d={found.icmp_type}" if found.icmp_type else "",
        f"{found.network_is[0]}={found.network}" if found.network else "",
        f"u={found.user}" if found.user else "",
        f"g={found.group}" if found.group else "",
    ]
    return "|".join(part for part in parts if part)


def mark_of(found: Filter, *, allows: bool) -> str:
    """What stands in the text of a firewall that has this filter among those that it allows, or denies."""
    verdict = "accept" if allows else VERDICTS[found.direction]
    return with_comment(verdict, text_of(found))


def _lines(filters: tuple[Filter, ...], way: Way, verdict: str, *, translated: bool) -> Iterator[Line]:
    if len(filters) > FILTERS_MAX:
        raise InvalidPolicyError(f"a list has {len(filters)} advanced filters; {FILTERS_MAX} at most were expected")
    for found in filters:
        if found.direction == way:
            for version in found.versions:
                match = " ".join(_match(found, version, translated=translated, allows=verdict == "accept"))
                yield Line(version, with_comment(f"{match} {verdict}", text_of(found)))


def _match(found: Filter, version: Version, *, translated: bool, allows: bool) -> Iterator[str]:
    if found.network:
        end: Literal["saddr", "daddr"] = "saddr" if found.network_is == "source" else "daddr"
        yield of_network(network_of(found.network), end, translated=translated)
    yield _traffic(found, version, translated=translated, allows=allows)
    for word, identity in (("skuid", found.user), ("skgid", found.group)):
        if identity:
            yield f"meta {word} {identity}" if identity.isdigit() else f'meta {word} "{identity}"'


def _traffic(found: Filter, version: Version, *, translated: bool, allows: bool) -> str:
    if found.protocol == "icmp" or found.protocol == "icmpv6":  # noqa: PLR1714 - so that mypy knows the rest
        return icmp_match(found.icmp_type, version, sparing=not allows)
    if not found.ports:
        return f"meta l4proto {found.protocol}"
    if found.ports_of == "source":
        return from_ports(found.protocol, found.ports)
    return to_ports(found.protocol, found.ports, translated=translated)
