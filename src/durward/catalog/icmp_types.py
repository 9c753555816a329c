"""The names of ICMP types that lists use, as the numbers of each address family."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

Version = Literal[4, 6]
IcmpType = tuple[int, int | None]  # the code is None where any is meant

VERSIONS: tuple[Version, ...] = (4, 6)
NUMBER_MAX = 255
ANY = "any"
# Without these IPv6 does not work (RFC 4890): packet-too-big, listeners, neighbours. Nobody can be denied them alone.
NEEDED_V6 = (2, *range(130, 137), 141, 142, 143, 148, 149, 151, 152, 153)
# Type, and the code where the name means one. The names are those that iptables takes.
NAMES_V4: Mapping[str, IcmpType] = {
    "echo-reply": (0, None),
    "pong": (0, None),
    "destination-unreachable": (3, None),
    "network-unreachable": (3, 0),
    "host-unreachable": (3, 1),
    "protocol-unreachable": (3, 2),
    "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4),
    "source-route-failed": (3, 5),
    "network-unknown": (3, 6),
    "host-unknown": (3, 7),
    "network-prohibited": (3, 9),
    "host-prohibited": (3, 10),
    "tos-network-unreachable": (3, 11),
    "tos-host-unreachable": (3, 12),
    "communication-prohibited": (3, 13),
    "host-precedence-violation": (3, 14),
    "precedence-cutoff": (3, 15),
    "source-quench": (4, None),
    "redirect": (5, None),
    "network-redirect": (5, 0),
    "host-redirect": (5, 1),
    "tos-network-redirect": (5, 2),
    "tos-host-redirect": (5, 3),
    "echo-request": (8, None),
    "ping": (8, None),
    "router-advertisement": (9, None),
    "router-solicitation": (10, None),
    "time-exceeded": (11, None),
    "ttl-exceeded": (11, None),
    "ttl-zero-during-transit": (11, 0),
    "ttl-zero-during-reassembly": (11, 1),
    "parameter-problem": (12, None),
    "ip-header-bad": (12, 0),
    "required-option-missing": (12, 1),
    "timestamp-request": (13, None),
    "timestamp-reply": (14, None),
    "address-mask-request": (17, None),
    "address-mask-reply": (18, None),
}
NAMES_V6: Mapping[str, IcmpType] = {
    "destination-unreachable": (1, None),
    "no-route": (1, 0),
    "communication-prohibited": (1, 1),
    "beyond-scope": (1, 2),
    "address-unreachable": (1, 3),
    "port-unreachable": (1, 4),
    "failed-policy": (1, 5),
    "reject-route": (1, 6),
    "packet-too-big": (2, None),
    "time-exceeded": (3, None),
    "ttl-exceeded": (3, None),
    "ttl-zero-during-transit": (3, 0),
    "ttl-zero-during-reassembly": (3, 1),
    "parameter-problem": (4, None),
    "bad-header": (4, 0),
    "unknown-header-type": (4, 1),
    "unknown-option": (4, 2),
    "echo-request": (128, None),
    "ping": (128, None),
    "echo-reply": (129, None),
    "pong": (129, None),
    "multicast-listener-query": (130, None),
    "multicast-listener-report": (131, None),
    "multicast-listener-done": (132, None),
    "router-solicitation": (133, None),
    "router-advertisement": (134, None),
    "neighbour-solicitation": (135, None),
    "neighbor-solicitation": (135, None),
    "neighbour-advertisement": (136, None),
    "neighbor-advertisement": (136, None),
    "redirect": (137, None),
}


class UnknownIcmpTypeError(ValueError):
    """A text that names no type of this family; the message says what may have been meant."""


def icmp_type(text: str, version: Version) -> IcmpType | None:
    """Read a number, number/code or name; None for `any`, which is all types. Raises UnknownIcmpTypeError."""
    if text == ANY:
        return None
    first, slash, second = text.partition("/")
    if _is_number(first) and (not slash or _is_number(second)):
        return int(first), int(second) if slash else None
    names = NAMES_V4 if version == 4 else NAMES_V6
    if text not in names:
        raise UnknownIcmpTypeError(_complaint(text, version))
    return names[text]


def versions_with(text: str) -> tuple[Version, ...]:
    """The families that know this type."""
    return tuple(version for version in VERSIONS if _knows(text, version))


def _knows(text: str, version: Version) -> bool:
    try:
        icmp_type(text, version)
    except UnknownIcmpTypeError:
        return False
    return True


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= NUMBER_MAX


def _complaint(text: str, version: Version) -> str:
    mine, others = (NAMES_V4, NAMES_V6) if version == 4 else (NAMES_V6, NAMES_V4)
    protocol, other = ("ICMP", "ICMPv6") if version == 4 else ("ICMPv6", "ICMP")
    if text in others:
        return f"{text!r} is no type of {protocol}, but of {other}"
    near = get_close_matches(text, mine, n=1)
    hint = f"did you mean {near[0]}?" if near else f"0 to {NUMBER_MAX}, or a name like ping, was expected"
    return f"{text!r} is no type of {protocol}; {hint}"
