"""Ed25519 as RFC 8032 defines it, by the system's libcrypto; and what happens where there is none."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.control import ed25519

# RFC 8032, 7.1: secret key, public key, message, signature.
VECTORS = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465"
            "5141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb0"
            "0d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc0"
            "27beceea1ec40a"
        ),
    ),
)
by_vector = pytest.mark.parametrize("vector", VECTORS, ids=["empty", "one byte", "two bytes"])
SECRET = bytes.fromhex(VECTORS[0][0])
ORDER = 2**252 + 27742317777372353535851937790883648493


@by_vector
def test_the_vectors_of_the_standard(vector: tuple[str, str, str, str]) -> None:
    secret, public, message, signature = map(bytes.fromhex, vector)
    assert ed25519.public_key_of(secret) == public
    assert ed25519.sign(secret, message) == signature
    assert ed25519.verify(public, signature, message)


@by_vector
def test_a_signature_has_one_form(vector: tuple[str, str, str, str]) -> None:
    """With the order added to its second half it would fit as well, were that not forbidden (RFC 8032, 5.1.7)."""
    _, public, message, signature = map(bytes.fromhex, vector)
    other = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not ed25519.verify(public, signature[:32] + other, message)


@given(some.binary(max_size=300), some.integers(0, 64 * 8 - 1))
def test_one_bit_changed_and_it_does_not_fit(message: bytes, bit: int) -> None:
    public, signature = ed25519.public_key_of(SECRET), bytearray(ed25519.sign(SECRET, message))
    assert ed25519.verify(public, bytes(signature), message)
    assert not ed25519.verify(public, bytes(signature), message + b"\0")
    signature[bit // 8] ^= 1 << bit % 8
    assert not ed25519.verify(public, bytes(signature), message)


@given(some.binary(max_size=70), some.binary(max_size=70))
def test_what_is_neither_key_nor_signature_never_fits(public: bytes, signature: bytes) -> None:
    try:
        assert not ed25519.verify(public, signature, b"")
    except ed25519.Ed25519Error:
        assert len(public) == 32  # a library may say already of a key that it is none


def test_a_private_key_of_another_length_is_an_error() -> None:
    with pytest.raises(ed25519.Ed25519Error, match="32 bytes, not 31"):
        ed25519.sign(bytes(31), b"")


@pytest.mark.parametrize("name", ed25519.LIBRARIES[:1])
def test_the_library_by_its_name_does_as_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a Python that has its own libcrypto inside."""
    ctypes.CDLL(name)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    ed25519.load.cache_clear()
    try:
        assert ed25519.verify(*(bytes.fromhex(VECTORS[0][place]) for place in (1, 3, 2)))
    finally:
        ed25519.load.cache_clear()


def test_without_any_library_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(ed25519, "LIBRARIES", ("libcrypto.so.0", "libc.so.6"))
    ed25519.load.cache_clear()
    try:
        with pytest.raises(ed25519.Ed25519Error, match="no libcrypto"):
            ed25519.verify(bytes(32), bytes(64), b"")
    finally:
        ed25519.load.cache_clear()
