"""Reads the kernel's trace of marked packets: which rules they came to, and what those said."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from durward.facts.failure import FactsError
from durward.ruleset.journey import Hit

NETLINK_NETFILTER = 12
SOL_NETLINK, ADD_MEMBERSHIP, GROUP_TRACE = 270, 1, 9
TRACE_MESSAGE = 10 << 8 | 17  # of nf_tables: NFT_MSG_TRACE
HEADER = struct.Struct("=IHHII")
FAMILY_BYTES = 4  # struct nfgenmsg
ATTRIBUTE = struct.Struct("=HH")
NESTED = 0x3FFF  # the bits of a type that are not flags
TABLE, CHAIN, HANDLE, TYPE, VERDICT, NETWORK, TRANSPORT, EXIT = 1, 2, 3, 4, 5, 8, 9, 12  # NFTA_TRACE_…
CODE, TARGET = 1, 2  # NFTA_VERDICT_…
A_RULE = 3  # NFT_TRACETYPE_RULE; the others are ends of chains
VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -2: "break"} | {
    -3: "jump",
    -4: "goto",
    -5: "return",
}
RECEIVE_BYTES = 1 << 16
BUFFER_BYTES = 4 << 20  # for a packet's whole trace; one that does not fit is an error, never a wrong answer


class Sighting(NamedTuple):
    """A rule that a packet came to, and the packet's headers as they were then; the first rule of a chain has them.

    `exit_index` is the number of the card by which it leaves; 0 where it does not, or not yet.
    """

    hit: Hit
    network: bytes = b""
    transport: bytes = b""
    exit_index: int = 0


class Tracer:
    """Hears of every packet that is traced in the network namespace in which it was made, from then on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((0, 0))
        self._socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, GROUP_TRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def forget(self) -> None:
        """Drop what has come so far."""
        for _ in self.sightings(0.0):
            pass

    def sightings(self, seconds: float) -> Iterator[Sighting]:
        """The rules that packets come to, as they come, for so long. Raises FactsError."""
        until = time.monotonic() + seconds
        while True:
            self._socket.settimeout(max(until - time.monotonic(), 0.0))
            try:
                answer, (sender, _group) = self._socket.recvfrom(RECEIVE_BYTES)
            except (TimeoutError, BlockingIOError):
                return
            except OSError as error:
                raise FactsError(f"the kernel's trace cannot be read: {os.strerror(error.errno or 0)}") from None
            if sender == 0:  # the kernel
                yield from parsed(answer)


def parsed(answer: bytes) -> Iterator[Sighting]:
    """The rules that one answer of the kernel tells of. Raises FactsError for what is no such answer."""
    offset = 0
    while offset + HEADER.size <= len(answer):
        length, kind, _flags, _sequence, _port = HEADER.unpack_from(answer, offset)
        if length < HEADER.size or offset + length > len(answer):
            raise FactsError("the kernel's trace is not as expected")
        if kind == TRACE_MESSAGE:
            found = _attributes(answer[offset + HEADER.size + FAMILY_BYTES : offset + length])
            hit = _hit(found)
            if hit is not None:
                exit_index = int.from_bytes(found.get(EXIT, b""))
                yield Sighting(hit, found.get(NETWORK, b""), found.get(TRANSPORT, b""), exit_index)
        offset += length + 3 & ~3


def _hit(found: dict[int, bytes]) -> Hit | None:
    if int.from_bytes(found.get(TYPE, b"")) != A_RULE or HANDLE not in found:
        return None  # a chain has come to its end
    try:
        verdict = _attributes(found[VERDICT])
        code = int.from_bytes(verdict[CODE], signed=True)
        handle = int.from_bytes(found[HANDLE])
        return Hit(_text(found[TABLE]), _text(found[CHAIN]), handle, VERDICTS[code], _text(verdict.get(TARGET, b"")))
    except KeyError as error:
        raise FactsError(f"the kernel's trace is not as expected: {error} is missing or unknown") from None


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < ATTRIBUTE.size or offset + length > len(data):
            raise FactsError("the kernel's trace is not as expected")
        found[kind & NESTED] = data[offset + ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3
    return found


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")
