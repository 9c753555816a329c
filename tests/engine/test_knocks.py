"""Which knock counts: right key, right time, right host, right address; and what is asked first."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.config.knock_keys import KnockKey
from durward.engine import knocks
from durward.engine.knocks import NAMES_MAX, WINDOW_SECONDS, Accepted, KnockRefusedError, judge, names_of
from durward.model.knock import KNOCK_BYTES, Knock

NOW = 1_795_421_400.0
ALICE, CAROL = KnockKey(b"a" * 32, "alice"), KnockKey(b"c" * 32, "carol", opens_for_others=True)
KEYS = {key.id: key for key in (ALICE, CAROL)}
SOURCE = ip_address("203.0.113.9")
KNOCK = Knock(ALICE.id, int(NOW * 1000), b"n" * 16, SOURCE, 5)


def stamp(public: bytes, message: bytes) -> bytes:
    """What stands for a signature here: 64 bytes that only this key and this message give."""
    import hashlib

    return hashlib.sha512(public + message).digest()


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    return signature == stamp(public, message)


def signed(knock: Knock, host: str = "web1", key: KnockKey | None = None) -> bytes:
    key = key or KEYS[knock.key_id]
    return knock.body() + stamp(key.public, knock.signed_for(host))


def judged(datagram: bytes, now: float = NOW, names: Iterable[str] = ("web1", "192.0.2.1")) -> Accepted | str:
    try:
        return judge(datagram, SOURCE, names, KEYS, now=now, verify=verify)
    except KnockRefusedError as error:
        return error.reason


@pytest.mark.parametrize("host", ["web1", "192.0.2.1"])
def test_a_right_knock_counts_by_each_name_of_the_host(host: str) -> None:
    assert judged(signed(KNOCK, host)) == Accepted(KNOCK, ALICE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key_id": b"unknown!"}, knocks.UNKNOWN_KEY),
        ({"sent_at": int((NOW - WINDOW_SECONDS) * 1000) - 1}, knocks.TOO_OLD),
        ({"sent_at": int((NOW + WINDOW_SECONDS) * 1000) + 1}, knocks.TOO_NEW),
        ({"sent_at": 0}, knocks.TOO_OLD),
        ({"sent_at": 2**64 - 1}, knocks.TOO_NEW),
        ({"address": ip_address("203.0.113.10")}, knocks.FOR_OTHERS),
        ({"address": ip_address("2001:db8::1")}, knocks.FOR_OTHERS),
    ],
)
def test_a_wrong_one_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert judged(signed(replace(KNOCK, **changes), key=ALICE)) == reason


def test_at_the_edges_of_the_window_it_counts() -> None:
    for seconds in (-WINDOW_SECONDS, WINDOW_SECONDS):
        knock = replace(KNOCK, sent_at=int((NOW + seconds) * 1000))
        assert judged(signed(knock)) == Accepted(knock, ALICE)


def test_only_a_key_that_may_opens_for_others() -> None:
    for_other = replace(KNOCK, address=ip_address("2001:db8::1"))
    assert judged(signed(for_other)) == knocks.FOR_OTHERS
    allowed = replace(for_other, key_id=CAROL.id)
    assert judged(signed(allowed)) == Accepted(allowed, CAROL)


def test_for_another_host_or_by_another_key_it_is_not_signed() -> None:
    assert judged(signed(KNOCK, "web2")) == knocks.NOT_SIGNED
    assert judged(signed(KNOCK, key=CAROL)) == knocks.NOT_SIGNED


@given(some.integers(0, KNOCK_BYTES * 8 - 1))
def test_no_bit_may_be_changed(bit: int) -> None:
    datagram = bytearray(signed(KNOCK))
    datagram[bit // 8] ^= 1 << bit % 8
    assert isinstance(judged(bytes(datagram)), str)


@given(some.binary(max_size=200))
def test_noise_is_refused_before_anything_is_verified(datagram: bytes) -> None:
    def never(_public: bytes, _signature: bytes, _message: bytes) -> bool:
        raise AssertionError("verified")

    with pytest.raises(KnockRefusedError) as refused:
        judge(datagram, SOURCE, ["web1"], KEYS, now=NOW, verify=never)
    assert refused.value.reason in knocks.REFUSALS


def test_the_names_of_the_host() -> None:
    assert names_of("Web1.example.com", ["door", "wrong name", "192.0.2.7"]) == (
        "web1.example.com",
        "web1",
        "door",
        "192.0.2.7",
    )
    assert len(names_of("web1", [f"name{number}" for number in range(100)])) == NAMES_MAX - 1
    assert names_of("", []) == ()
