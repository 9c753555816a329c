"""Texts become prefixes, a step at a time; what is none is told; elements written in bulk are those written singly."""

import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.privileged import merged
from durward.privileged.merged import STEP_TEXTS, Refused, reading
from durward.privileged.messages import key_text
from durward.ruleset.prefixes import Piece, Prefixes


def read(*texts: str) -> tuple[set[str], Refused]:
    """What is in the prefixes then, and what was refused."""
    prefixes, refused = Prefixes(), Refused()
    list(reading(texts, prefixes, refused))
    found = set()
    for piece in prefixes.pieces(prefixes.filling(1)):
        for value in piece.values:
            whole = value << 64 if piece.version == 6 and piece.level <= 64 else value
            packed = whole.to_bytes(4 if piece.version == 4 else 16)
            found.add(str(ip_network((packed, piece.level))))
    return found, refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        (" 192.0.2.0/24\n", "192.0.2.0/24"),
        ("192.0.2.77/24", "192.0.2.0/24"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("2001:db8::1/65", "2001:db8::/65"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_a_network_is_read(text: str, expected: str) -> None:
    assert read(text) == ({expected}, Refused())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "no network") for text in (" ", "#", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1", "a/24")),
        *(
            (text, "no network")
            for text in ("192.0.02.1", "192.0.2.1/ 24", "192.0.2.1/٢", "fe80::1%eth0", "2001:db8::/129")
        ),
        *((text, "no network") for text in ("\0", "192.0.2.1\0", "é", "192.0.2.1,192.0.2.2")),
        *((text, "too wide") for text in ("0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/15", "::ffff:0.0.0.0/96")),
    ],
)
def test_what_is_no_network_is_refused_and_told(text: str, reason: str) -> None:
    found, refused = read(text, "192.0.2.9")
    assert found == {"192.0.2.9/32"}
    assert refused.counts == {reason: 1}
    assert len(refused.samples) == 1


def test_few_of_many_refused_are_told() -> None:
    _, refused = read(*["x" * 10_000] * 1_000)
    assert refused.counts == {"no network": 1_000}
    assert sum(map(len, refused.samples)) < 1_000


@given(
    st.lists(st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="2001:db8::/32")), max_size=20)
)
def test_addresses_are_read_as_python_reads_them(addresses: list[object]) -> None:
    found, _ = read(*map(str, addresses))
    assert found == {str(ip_network(str(address))) for address in addresses}


def test_a_list_is_read_in_steps_and_not_held() -> None:
    total = 50 * STEP_TEXTS

    def texts() -> Iterator[str]:
        for number in range(total):
            yield f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"

    prefixes = Prefixes()
    tracemalloc.start()
    steps = list(reading(texts(), prefixes, Refused()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(steps) == 50
    assert steps[-1] == len(prefixes) == total
    assert peak_bytes < 12 * total  # texts alone would take five times as much


def test_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "NETWORKS_MAX", 3)
    found, refused = read(*(f"192.0.2.{number}" for number in range(10)))
    assert len(found) == 3
    assert refused.counts == {"there are 3 already": 7}


@pytest.mark.parametrize(
    ("piece", "keys"),
    [
        (Piece(4, 32, {0xC0000201, 0xC0000202}), ["c0000201", "c0000202"]),
        (Piece(6, 64, {0x20010DB8 << 32 | 7}), ["20010db800000007" + "0" * 16]),
        (Piece(6, 128, {0x20010DB8 << 96 | 7}), ["20010db8" + "0" * 23 + "7"]),
    ],
)
def test_elements_in_bulk_are_as_single_ones(piece: Piece, keys: list[str]) -> None:
    packed = merged._keys(piece, sorted(piece.values))
    assert packed == bytes.fromhex("".join(keys))
    size = len(keys[0]) // 2
    assert merged._texts(packed, size) == b"".join(key_text(bytes.fromhex(key)) for key in keys)
