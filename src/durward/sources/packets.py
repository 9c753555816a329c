"""Reads the kernel's copies of packets (NFLOG) from a descriptor that somebody else opened: strict, bounded, and fast.

Whoever sent a packet has written what is in it. What does not fit the lengths that it claims is counted and left out.
"""

import os
import struct
from typing import NamedTuple

READ_BYTES = 1 << 18  # more than the kernel gathers into one datagram
RECORD = 4 << 8  # NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
HEAD = struct.Struct("=IHHII")  # of a message: length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")  # length, type
TYPE_MASK = 0x3FFF
PAYLOAD, PREFIX, USER = 9, 10, 11  # NFULA_…
PREFIX_BYTES_MAX = 128  # the kernel's own limit
IPV4 = struct.Struct(">BxHxxHxBxx4s4s")  # version, length, fragment, protocol, addresses
IPV6 = struct.Struct(">BxxxHBx16s16s")  # version, length, next header, addresses
PORTS = struct.Struct(">HH")
TCP_HEADER = struct.Struct(">HH8xBBH")  # ports, length of the header, flags, window
NUMBER = struct.Struct(">I")
LENGTH = struct.Struct(">H")
TCP, UDP, FRAGMENT = 6, 17, 44
PORTED = frozenset({33, 132, 136})  # DCCP, SCTP, UDP-Lite: their headers begin with ports too
EXTENSIONS = frozenset({0, 43, 60})  # hop-by-hop, routing, destination options (RFC 8200, 4.1)
EXTENSIONS_MAX = 8  # of one packet; what is behind them is not looked at


class Packet(NamedTuple):
    """One packet as it was copied. A tuple, because very many come in a flood.

    `prefix` is the word of the rule that copied it; addresses are packed, 4 or 16 bytes; ports are 0 where the protocol
    or a fragment has none; `flags` are TCP's. `payload` is what is behind the header of UDP, as far as it was copied.
    """

    prefix: bytes
    source: bytes
    destination: bytes
    protocol: int
    source_port: int
    port: int
    flags: int
    payload: bytes
    shape: int = 0
    user: int = -1


class Packets:
    """Everything that one descriptor gives; `damaged` counts what was no packet.

    Only the kernel, and whoever may change its rules, can write to such a socket: senders are not asked for.
    """

    def __init__(self, descriptor: int) -> None:
        self.damaged = 0
        self._descriptor = descriptor
        self._buffer = bytearray(READ_BYTES)

    def fileno(self) -> int:
        """The descriptor, to wait for."""
        return self._descriptor

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def read(self, datagrams_max: int) -> list[Packet]:
        """What has come, from so many datagrams of the kernel at most; never waits. Raises OSError."""
        packets: list[Packet] = []
        for _ in range(datagrams_max):
            try:
                length = os.readv(self._descriptor, [self._buffer])
            except (BlockingIOError, InterruptedError):
                break
            if length == 0:
                break
            found, damaged = packets_in(self._buffer, length)
            packets += found
            self.damaged += damaged
        return packets


def packets_in(data: bytes | bytearray, end: int) -> tuple[list[Packet], int]:
    """The packets in a datagram of `end` bytes, and how many records in it were damaged."""
    packets: list[Packet] = []
    position = damaged = 0
    while position + 16 <= end:
        length, kind, _, _, _ = HEAD.unpack_from(data, position)
        if length < 16 or position + length > end:
            return packets, damaged + 1
        if kind == RECORD:
            packet = _packet(data, position + 20, position + length)
            if packet is None:
                damaged += 1
            else:
                packets.append(packet)
        position += (length + 3) & ~3
    return packets, damaged


def _packet(data: bytes | bytearray, position: int, end: int) -> Packet | None:
    """The packet in one record, whose attributes lie between two positions."""
    prefix, user, unpack = b"", -1, ATTRIBUTE.unpack_from
    while position + 4 <= end:
        length, kind = unpack(data, position)
        if length < 4 or position + length > end:
            return None
        kind &= TYPE_MASK
        if kind == PAYLOAD:  # the kernel writes it last
            packet = packet_of(prefix, bytes(data[position + 4 : position + length]))
            return packet if user < 0 or packet is None else packet._replace(user=user)
        if kind == PREFIX:
            prefix = bytes(data[position + 4 : position + min(length, 4 + PREFIX_BYTES_MAX) - 1])
        elif kind == USER and length >= 8:
            (user,) = NUMBER.unpack_from(data, position + 4)
        position += (length + 3) & ~3
    return None


def packet_of(prefix: bytes, data: bytes) -> Packet | None:
    """Read the headers of one packet; None where they are none."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        version, total, fragment, protocol, source, destination = IPV4.unpack_from(data)
        start = (version & 15) * 4
        if start < 20 or total < start:
            return None
        if fragment & 0x1FFF:  # not the first piece: it has no ports
            return Packet(prefix, source, destination, protocol, 0, 0, 0, b"")
        return _with_ports((prefix, source, destination, protocol), data, start, total)
    if len(data) >= 40 and data[0] >> 4 == 6:
        _, length, protocol, source, destination = IPV6.unpack_from(data)
        start = 40
        if protocol in EXTENSIONS or protocol == FRAGMENT:
            protocol, start = _behind_extensions(data, protocol)
        return _with_ports((prefix, source, destination, protocol), data, start, 40 + length)
    return None


def _with_ports(head: tuple[bytes, bytes, bytes, int], data: bytes, start: int, end: int) -> Packet | None:
    """The packet whose transport header begins at `start`, and which says of itself that it ends at `end`."""
    copied, protocol = min(end, len(data)), head[3]
    if protocol == TCP:
        if copied < start + 16:
            return _cut(head, data, start, copied)
        source_port, port, words, flags, window = TCP_HEADER.unpack_from(data, start)
        return Packet(*head, source_port, port, flags, b"", words >> 4 << 16 | window)
    if protocol == UDP:
        return _udp(head, data, start, end)
    if protocol in PORTED and copied >= start + 4:
        source_port, port = PORTS.unpack_from(data, start)
        return Packet(*head, source_port, port, 0, b"")
    return Packet(*head, 0, 0, 0, b"")


def _udp(head: tuple[bytes, bytes, bytes, int], data: bytes, start: int, end: int) -> Packet | None:
    """The packet with its datagram; None where its lengths do not fit."""
    if min(end, len(data)) < start + 8:
        return None
    source_port, port = PORTS.unpack_from(data, start)
    (length,) = LENGTH.unpack_from(data, start + 4)
    if length < 8 or start + length > end:
        return None
    return Packet(*head, source_port, port, 0, data[start + 8 : start + length])


def _cut(head: tuple[bytes, bytes, bytes, int], data: bytes, start: int, copied: int) -> Packet | None:
    """A TCP header of which the window is missing; None where the flags are too."""
    if copied < start + 14:
        return None
    source_port, port = PORTS.unpack_from(data, start)
    return Packet(*head, source_port, port, data[start + 13], b"")


def _behind_extensions(data: bytes, protocol: int) -> tuple[int, int]:
    """The protocol behind IPv6's extension headers, and where its header begins; -1 where it has none or is cut."""
    start = 40
    for _ in range(EXTENSIONS_MAX):
        if start + 8 > len(data):
            return -1, start
        if protocol == FRAGMENT:
            if LENGTH.unpack_from(data, start + 2)[0] & 0xFFF8:
                return -1, start
            protocol, start = data[start], start + 8
        elif protocol in EXTENSIONS:
            protocol, start = data[start], start + (data[start + 1] + 1) * 8
        else:
            return protocol, start
    return -1, start
