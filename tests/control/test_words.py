"""The words: each reads back as it was said, and whatever the engine would not write is refused."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from durward.control.words import (
    ITEMS_MAX,
    MESSAGE_BYTES_MAX,
    TABLE,
    Entry,
    UnknownWordError,
    Word,
    decode,
    encode,
    parts,
    read_entry,
)
from durward.model import EVERYTHING, Port, Scope, Subject, parse_network
from durward.model.decision import PORTS_MAX

networks = some.one_of(some.ip_addresses(v=4), some.ip_addresses(v=6)).map(
    lambda one: Subject.of(parse_network(str(one)))
)
some_ports = some.builds(Port, some.integers(1, 65535), some.sampled_from(["tcp", "udp"]))
scopes = some.builds(Scope, some.lists(some_ports, max_size=5).map(tuple), some.sampled_from(["in", "out"]))
times = some.one_of(some.none(), some.floats(1, 1e10), some.integers(1, 10**10))
entries = some.builds(Entry, networks, scopes, times, some.integers(0, 2**53 - 1), some.booleans())
lists = some.lists(entries, max_size=8)
short_texts = some.text(some.characters(exclude_characters="\0"), max_size=100)
paths = short_texts.map("/{}".format)
listings = some.sampled_from(["block", "allow"])
FIELDS: dict[str, some.SearchStrategy[Any]] = {
    "entries": lists,
    "path": paths,
    "pattern": paths,
    "after": short_texts,
    "listing": listings,
    "last": some.booleans(),
    "ports": some.booleans(),
    "subject": some.one_of(some.just(""), networks.map(lambda one: one.value)),
    "names": some.lists(some.from_regex(r"[a-z][a-z0-9_]{0,40}", fullmatch=True), max_size=40),
}
words = some.sampled_from(sorted(TABLE)).flatmap(
    lambda name: some.tuples(some.just(name), some.fixed_dictionaries({key: FIELDS[key] for key in TABLE[name]}))
)
SSH = Entry(Subject.parse("203.0.113.9"), Scope((Port(22),)), 1_795_421_400.0, 17, automatic=True)
BLOCK = encode("block", entries=[SSH])


def refused(message: bytes) -> bool:
    try:
        decode(message)
    except UnknownWordError:
        return True
    return False


@given(words)
def test_every_word_reads_back_as_it_was_said(said: tuple[str, dict[str, Any]]) -> None:
    name, fields = said
    message = encode(name, **fields)
    assert decode(message) == Word(name, fields)
    assert len(message) <= MESSAGE_BYTES_MAX


def test_a_path_that_is_no_text_reads_back() -> None:
    path = b"/var/log/\xff\xfe.log".decode("utf-8", "surrogateescape")
    assert decode(encode("open file", path=path)).fields == {"path": path}


@given(some.binary(max_size=200))
def test_random_bytes_are_refused(message: bytes) -> None:
    assert refused(message)


@given(words, some.data())
def test_what_is_accepted_is_what_the_engine_would_write(
    said: tuple[str, dict[str, Any]], data: some.DataObject
) -> None:
    """A message with some bytes put in, taken out or changed is refused, or is another message of the engine."""
    name, fields = said
    message = encode(name, **fields)
    first = data.draw(some.integers(0, len(message)))
    last = data.draw(some.integers(first, min(len(message), first + 4)))
    put = data.draw(
        some.one_of(some.binary(max_size=4), some.sampled_from([b"", b" ", b",", b"1", b"NaN", b"\0", b"/"]))
    )
    mutated = message[:first] + put + message[last:]
    try:
        word = decode(mutated)
    except UnknownWordError:
        return
    assert encode(word.name, **word.fields) == mutated


json_values = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=10)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=5), some.dictionaries(some.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(some.sampled_from(sorted(TABLE)), some.data())
def test_fields_of_a_wrong_type_are_refused(name: str, data: some.DataObject) -> None:
    if not TABLE[name]:
        return
    key = data.draw(some.sampled_from(sorted(TABLE[name])))
    fields = {field: data.draw(FIELDS[field]) for field in TABLE[name]}
    spelt = {field: [one.spell() for one in value] if field == "entries" else value for field, value in fields.items()}
    spelt[key] = data.draw(json_values)
    assume(not isinstance(spelt[key], {"entries": list, "names": list, "last": bool, "ports": bool}.get(key, str)))
    assert refused(json.dumps({"word": name, **spelt}, separators=(",", ":")).encode())


@given(json_values)
def test_what_is_no_entry_is_refused(value: object) -> None:
    with pytest.raises(UnknownWordError):
        read_entry(value)


RIGHT = ["203.0.113.9", "in:22", 1795421400.0, 17, True]
WRONG_PARTS: list[tuple[int, Any]] = [
    *[(0, value) for value in (None, 7, "", "localhost", "203.0.113.9/32", "203.0.113.0/33", "::ffff:203.0.113.9")],
    *[(0, value) for value in ("2001:DB8::1", "fe80::1%eth0", "203.0.113.9 ", ["203.0.113.9"], "9" * 2000)],
    *[(1, value) for value in (None, "", "in", "22", "in: 22", "in:22/tcp", "in:22,", "in:022", "in:0", "both:22")],
    *[(1, value) for value in ("in:" + ",".join(map(str, range(1, PORTS_MAX + 2))), {}, 22)],
    *[(2, value) for value in (True, "soon", 0, -1, 1e11, [1], float("nan"), float("inf"), -float("inf"))],
    *[(3, value) for value in (True, None, "17", 17.0, -1, 2**53, 10**400, float("nan"))],
    *[(4, value) for value in (None, 0, 1, "true", [])],
]


@pytest.mark.parametrize(("place", "value"), WRONG_PARTS)
def test_an_entry_with_a_wrong_part_is_refused(place: int, value: object) -> None:
    def message(parts_of: list[Any]) -> bytes:
        return json.dumps({"word": "block", "entries": [parts_of]}, separators=(",", ":")).encode()

    assert not refused(message(RIGHT))
    wrong = [*RIGHT]
    wrong[place] = value
    assert refused(message(wrong))
    assert refused(message([*RIGHT, 1]))
    assert refused(message(RIGHT[:-1]))


@pytest.mark.parametrize(
    "message",
    [
        *(b"", b"{}", b"[]", b"null", b'"block"', b"17", b"NaN", b"\xff", b"\xef\xbb\xbf" + BLOCK, b"\0" + BLOCK),
        *(b" " + BLOCK, BLOCK + b"\n", BLOCK + BLOCK, BLOCK[:-1], BLOCK.decode().encode("utf-16")),
        *(b'{"word":null}', b'{"word":["open watch"]}', b'{"word":"Open watch"}', b'{"word":"apply"}'),
        *(b'{"word":"open watch","path":"/"}', b'{"word":"open file"}', b'{"word":"block"}', b'{"entries":[]}'),
        *(b'{"word":"open file","path":"/a","path":"/b"}', b'{"word":"open watch","word":"open watch"}'),
        *(b'{"word":"open file","path":"relative"}', b'{"word":"open file","path":"/a\\u0000b"}'),
        *(b'{"word":"open file","path":""}', b'{"word":"state","listing":"ignore","entries":[]}'),
        *(b'{"entries":[],"word":"block"}', b'{"word":"open\\u0020watch"}', b'{"word": "open watch"}'),
        *(b'{"word":"block","entries":' + b"[" * 2000 + b"]" * 2000 + b"}", b"[" * 4096, b'{"a":' * 800),
        b'{"word":"open file","path":"/' + b"a" * 1024 + b'"}',
        b'{"word":"block","entries":[["203.0.113.9","in:",NaN,0,false]]}',
        b'{"word":"block","entries":[["203.0.113.9","in:",1e999,0,false]]}',
        b'{"word":"block","entries":[["203.0.113.9","in:",1795421400.00,0,false]]}',
        b'{"word":"block","entries":[["203.0.113.9","in:",null,-0,false]]}',
        b'{"word":"block","entries":{}}',
        b'{"word":"open file","path":"/' + "é".encode() + b'"}',
    ],
)
def test_what_is_no_word_is_refused(message: bytes) -> None:
    assert refused(message)


def test_a_long_message_is_refused_on_both_sides() -> None:
    spelt = [SSH.spell()] * ITEMS_MAX
    message = json.dumps({"word": "block", "entries": spelt}, separators=(",", ":")).encode()
    assert len(message) > MESSAGE_BYTES_MAX
    assert refused(message)
    with pytest.raises(UnknownWordError, match="longer than 4096"):
        encode("block", entries=[SSH] * ITEMS_MAX)


def test_more_entries_than_allowed_are_refused_although_they_would_fit() -> None:
    tiny = [["::", "in:", None, 0, True]] * (ITEMS_MAX + 1)
    message = json.dumps({"word": "block", "entries": tiny}, separators=(",", ":")).encode()
    assert len(message) < MESSAGE_BYTES_MAX
    assert refused(message)


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        *(("shout", {}), ("open watch", {"path": "/"}), ("open file", {}), ("open file", {"path": "relative"})),
        *(("open file", {"path": "/" + "a" * 1024}), ("open file", {"path": "/a\0b"}), ("open file", {"path": 7})),
        *(("state", {"listing": "ignore", "entries": []}), ("replace", {"listing": "block", "entries": [], "last": 1})),
        ("open list", {"pattern": "/" + "\udcff" * 1000, "after": ""}),
    ],
)
def test_what_would_be_refused_is_not_even_said(word: str, fields: dict[str, Any]) -> None:
    """The enforcer would end the conversation, and protection with it until the next one."""
    with pytest.raises(UnknownWordError):
        encode(word, **fields)


widest = some.builds(
    Scope,
    some.lists(some.builds(Port, some.integers(10000, 65535), some.just("udp")), max_size=PORTS_MAX).map(tuple),
    some.just("out"),
)


@given(
    some.lists(some.builds(Entry, networks, widest, times, some.integers(0, 2**53 - 1), some.booleans()), max_size=30)
)
def test_parts_fit_and_lose_nothing(whole: list[Entry]) -> None:
    cut = parts(whole)
    assert [entry for part in cut for entry in part] == whole
    for part in cut:
        assert part
        assert decode(encode("replace", listing="block", entries=part, last=False)).fields["entries"] == part


def test_parts_of_many_small_entries_hold_as_many_as_allowed() -> None:
    small = [Entry(Subject.parse("::"), EVERYTHING)] * 250
    assert max(map(len, parts(small))) <= ITEMS_MAX
    assert sum(map(len, parts(small))) == 250
    assert parts([]) == []
    assert max(map(len, parts([SSH] * 250))) > 50


@pytest.mark.parametrize(
    "names", [["meter-x"], ["a" * 101], [""], ["A"], "meter_a", [1], ["a\n"], ["a"] * (ITEMS_MAX + 1)]
)
def test_names_of_sets_are_plain(names: Any) -> None:
    assert refused(json.dumps({"word": "look meters", "subject": "203.0.113.9", "names": names}).encode())


@pytest.mark.parametrize("subject", ["203.0.113.009", "nobody", "::ffff:203.0.113.9", 7, None, "203.0.113.9/24"])
def test_a_subject_is_spelt_as_we_spell_it(subject: Any) -> None:
    assert refused(json.dumps({"word": "look others", "subject": subject}, separators=(",", ":")).encode())
