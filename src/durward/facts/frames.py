"""Packets made by hand: the first one of a connection, a datagram or a ping, and what would answer it."""

import socket
import struct

from durward.facts.packet import ICMP_NUMBERS, Packet

TCP, UDP = 6, 17
SOURCE_PORT = 49_152
HOPS = 64
SYN, SYN_ACK = 0x02, 0x12
WINDOW_BYTES = 64_240
ECHO, ECHO_REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
CHECKSUM_PLACES = {TCP: 16, UDP: 6, ICMP_NUMBERS[4]: 2, ICMP_NUMBERS[6]: 2}


def opening(packet: Packet) -> bytes:
    """The IP datagram that begins what is asked about."""
    number, segment = _opening_segment(packet)
    return _datagram(packet.source.packed, packet.destination.packed, number, segment)


def echo_request(packet: Packet) -> bytes:
    """The ICMP message of a ping, with its checksum."""
    number, segment = _opening_segment(packet)
    return _with_checksum(_pseudo(packet.source.packed, packet.destination.packed, number, len(segment)), segment, 2)


def answer_to(network: bytes, transport: bytes) -> bytes:
    """The datagram that answers one with these headers, as whoever got it would send it."""
    six = network[0] >> 4 == 6
    source, destination = (network[8:24], network[24:40]) if six else (network[12:16], network[16:20])
    number, ports = network[6 if six else 9], transport[2:4] + transport[:2]
    if number == TCP:
        acknowledged = int.from_bytes(transport[4:8]) + 1 & 0xFFFFFFFF
        segment = ports + struct.pack("!IIBBHHH", 1, acknowledged, 5 << 4, SYN_ACK, WINDOW_BYTES, 0, 0)
    elif number == UDP:
        segment = ports + struct.pack("!HH", 8, 0)
    else:
        segment = struct.pack("!BBH", ECHO_REPLY[6 if six else 4], 0, 0) + transport[4:8]
    return _datagram(destination, source, number, segment)


def framed(datagram: bytes, sender: bytes, receiver: bytes) -> bytes:
    """A datagram in a frame from one hardware address to another."""
    return receiver + sender + (b"\x86\xdd" if datagram[0] >> 4 == 6 else b"\x08\x00") + datagram


def receiver_of(datagram: bytes) -> str:
    """The address that a datagram goes to."""
    if datagram[0] >> 4 == 6:
        return socket.inet_ntop(socket.AF_INET6, datagram[24:40])
    return socket.inet_ntop(socket.AF_INET, datagram[16:20])


def _opening_segment(packet: Packet) -> tuple[int, bytes]:
    """The protocol's number and what the packet carries, without the checksum."""
    if packet.protocol == "icmp":
        version = packet.source.version
        return ICMP_NUMBERS[version], struct.pack("!BBHHH", ECHO[version], 0, 0, 1, 1)
    if packet.protocol == "udp":
        return UDP, struct.pack("!HHHH", SOURCE_PORT, packet.port, 8, 0)
    return TCP, struct.pack("!HHIIBBHHH", SOURCE_PORT, packet.port, 1, 0, 5 << 4, SYN, WINDOW_BYTES, 0, 0)


def _datagram(source: bytes, destination: bytes, number: int, segment: bytes) -> bytes:
    pseudo = _pseudo(source, destination, number, len(segment))
    segment = _with_checksum(pseudo, segment, CHECKSUM_PLACES[number])
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(segment), number, HOPS) + source + destination + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, HOPS, number, 0) + source + destination
    return _with_checksum(b"", header, 10) + segment


def _pseudo(source: bytes, destination: bytes, number: int, length: int) -> bytes:
    """What a checksum counts besides; that of ICMP for IPv4 counts nothing else."""
    return b"" if number == ICMP_NUMBERS[4] else source + destination + struct.pack("!II", length, number)


def _with_checksum(before: bytes, data: bytes, place: int) -> bytes:
    counted = before + data
    total = sum(struct.unpack(f"!{len(counted) // 2}H", counted))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:place] + struct.pack("!H", (~total & 0xFFFF) or 0xFFFF) + data[place + 2 :]
