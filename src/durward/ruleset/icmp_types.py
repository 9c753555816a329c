"""The names of ICMP types that lists use, as the numbers of each address family."""

from durward.ruleset.matching import InvalidPolicyError, Version

NUMBER_MAX = 255

# Type, and the code where the name means one. The names are those that iptables takes.
NAMES_V4: dict[str, tuple[int, int | None]] = {
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
    "communication-prohibited": (3, 13),
    "source-quench": (4, None),
    "redirect": (5, None),
    "network-redirect": (5, 0),
    "host-redirect": (5, 1),
    "echo-request": (8, None),
    "ping": (8, None),
    "router-advertisement": (9, None),
    "router-solicitation": (10, None),
    "time-exceeded": (11, None),
    "ttl-exceeded": (11, None),
    "ttl-zero-during-transit": (11, 0),
    "ttl-zero-during-reassembly": (11, 1),
    "parameter-problem": (12, None),
    "timestamp-request": (13, None),
    "timestamp-reply": (14, None),
    "address-mask-request": (17, None),
    "address-mask-reply": (18, None),
}
NAMES_V6: dict[str, tuple[int, int | None]] = {
    "destination-unreachable": (1, None),
    "no-route": (1, 0),
    "communication-prohibited": (1, 1),
    "address-unreachable": (1, 3),
    "port-unreachable": (1, 4),
    "packet-too-big": (2, None),
    "time-exceeded": (3, None),
    "ttl-exceeded": (3, None),
    "parameter-problem": (4, None),
    "echo-request": (128, None),
    "ping": (128, None),
    "echo-reply": (129, None),
    "pong": (129, None),
    "router-solicitation": (133, None),
    "router-advertisement": (134, None),
    "neighbour-solicitation": (135, None),
    "neighbor-solicitation": (135, None),
    "neighbour-advertisement": (136, None),
    "neighbor-advertisement": (136, None),
    "redirect": (137, None),
}


def icmp_match(name: str, version: Version) -> str:
    """Match a type by number, number/code or name; any type where `name` is empty. Raises InvalidPolicyError."""
    word = "icmp" if version == 4 else "icmpv6"
    if not name or name == "any":
        return f"meta l4proto {'icmp' if version == 4 else 'ipv6-icmp'}"
    kind, code = _numbers(name, version)
    return f"{word} type {kind}" + ("" if code is None else f" {word} code {code}")


def _numbers(name: str, version: Version) -> tuple[int, int | None]:
    first, slash, second = name.partition("/")
    if first.isdigit():
        kind, code = int(first), int(second) if slash else None
        if kind <= NUMBER_MAX and (code or 0) <= NUMBER_MAX:
            return kind, code
    found = (NAMES_V4 if version == 4 else NAMES_V6).get(name)
    if found is None:
        raise InvalidPolicyError(f"{name!r} is no type of {'ICMP' if version == 4 else 'ICMPv6'}; a number is one too")
    return found
