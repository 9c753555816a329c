"""A knock is one fixed form of bytes: what is built is read back, and nothing else is read."""

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.model.knock import (
    BODY,
    CONTEXT,
    KNOCK_BYTES,
    MINUTES_MAX,
    SIGNATURE_BYTES,
    InvalidKnockError,
    Knock,
    host_name,
    key_id_of,
    read_knock,
)

addresses = some.ip_addresses().filter(
    lambda one: not (one.is_unspecified or one.is_multicast or getattr(one, "ipv4_mapped", None))
)
knocks = some.builds(
    Knock,
    some.binary(min_size=8, max_size=8),
    some.integers(0, 2**64 - 1),
    some.binary(min_size=16, max_size=16),
    addresses,
    some.integers(1, MINUTES_MAX),
)
signatures = some.binary(min_size=SIGNATURE_BYTES, max_size=SIGNATURE_BYTES)
SAMPLE = Knock(b"8 bytes!", 1_795_421_400_000, b"sixteen bytes ok", ip_address("203.0.113.9"), 10)


@given(knocks, signatures)
def test_what_is_built_is_read_back(knock: Knock, signature: bytes) -> None:
    datagram = knock.body() + signature
    assert len(datagram) == KNOCK_BYTES == 114
    assert read_knock(datagram) == (knock, signature)


@given(some.binary(min_size=KNOCK_BYTES, max_size=KNOCK_BYTES))
def test_whatever_is_read_is_built_again_alike(datagram: bytes) -> None:
    try:
        knock, signature = read_knock(b"\x01" + datagram[1:])
    except InvalidKnockError:
        return
    assert knock.body() + signature == b"\x01" + datagram[1:]


@given(some.binary(max_size=200).filter(lambda data: len(data) != KNOCK_BYTES))
def test_nothing_of_another_length_is_a_knock(datagram: bytes) -> None:
    with pytest.raises(InvalidKnockError, match="long"):
        read_knock(datagram)


def test_the_form_is_as_the_decision_says() -> None:
    assert SAMPLE.body().hex() == (
        "01"
        + b"8 bytes!".hex()
        + "000001a207746bc0"
        + b"sixteen bytes ok".hex()
        + "00" * 10
        + "ffff"
        + "cb007109"
        + "0a"
    )
    assert SAMPLE.signed_for("web1") == b"durward knock 1\0web1\0" + SAMPLE.body()


@given(knocks, knocks)
def test_two_texts_that_are_signed_are_never_the_same(one: Knock, other: Knock) -> None:
    assert (one == other) == (one.signed_for("a") == other.signed_for("a"))
    assert one.signed_for("a") != one.signed_for("ab")
    assert int.from_bytes(CONTEXT[:4]) > 1 << 20  # SSH would take it for a length, and never sign so long a text


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:203.0.113.9"])
def test_an_address_that_nobody_has_is_refused(address: str) -> None:
    with pytest.raises(InvalidKnockError, match="address"):
        Knock(SAMPLE.key_id, SAMPLE.sent_at, SAMPLE.nonce, ip_address(address), 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((2, SAMPLE.key_id, 1, SAMPLE.nonce, IPv6Address("2001:db8::1").packed, 1), "version"),
        ((1, SAMPLE.key_id, 1, SAMPLE.nonce, IPv6Address("2001:db8::1").packed, 0), "minutes"),
        ((1, SAMPLE.key_id, 1, SAMPLE.nonce, IPv6Address("2001:db8::1").packed, 11), "minutes"),
        ((1, SAMPLE.key_id, 1, SAMPLE.nonce, bytes(16), 1), "address"),
    ],
)
def test_what_nobody_could_mean_is_refused(values: tuple[object, ...], reason: str) -> None:
    with pytest.raises(InvalidKnockError, match=reason):
        read_knock(BODY.pack(*values) + bytes(SIGNATURE_BYTES))


@pytest.mark.parametrize(
    ("typed", "signed"),
    [
        ("Web1.Example.COM.", "web1.example.com"),
        (" web1 ", "web1"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_name_has_one_spelling(typed: str, signed: str) -> None:
    assert host_name(typed) == signed
    assert host_name(signed) == signed


@pytest.mark.parametrize("typed", ["", ".", "-web", "web 1", "wéb", "a" * 254, "web\0", "a/b"])
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="no name of a host"):
        host_name(typed)


def test_a_key_is_named_by_its_digest() -> None:
    assert key_id_of(bytes(32)).hex() == "66687aadf862bd77"
