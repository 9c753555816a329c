"""The nftables messages about set elements: how they are written, and how an answer is read."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from durward.privileged.netlink import HEADER, NESTED, attribute, attributes, each_attribute
from durward.ruleset.elements import Element, ElementKey
from durward.ruleset.levels import TABLE

SUBSYSTEM = 10 << 8  # nftables within netfilter's netlink
NEW_ELEMENT, GET_ELEMENT, DELETE_ELEMENT = SUBSYSTEM | 12, SUBSYSTEM | 13, SUBSYSTEM | 14
NEW_GENERATION, GET_GENERATION = SUBSYSTEM | 15, SUBSYSTEM | 16
BATCH_BEGIN, BATCH_END = 0x10, 0x11
FAMILY_INET = 1
LIST_TABLE, LIST_SET, LIST_ELEMENTS, LIST_ENTRY = 1, 2, 3, 1
KEY, TIMEOUT, EXPIRATION, USER_DATA, EXPRESSION, EXPRESSIONS, DATA_VALUE = 1, 4, 5, 6, 7, 11, 1
EXPRESSION_NAME, EXPRESSION_DATA, COUNTER_BYTES, COUNTER_PACKETS = 1, 2, 1, 2
COUNTER_NAME = b"counter\0"
USER_DATA_COMMENT = 0
NESTED_BYTES_MAX = 60_000  # of elements in one message: the length of an attribute has 16 bits
MILLISECONDS_MAX = 100 * 365 * 86400 * 1000
GENERAL = struct.Struct(">BBH")  # family, version, subsystem
BATCH_BODY = GENERAL.pack(0, 0, SUBSYSTEM >> 8)
INET_BODY = GENERAL.pack(FAMILY_INET, 0, 0)
KEY_HEAD = struct.Struct("=HHHH")
TIMEOUT_TEXT = struct.Struct("=HH8s")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the kernel says of one element now. `expires_in_seconds` is None for one that stays for ever."""

    packets: int
    bytes: int
    expires_in_seconds: float | None
    comment: str


def element_text(element: Element) -> bytes:
    """One element as the kernel reads it, with its timeout and comment."""
    text = _key_text(element.key)
    if element.timeout_seconds:
        # Never 0, which would mean for ever.
        milliseconds = min(max(round(element.timeout_seconds * 1000), 1), MILLISECONDS_MAX)
        text += TIMEOUT_TEXT.pack(12, TIMEOUT, milliseconds.to_bytes(8))
    if element.comment:
        comment = element.comment.encode() + b"\0"
        text += attribute(USER_DATA, bytes((USER_DATA_COMMENT, len(comment))) + comment)
    return struct.pack("=HH", len(text) + 4, LIST_ENTRY | NESTED) + text


def key_text(key: bytes) -> bytes:
    """One element by its key alone."""
    text = _key_text(key)
    return struct.pack("=HH", len(text) + 4, LIST_ENTRY | NESTED) + text


