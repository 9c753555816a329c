"""Packets made by hand and put on the cable: any source, any flags, as fast as one process can."""

import socket
import struct
from collections.abc import Iterable
from ipaddress import ip_address

from tests.kernel.hosts import SERVER, SERVER6, Pair

TCP, UDP = 6, 17
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128}


def tcp(source: str, port: int, flags: Iterable[str] = ("syn",), to: str = "", source_port: int = 40_000) -> bytes:
    """An IP packet with a TCP header and nothing in it."""
    bits = sum(FLAGS[flag] for flag in flags)
    header = struct.pack("!HHIIBBHHH", source_port, port, 1_000, 0, 5 << 4, bits, 1_024, 0, 0)
    return _packet(source, to, TCP, header, 16)


def udp(source: str, port: int, text: bytes, to: str = "", source_port: int = 40_000) -> bytes:
    """An IP packet with a datagram."""
    return _packet(source, to, UDP, struct.pack("!HHHH", source_port, port, 8 + len(text), 0) + text, 6)


def put(pair: Pair, packets: Iterable[bytes]) -> None:
    """Send packets from the client's end of the cable to the server."""
    hardware = pair.server.hardware("outer")
    with pair.client.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sending:
        sending.bind(("near", 0))
        for packet in packets:
            sending.send(head_to(hardware, six=packet[0] >> 4 == 6) + packet)


def head_to(hardware: str, *, six: bool) -> bytes:
    """The head of a frame to a hardware address; from whom, nobody asks."""
    return bytes.fromhex(hardware.replace(":", "")) + b"\x02\0\0\0\0\1" + (b"\x86\xdd" if six else b"\x08\x00")


def _packet(source: str, to: str, protocol: int, segment: bytes, place: int) -> bytes:
    six = ":" in source
    ends = ip_address(source).packed + ip_address(to or (SERVER6 if six else SERVER)).packed
    pseudo = ends + struct.pack(
        "!II" if six else "!HH", *((len(segment), protocol) if six else (protocol, len(segment)))
    )
    segment = segment[:place] + struct.pack("!H", _checksum(pseudo + segment)) + segment[place + 2 :]
    if six:
        return struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64) + ends + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, protocol, 0) + ends
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + segment


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
