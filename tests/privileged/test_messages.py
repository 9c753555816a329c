"""Messages about elements: the sizes that fit, and answers that are strange."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from durward.privileged.messages import (
    INET_BODY,
    LIST_ELEMENTS,
    LIST_ENTRY,
    LIST_SET,
    NESTED_BYTES_MAX,
    TIMEOUT,
    bodies,
    body_of,
    element_text,
    key_text,
    place_of,
    reading_of,
)
from durward.privileged.netlink import HEADER, attribute, attributes, each_attribute
from durward.ruleset.elements import Element, ElementKey


def timeout_milliseconds(seconds: float) -> int:
    text = element_text(Element("block4_32", b"abcd", seconds, ""))
    ((_, entry),) = each_attribute(text)
    return int.from_bytes(attributes(entry).get(TIMEOUT, b""))


def test_no_timeout_becomes_for_ever() -> None:
    assert timeout_milliseconds(0) == 0
    assert timeout_milliseconds(0.001) == 1
    assert timeout_milliseconds(1.0004) == 1000
    assert timeout_milliseconds(1e30) == 100 * 365 * 86400 * 1000


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(4, 200)), max_size=60))
def test_bodies_keep_order_and_sets_and_stay_small(written: list[tuple[str, int]]) -> None:
    texts = [
        (name, attribute(LIST_ENTRY, struct.pack("=I", number) * size * 10))
        for number, (name, size) in enumerate(written)
    ]
    read = []
    for body in bodies(texts):
        found = attributes(body[4:])
        assert len(found[LIST_ELEMENTS]) <= NESTED_BYTES_MAX
        name = bytes(found[LIST_SET]).rstrip(b"\0").decode()
        read += [(name, attribute(LIST_ENTRY, bytes(value))) for _, value in each_attribute(found[LIST_ELEMENTS])]
    assert read == texts


def test_an_offset_leads_to_its_element() -> None:
    keys = [bytes([number] * 4) for number in range(5)]
    texts = [key_text(key) for key in keys]
    body = body_of("block4_32", b"".join(texts))
    start = HEADER.size + len(body) - sum(map(len, texts))
    for number, key in enumerate(keys):
        for within in (0, 8, len(texts[0]) - 1):
            assert place_of(body, start + number * len(texts[0]) + within) == ElementKey("block4_32", key)
    assert place_of(body, 0) == ElementKey("block4_32", keys[0])
    assert place_of(INET_BODY, 0) is None


@given(st.binary(max_size=300))
def test_no_answer_upsets_the_reader(data: bytes) -> None:
    reading_of(memoryview(data))
    entry = attribute(LIST_ELEMENTS, attribute(LIST_ENTRY, data))
    assert reading_of(memoryview(INET_BODY + entry)) is not None


def test_a_comment_behind_other_user_data_is_found() -> None:
    user_data = attribute(6, bytes((1, 2)) + b"xy" + bytes((0, 4)) + b"abc\0")
    reading = reading_of(memoryview(INET_BODY + attribute(LIST_ELEMENTS, attribute(LIST_ENTRY, user_data))))
    assert reading is not None
    assert reading.comment == "abc"
