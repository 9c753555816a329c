"""ICMP types as matches of rules; their names are the catalogue's."""

from durward.catalog.icmp_types import NEEDED_V6, UnknownIcmpTypeError, icmp_type
from durward.ruleset.matching import InvalidPolicyError, Version


def icmp_match(name: str, version: Version, *, sparing: bool = False) -> str:
    """Match a type by number, number/code or name; any type where `name` is empty. Raises InvalidPolicyError.

    `sparing`: any type but those without which IPv6 does not work.
    """
    word = "icmp" if version == 4 else "icmpv6"
    try:
        found = icmp_type(name, version) if name else None
    except UnknownIcmpTypeError as error:
        raise InvalidPolicyError(str(error)) from None
    if found is None and sparing and version == 6:
        return f"icmpv6 type != {{ {', '.join(map(str, NEEDED_V6))} }}"
    if found is None:
        return f"meta l4proto {'icmp' if version == 4 else 'ipv6-icmp'}"
    kind, code = found
    return f"{word} type {kind}" + ("" if code is None else f" {word} code {code}")
