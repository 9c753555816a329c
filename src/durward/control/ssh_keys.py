"""Reads a private key of Ed25519 as OpenSSH keeps it in a file (openssh-key-v1); encrypted ones give their public half.

The format is described in PROTOCOL.key of OpenSSH.
"""

import base64
import binascii
import struct
from dataclasses import dataclass, field

from durward.config.knock_keys import KIND, parse_line, public_key_in
from durward.model.knock import KEY_BYTES

FILE_BYTES_MAX = 64 * 1024  # of a key file; a larger one is refused
BEGIN, END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
MAGIC = b"openssh-key-v1\0"
LENGTH = struct.Struct(">I")


class SshKeyError(ValueError):
    """A file or an answer of ssh-agent that is not what it should be; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """One key of Ed25519. `private` is its 32 bytes; None where the file is encrypted, or has the public half only."""

    public: bytes
    private: bytes | None = field(repr=False, default=None)
    encrypted: bool = False


class Reader:
    """Takes apart what SSH writes: numbers and strings with their lengths. Raises SshKeyError beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self._position + count
        if end > len(self._data):
            raise SshKeyError("the key is damaged: it ends too early")
        taken, self._position = self._data[self._position : end], end
        return taken

    def number(self) -> int:
        """The next number of four bytes."""
        return int(LENGTH.unpack(self.take(4))[0])

    def string(self) -> bytes:
        """The next string."""
        return self.take(self.number())

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._data) - self._position)


def string(data: bytes) -> bytes:
    """A string as SSH writes it."""
    return LENGTH.pack(len(data)) + data


def read_key(text: str) -> SshKey:
    """The key in the text of a file, private or public. Raises SshKeyError."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines and lines[0] == BEGIN:
        return _read_private(lines)
    if lines and lines[0].startswith("-----BEGIN"):
        raise SshKeyError("this is no key of OpenSSH's own form; `ssh-keygen -t ed25519` makes one")
    try:
        return SshKey(parse_line(lines[0] if lines else "").public)
    except ValueError as error:
        raise SshKeyError(str(error)) from None


def _read_private(lines: list[str]) -> SshKey:
    if lines[-1] != END:
        raise SshKeyError("the key is damaged: its last line is missing")
    try:
        reader = Reader(base64.b64decode("".join(lines[1:-1]), validate=True))
    except binascii.Error:
        raise SshKeyError("the key is damaged: it is no base64") from None
    if reader.take(len(MAGIC)) != MAGIC:
        raise SshKeyError("the key is damaged: it does not begin as a key does")
    cipher, _derivation, _options = reader.string(), reader.string(), reader.string()
    if reader.number() != 1:
        raise SshKeyError("a file with one key was expected")
    public = _public(reader.string())
    secret = reader.string()
    if reader.rest() and cipher == b"none":
        raise SshKeyError("the key is damaged: something stands behind it")
    if cipher != b"none":
        return SshKey(public, encrypted=True)
    return SshKey(public, _private(secret, public))


def _public(blob: bytes) -> bytes:
    kind = Reader(blob).string().decode(errors="replace")
    if kind != KIND:
        raise SshKeyError(f"a key of kind {kind[:40]} cannot knock; `ssh-keygen -t ed25519` makes one that can")
    try:
        return public_key_in(blob)
    except ValueError as error:
        raise SshKeyError(str(error)) from None


def _private(secret: bytes, public: bytes) -> bytes:
    reader = Reader(secret)
    if reader.number() != reader.number():
        raise SshKeyError("the key is damaged: its check numbers differ")
    if reader.string().decode(errors="replace") != KIND or reader.string() != public:
        raise SshKeyError("the key is damaged: its halves do not belong together")
    both = reader.string()
    reader.string()  # the comment
    padding = reader.rest()
    if len(both) != 2 * KEY_BYTES or both[KEY_BYTES:] != public or padding != bytes(range(1, len(padding) + 1)):
        raise SshKeyError("the key is damaged: its halves do not belong together")
    return both[:KEY_BYTES]
