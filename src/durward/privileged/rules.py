"""Reads rules from the kernel, of our table and of others: what a rule counted, what it decides, where it leads."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from durward.privileged.messages import COUNTER_NAME, GENERAL, SUBSYSTEM
from durward.privileged.netlink import (
    DONE,
    DUMP,
    ERROR,
    Netlink,
    attribute,
    attributes,
    each_attribute,
    refusal_of,
    request,
)

GET_RULE = SUBSYSTEM | 7
RULE_TABLE, RULE_CHAIN, RULE_EXPRESSIONS, RULE_USER_DATA = 1, 2, 4, 7
NAME, DATA = 1, 2  # of an expression
IMMEDIATE_DATA, DATA_VERDICT, VERDICT_CODE, VERDICT_CHAIN = 2, 2, 1, 2
LOOKUP_DESTINATION, VERDICT_REGISTER = 3, bytes(4)
COUNTER_BYTES, COUNTER_PACKETS, TARGET_NAME = 1, 2, 1
DROP, ACCEPT = 0, 1  # NF_DROP, NF_ACCEPT; QUEUE and the rest are neither
REFUSING_TARGETS = frozenset({b"DROP", b"REJECT", b"TARPIT"})  # of xtables, behind nft
COMMENT = 0  # the type of a piece of user data


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """One rule. `accepts` and `refuses` say what it may do; `unclear`: a map says what, or another program does."""

    chain: str
    comment: str
    accepts: bool
    refuses: bool
    unclear: bool
    leads_to: str
    counts: bool
    packets: int
    bytes: int


def rules_in(
    netlink: Netlink, family: int, table: str, chain: str = "", rules_max: int = 10_000
) -> Iterator[RuleFacts]:
    """The rules of a table, or of one of its chains, in order. Raises KernelError.

    After `rules_max` no more is read. Then the socket still has answers: it is to be closed.
    """
    body = GENERAL.pack(family, 0, 0) + attribute(RULE_TABLE, f"{table}\0".encode())
    body += attribute(RULE_CHAIN, f"{chain}\0".encode()) if chain else b""
    sequence = netlink.numbers()
    netlink.send(request(GET_RULE, DUMP, sequence, body))
    read = 0
    while read < rules_max:
        for message in netlink.receive():
            if message.sequence != sequence:
                continue
            if message.type == DONE or (message.type == ERROR and refusal_of(message).number):
                return  # an error: the table is gone meanwhile, and its rules with it
            found = attributes(message.body[GENERAL.size :])
            if text_of(found.get(RULE_TABLE, b"")) == table:
                read += 1
                yield _facts(found)


def text_of(value: memoryview | bytes) -> str:
    """A name as the kernel writes it."""
    return bytes(value).rstrip(b"\0").decode("utf-8", "replace")


def _facts(found: dict[int, memoryview]) -> RuleFacts:
    accepts = refuses = unclear = counts = False
    leads_to, packets, size = "", 0, 0
    for _, value in each_attribute(found.get(RULE_EXPRESSIONS, b"")):
        expression = attributes(value)
        name, data = bytes(expression.get(NAME, b"")), attributes(expression.get(DATA, b""))
        if name == COUNTER_NAME:
            counts = True
            packets, size = int.from_bytes(data.get(COUNTER_PACKETS, b"")), int.from_bytes(data.get(COUNTER_BYTES, b""))
        elif name == b"immediate\0":
            code, leads_to = _verdict(data)
            accepts, refuses = accepts or code == ACCEPT, refuses or code == DROP
        elif name == b"reject\0" or (name == b"target\0" and _target(data) in REFUSING_TARGETS):
            refuses = True
        elif name == b"queue\0" or (
            name == b"lookup\0" and bytes(data.get(LOOKUP_DESTINATION, b"?")) == VERDICT_REGISTER
        ):
            unclear = True
    chain = text_of(found.get(RULE_CHAIN, b""))
    comment = _comment(found.get(RULE_USER_DATA, memoryview(b"")))
    return RuleFacts(chain, comment, accepts, refuses, unclear, leads_to, counts, packets, size)


def _verdict(data: dict[int, memoryview]) -> tuple[int | None, str]:
    """The code of an immediate verdict (negative for jumps), and the chain that it leads to."""
    inner = attributes(data.get(IMMEDIATE_DATA, b"")).get(DATA_VERDICT)
    verdict = attributes(inner) if inner is not None else {}
    if VERDICT_CODE not in verdict:
        return None, ""
    return struct.unpack(">i", verdict[VERDICT_CODE])[0], text_of(verdict.get(VERDICT_CHAIN, b""))


def _target(data: dict[int, memoryview]) -> bytes:
    return bytes(data.get(TARGET_NAME, b"")).rstrip(b"\0")


def _comment(user_data: memoryview) -> str:
    position = 0
    while position + 2 <= len(user_data):
        kind, length = user_data[position], user_data[position + 1]
        if kind == COMMENT:
            return text_of(user_data[position + 2 : position + 2 + length])
        position += 2 + length
    return ""
