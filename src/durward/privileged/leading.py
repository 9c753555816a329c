"""To which sets of merged lists the kernel's chains lead now: what the next enforcer finds of the one before."""

import errno
import re
from collections.abc import Iterable, Iterator

from durward.privileged.failure import KernelError
from durward.privileged.messages import INET_BODY, SUBSYSTEM
from durward.privileged.netlink import NETFILTER, Netlink, attribute, attributes, each_attribute
from durward.ruleset.levels import TABLE
from durward.ruleset.merged import Filling

GET_RULE = SUBSYSTEM | 7
RULE_TABLE, RULE_CHAIN, RULE_EXPRESSIONS = 1, 2, 4
EXPRESSION_NAME, EXPRESSION_DATA, LOOKUP_SET = 1, 2, 1
LOOKUP = b"lookup\0"
SET_NAME = re.compile(r"merged_([a-z][a-z0-9]*)_(\d+)_([46])_(\d+)", re.ASCII)


def leads() -> dict[str, Filling]:
    """The filling that each chain leads to. Raises KernelError."""
    with Netlink(NETFILTER) as netlink:
        try:
            rules = list(netlink.dump(GET_RULE, INET_BODY + attribute(RULE_TABLE, f"{TABLE}\0".encode())))
        except KernelError as error:
            if error.number == errno.ENOENT:
                return {}
            raise
        found: dict[str, list[str]] = {}
        for _, body in rules:
            rule = attributes(body[4:])
            if _text_of(rule[RULE_TABLE]) == TABLE:
                found.setdefault(_text_of(rule[RULE_CHAIN]), []).extend(_asked(rule))
    return {chain: filling for chain, names in found.items() if (filling := filling_of(names)) is not None}


def filling_of(set_names: Iterable[str]) -> Filling | None:
    """The filling that sets of these names are; None where none of them belongs to a merged list."""
    levels: dict[str, set[int]] = {"4": set(), "6": set()}
    number = None
    for name in set_names:
        if found := SET_NAME.fullmatch(name):
            number = int(found[2])
            levels[found[3]].add(int(found[4]))
    return None if number is None else Filling(number, tuple(sorted(levels["4"])), tuple(sorted(levels["6"])))


def _asked(rule: dict[int, memoryview]) -> Iterator[str]:
    """The names of the sets that a rule looks into."""
    for _, expression in each_attribute(rule.get(RULE_EXPRESSIONS, b"")):
        found = attributes(expression)
        if bytes(found.get(EXPRESSION_NAME, b"")) == LOOKUP:
            yield _text_of(attributes(found[EXPRESSION_DATA])[LOOKUP_SET])


def _text_of(value: memoryview) -> str:
    return bytes(value).rstrip(b"\0").decode("utf-8", "replace")
