"""Copies of packets are read as the kernel and as scapy write them; what an attacker shortens or forges is left out."""

import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.sources.packets import PREFIX_BYTES_MAX, Packet, Packets, packet_of, packets_in

SOURCE, DESTINATION = ip_address("203.0.113.5").packed, ip_address("192.0.2.1").packed
SOURCE6, DESTINATION6 = ip_address("2001:db8:2::5").packed, ip_address("2001:db8:1::1").packed
TCP_HEADER = struct.pack(">HHIIBBHHH", 40000, 22, 1, 2, 5 << 4, 0x12, 1000, 0, 0)


def udp(payload: bytes, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", 40000, 22022, 8 + len(payload) if length is None else length, 0) + payload


def ipv4(inner: bytes, protocol: int, options: bytes = b"", fragment: int = 0, total: int | None = None) -> bytes:
    words = 5 + len(options) // 4
    size = words * 4 + len(inner) if total is None else total
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, size, 1, fragment, 64, protocol, 0, SOURCE, DESTINATION)
    return head + options + inner


def ipv6(inner: bytes, protocol: int) -> bytes:
    return struct.pack(">IHBB16s16s", 6 << 28, len(inner), protocol, 64, SOURCE6, DESTINATION6) + inner


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def record(packet: bytes, prefix: bytes = b"dw:knock", kind: int = 4 << 8) -> bytes:
    body = struct.pack(">BBH", socket.AF_INET, 0, 6) + attribute(1, b"\x08\0\0\0") + attribute(10, prefix + b"\0")
    body += attribute(4, b"\0\0\0\2") + attribute(9, packet)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


KNOCK = Packet(b"dw:knock", SOURCE, DESTINATION, 17, 40000, 22022, 0, b"payload")


def test_several_records_come_in_one_datagram() -> None:
    data = record(ipv4(udp(b"payload"), 17)) + record(ipv4(TCP_HEADER, 6), b"dw:in:tcp")
    data += record(b"", kind=3) + record(ipv6(udp(b"six"), 17))
    packets, damaged = packets_in(data, len(data))
    assert packets == [
        KNOCK,
        Packet(b"dw:in:tcp", SOURCE, DESTINATION, 6, 40000, 22, 0x12, b"", 5 << 16 | 1000),
        Packet(b"dw:knock", SOURCE6, DESTINATION6, 17, 40000, 22022, 0, b"six"),
    ]
    assert damaged == 0


def test_headers_of_any_length_are_passed() -> None:
    assert packet_of(b"dw:knock", ipv4(udp(b"payload"), 17, options=b"\1" * 12)) == KNOCK
    hop_by_hop, destination = struct.pack(">BB6x", 60, 0), struct.pack(">BB14x", 17, 1)
    behind = packet_of(b"", ipv6(hop_by_hop + destination + udp(b"six"), 0))
    assert behind is not None
    assert (behind.protocol, behind.port, behind.payload) == (17, 22022, b"six")


def test_what_is_behind_the_datagram_is_none_of_it() -> None:
    """Ethernet fills short packets up."""
    assert packet_of(b"dw:knock", ipv4(udp(b"payload"), 17, total=35) + b"\0" * 20) == KNOCK


def test_a_fragment_has_no_ports() -> None:
    assert packet_of(b"", ipv4(udp(b"x"), 17, fragment=3)) == Packet(b"", SOURCE, DESTINATION, 17, 0, 0, 0, b"")
    later = packet_of(b"", ipv6(struct.pack(">BxHI", 17, 8, 1) + udp(b"x"), 44))
    assert later is not None
    assert (later.protocol, later.port) == (-1, 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ipv4(udp(b"payload"), 17)[:27],
        ipv4(udp(b"payload", length=7), 17),
        ipv4(udp(b"payload", length=16), 17),
        ipv4(udp(b"payload"), 17, total=19),
        ipv4(TCP_HEADER[:13], 6),
        ipv6(udp(b"payload", length=99), 17),
        b"\x41" + ipv4(udp(b"payload"), 17)[1:],
        b"\x50" + bytes(60),
    ],
)
def test_what_does_not_fit_its_own_lengths_is_no_packet(packet: bytes) -> None:
    assert packet_of(b"", packet) is None
    data = record(packet)
    assert packets_in(data, len(data)) == ([], 1)


def test_a_copy_that_was_cut_gives_what_there_is() -> None:
    cut = packet_of(b"dw:knock", ipv4(udp(b"payload"), 17)[:-3])
    assert cut == KNOCK._replace(payload=b"payl")


def test_a_record_longer_than_the_datagram_ends_it() -> None:
    whole = record(ipv4(udp(b"payload"), 17))
    data = whole + struct.pack("=IHHII", 4000, 4 << 8, 0, 0, 0) + whole
    assert packets_in(data, len(data)) == ([KNOCK], 1)


def test_a_long_prefix_is_cut() -> None:
    data = record(ipv4(udp(b""), 17), b"x" * 500)
    assert len(packets_in(data, len(data))[0][0].prefix) < PREFIX_BYTES_MAX


@given(some.binary(max_size=400))
def test_noise_raises_nothing(data: bytes) -> None:
    packets_in(data, len(data))
    packet_of(b"", data)
    packets_in(record(data), len(record(data)))


@given(some.integers(0, 79), some.integers(0, 255))
def test_a_forged_byte_raises_nothing(place: int, byte: int) -> None:
    data = bytearray(record(ipv4(udp(b"payload"), 17)))
    data[place % len(data)] = byte
    packets, damaged = packets_in(data, len(data))
    assert len(packets) + damaged <= 2


def test_reading_never_waits_and_is_bounded() -> None:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    reader = Packets(ours.detach())
    with kernels:
        assert reader.read(10) == []
        for _ in range(5):
            kernels.send(record(ipv4(udp(b"payload"), 17)))
        assert reader.read(3) == [KNOCK] * 3
        assert reader.read(10) == [KNOCK] * 2
        kernels.send(record(b""))
        assert (reader.read(10), reader.damaged) == ([], 1)
    reader.close()
