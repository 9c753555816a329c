"""Packets made by hand: the first one of a connection, a datagram or a ping, as it comes in from a cable."""

import struct
from ipaddress import IPv6Address

from durward.facts.packet import ICMP_NUMBERS, Packet

TCP, UDP = 6, 17
SOURCE_PORT = 49_152
HOPS = 64
SYN = 0x02
WINDOW_BYTES = 64_240


def frame(packet: Packet, sender: bytes, receiver: bytes) -> bytes:
    """The packet in a frame from one hardware address to another."""
    six = isinstance(packet.source, IPv6Address)
    return receiver + sender + (b"\x86\xdd" if six else b"\x08\x00") + _datagram(packet, six=six)


def echo_request(packet: Packet) -> bytes:
    """The ICMP message of a ping, with its checksum."""
    return _with_checksum(_pseudo(packet, 8), struct.pack("!BBHHH", _echo(packet), 0, 0, 1, 1), 2)


def _datagram(packet: Packet, *, six: bool) -> bytes:
    protocol, segment = _segment(packet)
    ends = packet.source.packed + packet.destination.packed
    if six:
        return struct.pack("!IHBB", 6 << 28, len(segment), protocol, HOPS) + ends + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, HOPS, protocol, 0) + ends
    return _with_checksum(b"", header, 10) + segment


def _segment(packet: Packet) -> tuple[int, bytes]:
    """The protocol's number and what the packet carries."""
    if packet.protocol == "icmp":
        return ICMP_NUMBERS[packet.source.version], echo_request(packet)
    if packet.protocol == "udp":
        datagram = struct.pack("!HHHH", SOURCE_PORT, packet.port, 8, 0)
        return UDP, _with_checksum(_pseudo(packet, len(datagram), UDP), datagram, 6)
    opening = struct.pack("!HHIIBBHHH", SOURCE_PORT, packet.port, 1, 0, 5 << 4, SYN, WINDOW_BYTES, 0, 0)
    return TCP, _with_checksum(_pseudo(packet, len(opening), TCP), opening, 16)


def _echo(packet: Packet) -> int:
    return 8 if packet.source.version == 4 else 128


def _pseudo(packet: Packet, length: int, protocol: int | None = None) -> bytes:
    """What a checksum counts besides; that of ICMP for IPv4 counts nothing else."""
    ends = packet.source.packed + packet.destination.packed
    if packet.source.version == 6:
        return ends + struct.pack("!II", length, ICMP_NUMBERS[6] if protocol is None else protocol)
    return b"" if protocol is None else ends + struct.pack("!HH", protocol, length)


def _with_checksum(before: bytes, data: bytes, place: int) -> bytes:
    counted = before + data
    total = sum(struct.unpack(f"!{len(counted) // 2}H", counted))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:place] + struct.pack("!H", (~total & 0xFFFF) or 0xFFFF) + data[place + 2 :]
