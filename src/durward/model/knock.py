"""The datagram of an authorised knock: who asks, when, for which address and how long; built and strictly read."""

import hashlib
import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from durward.model.address import Address, InvalidAddressError, parse_address

VERSION = 1
KEY_BYTES, SIGNATURE_BYTES, NONCE_BYTES, KEY_ID_BYTES = 32, 64, 16, 8
MINUTES_MAX = 10
NAME_CHARACTERS_MAX = 253  # of a host (RFC 1035, 2.3.4)
BODY = struct.Struct(f">B{KEY_ID_BYTES}sQ{NONCE_BYTES}s16sB")  # version, key, milliseconds, nonce, address, minutes
KNOCK_BYTES = BODY.size + SIGNATURE_BYTES
# No message of SSH begins like this (those begin with a length), so no signature made for one fits the other.
CONTEXT = b"durward knock 1\0"
NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
PORT_USUAL = 22022  # what `durward knock` sends to unless told otherwise; the server has no port until one is set


class InvalidKnockError(ValueError):
    """These bytes are no knock, or nobody could mean what they say; the message is one of few fixed texts."""


@dataclass(frozen=True, slots=True)
class Knock:
    """What is asked: open for `address` for some minutes. `sent_at` is in milliseconds since the epoch."""

    key_id: bytes
    sent_at: int
    nonce: bytes
    address: Address
    minutes: int

    def __post_init__(self) -> None:
        if len(self.key_id) != KEY_ID_BYTES or len(self.nonce) != NONCE_BYTES:
            raise InvalidKnockError("no key or no nonce")
        if not 0 <= self.sent_at < 1 << 64:
            raise InvalidKnockError("no time")
        if not 1 <= self.minutes <= MINUTES_MAX:
            raise InvalidKnockError(f"not for 1 to {MINUTES_MAX} minutes")
        if self.address.is_unspecified or self.address.is_multicast or _mapped(self.address):
            raise InvalidKnockError("not for an address that somebody can have")

    def body(self) -> bytes:
        """Everything but the signature."""
        packed = self.address.packed if self.address.version == 6 else b"\0" * 10 + b"\xff\xff" + self.address.packed
        return BODY.pack(VERSION, self.key_id, self.sent_at, self.nonce, packed, self.minutes)

    def signed_for(self, host: str) -> bytes:
        """What is signed: for a host by this name (`host_name` has written it) and for no other."""
        return CONTEXT + host.encode("ascii") + b"\0" + self.body()


def read_knock(datagram: bytes) -> tuple[Knock, bytes]:
    """The knock in a datagram, and its signature, which nobody has looked at yet. Raises InvalidKnockError."""
    if len(datagram) != KNOCK_BYTES:
        raise InvalidKnockError("not as long as a knock")
    version, key_id, sent_at, nonce, packed, minutes = BODY.unpack_from(datagram)
    if version != VERSION:
        raise InvalidKnockError("of another version")
    six = IPv6Address(packed)
    address: Address = six if six.ipv4_mapped is None else IPv4Address(packed[12:])
    return Knock(key_id, sent_at, nonce, address, minutes), datagram[BODY.size :]


def key_id_of(public_key: bytes) -> bytes:
    """By which a knock names the key that signed it."""
    return hashlib.sha256(public_key).digest()[:KEY_ID_BYTES]


def host_name(text: str) -> str:
    """The one spelling of a host's name or address that is signed. Raises ValueError for what is neither."""
    name = text.strip().lower().rstrip(".")
    try:
        return str(parse_address(name.strip("[]")))
    except InvalidAddressError:
        pass
    if not NAME.fullmatch(name) or len(name) > NAME_CHARACTERS_MAX:
        raise ValueError(f"{text!r} is no name of a host; letters, digits, dots and hyphens were expected")
    return name


def _mapped(address: Address) -> bool:
    """Whether an IPv4 address is spelt as an IPv6 one: each address has one spelling."""
    return isinstance(address, IPv6Address) and address.ipv4_mapped is not None
