"""Ed25519 by the libcrypto that Python itself is linked with, through ctypes; loaded when first needed."""

import ctypes
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from durward.model.knock import KEY_BYTES, SIGNATURE_BYTES

# The module of hashlib first: its library is in the process already, whichever version of it that is.
LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
ED25519 = 1087  # NID_ED25519 of openssl/obj_mac.h
POINTER, BYTES, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "EVP_PKEY_new_raw_public_key": (POINTER, [ctypes.c_int, POINTER, BYTES, SIZE]),
    "EVP_PKEY_new_raw_private_key": (POINTER, [ctypes.c_int, POINTER, BYTES, SIZE]),
    "EVP_PKEY_get_raw_public_key": (ctypes.c_int, [POINTER, BYTES, ctypes.POINTER(SIZE)]),
    "EVP_PKEY_free": (None, [POINTER]),
    "EVP_MD_CTX_new": (POINTER, []),
    "EVP_MD_CTX_free": (None, [POINTER]),
    "EVP_DigestVerifyInit": (ctypes.c_int, [POINTER, POINTER, POINTER, POINTER, POINTER]),
    "EVP_DigestVerify": (ctypes.c_int, [POINTER, BYTES, SIZE, BYTES, SIZE]),
    "EVP_DigestSignInit": (ctypes.c_int, [POINTER, POINTER, POINTER, POINTER, POINTER]),
    "EVP_DigestSign": (ctypes.c_int, [POINTER, BYTES, ctypes.POINTER(SIZE), BYTES, SIZE]),
    "ERR_clear_error": (None, []),
}


class Ed25519Error(OSError):
    """There is no library with Ed25519, or it refuses to work."""


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` of `message` was made with the private half of `public_key`. Raises Ed25519Error."""
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    library = load()
    with _key(library, "EVP_PKEY_new_raw_public_key", public_key) as key, _context(library) as context:
        _check(library, library.EVP_DigestVerifyInit(context, None, None, None, key), "verify")
        fits: bool = library.EVP_DigestVerify(context, signature, SIGNATURE_BYTES, message, len(message)) == 1
    library.ERR_clear_error()  # a wrong signature is no error of ours
    return fits


def sign(private_key: bytes, message: bytes) -> bytes:
    """The signature of `message` by the 32 bytes of a private key. Raises Ed25519Error."""
    library = load()
    signature, length = ctypes.create_string_buffer(SIGNATURE_BYTES), SIZE(SIGNATURE_BYTES)
    with _key(library, "EVP_PKEY_new_raw_private_key", private_key) as key, _context(library) as context:
        _check(library, library.EVP_DigestSignInit(context, None, None, None, key), "sign")
        done = library.EVP_DigestSign(context, signature, ctypes.byref(length), message, len(message))
        _check(library, done, "sign")
    return signature.raw


def public_key_of(private_key: bytes) -> bytes:
    """The public half of a private key. Raises Ed25519Error."""
    library = load()
    public, length = ctypes.create_string_buffer(KEY_BYTES), SIZE(KEY_BYTES)
    with _key(library, "EVP_PKEY_new_raw_private_key", private_key) as key:
        _check(library, library.EVP_PKEY_get_raw_public_key(key, public, ctypes.byref(length)), "derive a key")
    return public.raw


@cache
def load() -> ctypes.CDLL:
    """Load the library. Raises Ed25519Error where none of the usual ones can do Ed25519."""
    reasons = []
    for name in _candidates():
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in FUNCTIONS.items():
                getattr(library, function).argtypes = arguments
                getattr(library, function).restype = result
        except (OSError, AttributeError) as error:
            reasons.append(str(error))
            continue
        return library
    raise Ed25519Error(f"signatures cannot be checked, because there is no libcrypto: {'; '.join(reasons)}")


def _candidates() -> Iterator[str]:
    found = importlib.util.find_spec("_hashlib")
    if found is not None and found.has_location and found.origin:  # without one it is a part of Python itself
        yield found.origin
    yield from LIBRARIES


@contextmanager
def _key(library: ctypes.CDLL, function: str, raw: bytes) -> Iterator[int]:
    if len(raw) != KEY_BYTES:
        raise Ed25519Error(f"a key of Ed25519 has {KEY_BYTES} bytes, not {len(raw)}")
    key = getattr(library, function)(ED25519, None, raw, KEY_BYTES)
    _check(library, key, "take a key")
    try:
        yield key
    finally:
        library.EVP_PKEY_free(key)


@contextmanager
def _context(library: ctypes.CDLL) -> Iterator[int]:
    context = library.EVP_MD_CTX_new()
    _check(library, context, "begin")
    try:
        yield context
    finally:
        library.EVP_MD_CTX_free(context)


def _check(library: ctypes.CDLL, done: object, what: str) -> None:
    if done not in (None, 0) and (not isinstance(done, int) or done > 0):
        return
    library.ERR_clear_error()
    raise Ed25519Error(f"libcrypto could not {what}")