def bodies(texts: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Gather elements, each with the name of its set, into as few message bodies as they fit in; the order is kept."""
    for name, group in groupby(texts, key=lambda text: text[0]):
        gathered: list[bytes] = []
        size = 0
        for _, text in group:
            if size + len(text) > NESTED_BYTES_MAX:
                yield body_of(name, b"".join(gathered))
                gathered, size = [], 0
            gathered.append(text)
            size += len(text)
        yield body_of(name, b"".join(gathered))


def body_of(set_name: str, texts: bytes) -> bytes:
    """The body of one message about elements of one set."""
    return _body_head(set_name) + struct.pack("=HH", len(texts) + 4, LIST_ELEMENTS | NESTED) + texts


def batch(parts: Sequence[tuple[int, int, bytes]], first: int) -> bytearray:
    """One transaction of (type, flags, body), numbered from `first`, which is the number of its beginning."""
    data = bytearray(HEADER.pack(20, BATCH_BEGIN, 1, first, 0) + BATCH_BODY)
    for sequence, (kind, flags, body) in enumerate(parts, first + 1):
        data += HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0)
        data += body
    data += HEADER.pack(20, BATCH_END, 1, first + len(parts) + 1, 0) + BATCH_BODY
    return data


def reading_of(body: memoryview) -> Reading | None:
    """Read the kernel's answer about one element; None where the answer names none."""
    elements = attributes(body[GENERAL.size :]).get(LIST_ELEMENTS)
    entry = None if elements is None else attributes(elements).get(LIST_ENTRY)
    if entry is None:
        return None
    found = attributes(entry)
    octets, packets = _counter_of(found)
    expires = int.from_bytes(found[EXPIRATION]) / 1000 if EXPIRATION in found else None
    return Reading(packets, octets, expires, _comment_of(found.get(USER_DATA, memoryview(b""))))


def place_of(body: bytes, offset: int) -> ElementKey | None:
    """Which element of a message's `body` the kernel means by `offset`, which counts from the message's start.

    Where it does not tell, the first one; None for a body without any.
    """
    found = attributes(body[GENERAL.size :])
    name = bytes(found.get(LIST_SET, b"")).rstrip(b"\0").decode()
    entries = [entry for _, entry in each_attribute(found.get(LIST_ELEMENTS, b""))]
    end = HEADER.size + len(_body_head(name)) + 4
    meant = entries[0] if entries else None
    for entry in entries:
        begin, end = end, end + 4 + ((len(entry) + 3) & ~3)
        if begin <= offset < end:
            meant = entry
    return None if meant is None else ElementKey(name, bytes(attributes(attributes(meant)[KEY])[DATA_VALUE]))


def keys_in(body: memoryview) -> Iterator[ElementKey]:
    """Which elements a message is about; one without a key, which stands for all others, is none of ours."""
    found = attributes(body[GENERAL.size :])
    name = bytes(found.get(LIST_SET, b"")).rstrip(b"\0").decode("utf-8", "replace")
    for _, entry in each_attribute(found.get(LIST_ELEMENTS, b"")):
        key = attributes(entry).get(KEY)
        if key is not None:
            yield ElementKey(name, bytes(attributes(key)[DATA_VALUE]))


def elements_in(body: memoryview) -> Iterator[Element]:
    """The elements that an answer lists, as they would be added again now."""
    found = attributes(body[GENERAL.size :])
    name = bytes(found.get(LIST_SET, b"")).rstrip(b"\0").decode("utf-8", "replace")
    for _, entry in each_attribute(found.get(LIST_ELEMENTS, b"")):
        read = attributes(entry)
        if KEY in read:
            key = bytes(attributes(read[KEY])[DATA_VALUE])
            seconds = max(int.from_bytes(read[EXPIRATION]), 1) / 1000 if EXPIRATION in read else 0.0
            yield Element(name, key, seconds, _comment_of(read.get(USER_DATA, memoryview(b""))))


@lru_cache(maxsize=256)
def _body_head(set_name: str) -> bytes:
    table, name = f"{TABLE}\0".encode(), f"{set_name}\0".encode()
    return INET_BODY + attribute(LIST_TABLE, table) + attribute(LIST_SET, name)


def _key_text(key: bytes) -> bytes:
    return KEY_HEAD.pack(len(key) + 8, KEY | NESTED, len(key) + 4, DATA_VALUE) + key


def _counter_of(found: dict[int, memoryview]) -> tuple[int, int]:
    # One expression stands alone, several are in a list.
    expressions = [found[EXPRESSION]] if EXPRESSION in found else []
    if EXPRESSIONS in found:
        expressions += [value for _, value in each_attribute(found[EXPRESSIONS])]
    for expression in map(attributes, expressions):
        if bytes(expression.get(EXPRESSION_NAME, b"")) == COUNTER_NAME:
            counter = attributes(expression.get(EXPRESSION_DATA, memoryview(b"")))
            return int.from_bytes(counter.get(COUNTER_BYTES, b"")), int.from_bytes(counter.get(COUNTER_PACKETS, b""))
    return 0, 0


def _comment_of(user_data: memoryview) -> str:
    # nft writes pieces of (type, length, value) here; type 0 is the comment.
    position = 0
    while position + 2 <= len(user_data):
        kind, length = user_data[position], user_data[position + 1]
        if kind == USER_DATA_COMMENT:
            return bytes(user_data[position + 2 : position + 2 + length]).rstrip(b"\0").decode("utf-8", "replace")
        position += 2 + length
    return ""
