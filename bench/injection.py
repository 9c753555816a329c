"""Packets put into a driver without a sender: what a packet costs is not hidden behind the making of it.

A program of a few instructions (XDP, run by BPF_PROG_TEST_RUN with live frames) writes a source into a frame and hands
it to one end of a cable, in lots of 64. The driver of the other end takes them from its queue as a network card's does
(NAPI, GRO), and the kernel receives them. All of that is processor time of one system call.
"""

import ctypes
import fcntl
import os
import platform
import socket
import struct
import time
from contextlib import ExitStack
from ipaddress import IPv4Address
from types import TracebackType
from typing import Self

from tests.kernel.frames import head_to, tcp
from tests.kernel.namespaces import Namespace, join

SERVER, GATEWAY = "192.0.2.1", "192.0.2.2"
BPF_CALLS = {"x86_64": 321, "aarch64": 280}
PROGRAM_LOAD, TEST_RUN, XDP, LIVE_FRAMES = 5, 10, 6, 2
SET_INTERFACE, TAP_WITHOUT_HEADER = 0x400454CA, 0x0002 | 0x1000  # TUNSETIFF
ETHERNET_TOOL, SET_RECEIVE_OFFLOAD = 0x8946, 0x2C  # SIOCETHTOOL, ETHTOOL_SGRO
# Places in the frame that are written; all but the source were zero. What is added at one is taken away at the next, so
IDENTITY, SOURCE, SOURCE_PORT, SEQUENCE, ACKNOWLEDGED, FRAME_BYTES = 18, 26, 34, 38, 44, 54
RANDOM_NUMBER, REDIRECT = 7, 23  # functions of the kernel
# Operations of the kernel's machine: on registers, with a number, and on 32 bits where the name says so.
MOVE, COPY, MOVE32, ADD, PLUS, AND, SHIFT_RIGHT, XOR, MODULO = 0xB7, 0xBF, 0xB4, 0x07, 0x0F, 0x57, 0x77, 0xA7, 0x97
LOAD32, STORE32, STORE16, BIG_ENDIAN, GREATER, JUMP, CALL, EXIT = 0x61, 0x63, 0x6B, 0xDC, 0x2D, 0x05, 0x85, 0x95
LOW = 0xFFFF
libc = ctypes.CDLL(None, use_errno=True)


class Injector:
    """A server behind a cable, and the other end of the cable, from which `inject` sends."""

    def __init__(self) -> None:
        with ExitStack() as places:
            self.server, self.street = Namespace(), Namespace()
            places.callback(self.server.close)
            places.callback(self.street.close)
            join(self.street, "near", self.server, "outer")
            _receive_as_cards_do(self.server, "outer")
            with self.street.inside():
                # Frames are made as if they came from here; the interface of the loopback would not do.
                tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
                places.callback(os.close, tap)
                fcntl.ioctl(tap, SET_INTERFACE, struct.pack("16sH22x", b"origin", TAP_WITHOUT_HEADER))
                self._origin, self._near = map(socket.if_nametoindex, ("origin", "near"))
            self.street.ip("link set origin up")
            self.server.address("outer", f"{SERVER}/24")
            self.street.address("near", f"{GATEWAY}/24")
            self.street.knows("near", self.server.hardware("outer"), SERVER)
            self.server.knows("outer", self.street.hardware("near"), GATEWAY)
            self.server.ip(f"route add default via {GATEWAY}")
            self._hardware = self.server.hardware("outer")
            self._programs: dict[tuple[str, int], int] = {}
            self._places = places.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        for program in self._programs.values():
            os.close(program)
        self._places.close()

    def cost(self, first: str, sources: int, count: int) -> float:
        """Nanoseconds of processor time for each of `count` SYNs; what a call costs by itself is taken off."""
        alone = self.inject(first, sources, 1)
        return (self.inject(first, sources, count + 1) - alone) / count

    def inject(self, first: str, sources: int, count: int, port: int = 22) -> int:
        """Have `count` SYNs arrive, each from any source port of any of `sources` addresses that begin with `first`.

        Gives nanoseconds of processor time for all. Raises OSError.
        """
        frame = head_to(self._hardware, six=False) + tcp(first, port, to=SERVER, source_port=0)
        data = ctypes.create_string_buffer(frame, len(frame))
        context = ctypes.create_string_buffer(struct.pack("<6I", 0, len(frame), 0, self._origin, 0, 0), 24)
        program = self._program(first, sources)
        attributes = struct.pack("<IIIIQQIIII", program, 0, len(frame), 0, ctypes.addressof(data), 0, count, 0, 24, 0)
        attributes += struct.pack("<QQII", ctypes.addressof(context), 0, LIVE_FRAMES, 0)
        with self.street.inside():
            began = time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID)
            _bpf(TEST_RUN, attributes)
            return time.clock_gettime_ns(time.CLOCK_THREAD_CPUTIME_ID) - began

    def let_through(self, first: str, sources: int, count: int, port: int = 22) -> int:
        """How many of `count` SYNs reach TCP."""
        before = _segments(self.server)
        self.inject(first, sources, count, port)
        return _segments(self.server) - before

    def _program(self, first: str, sources: int) -> int:
        if (first, sources) not in self._programs:
            text = _bounds() + _vary_port() + (_vary_source(first, sources) if sources > 1 else b"")
            text += _do(MOVE, 1, number=self._near) + _do(MOVE, 2) + _do(CALL, number=REDIRECT) + _do(EXIT)
            self._programs[first, sources] = _load(text)
        return self._programs[first, sources]


def _receive_as_cards_do(namespace: Namespace, name: str) -> None:
    """Have the driver of a cable's end use a queue of its own (NAPI), and receive in lots (GRO)."""
    wanted = ctypes.create_string_buffer(struct.pack("II", SET_RECEIVE_OFFLOAD, 1), 8)
    with namespace.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, ETHERNET_TOOL, struct.pack("16sQ16x", name.encode(), ctypes.addressof(wanted)))


def _segments(namespace: Namespace) -> int:
    lines = [line.split() for line in namespace.run("cat", "/proc/net/snmp").splitlines()]
    names, values = (words for words in lines if words[0] == "Tcp:")
    return int(values[names.index("InSegs")])


def _bounds() -> bytes:
    """Registers 6 and 7 are the ends of the frame; the kernel wants to see that it is asked how long it is."""
    return (
        _do(COPY, 6, 1)
        + _do(LOAD32, 7, 6, 4)
        + _do(LOAD32, 6, 6, 0)
        + _do(COPY, 2, 6)
        + _do(ADD, 2, number=FRAME_BYTES)
        + _do(GREATER, 2, 7, 1)
        + _do(JUMP, place=2)
        + _do(MOVE, 0, number=1)
        + _do(EXIT)
    )


def _vary_port() -> bytes:
    return (
        _do(CALL, number=RANDOM_NUMBER)
        + _do(AND, 0, number=LOW)
        + _do(STORE16, 6, 0, SOURCE_PORT)
        + _do(XOR, 0, number=LOW)
        + _do(STORE16, 6, 0, SEQUENCE)
    )


def _vary_source(first: str, sources: int) -> bytes:
    """Write any of the sources, and what makes up for it in one's complement sums."""
    number = int(IPv4Address(first))
    return (
        _do(CALL, number=RANDOM_NUMBER)
        + _do(MODULO, 0, number=sources)
        + _do(MOVE32, 1, number=struct.unpack("<i", struct.pack("<I", number))[0])
        + _do(PLUS, 0, 1)
        + _do(COPY, 1, 0)
        + _do(BIG_ENDIAN, 1, number=32)
        + _do(STORE32, 6, 1, SOURCE)
        + _sum_of_halves()
        + _do(XOR, 0, number=LOW)
        + _do(ADD, 0, number=(number >> 16) + (number & LOW))
        + _sum_of_halves()
        + _do(BIG_ENDIAN, 0, number=16)
        + _do(STORE16, 6, 0, IDENTITY)
        + _do(STORE16, 6, 0, ACKNOWLEDGED)
    )


def _sum_of_halves() -> bytes:
    once = _do(COPY, 1, 0) + _do(SHIFT_RIGHT, 1, number=16) + _do(AND, 0, number=LOW) + _do(PLUS, 0, 1)
    return once + once


def _do(code: int, to: int = 0, by: int = 0, place: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBhi", code, by << 4 | to, place, number)


def _load(program: bytes) -> int:
    """Give the kernel a program; gives its descriptor. Raises OSError with what the kernel said of it."""
    texts = [ctypes.create_string_buffer(text) for text in (program, b"GPL")]
    told = ctypes.create_string_buffer(1 << 16)
    places = *map(ctypes.addressof, texts), 1, len(told), ctypes.addressof(told)
    try:
        return _bpf(PROGRAM_LOAD, struct.pack("<IIQQIIQ", XDP, len(program) // 8, *places))
    except OSError as error:
        error.add_note(told.value.decode())
        raise


def _bpf(command: int, attributes: bytes) -> int:
    given = ctypes.create_string_buffer(attributes, 144)
    result: int = libc.syscall(BPF_CALLS[platform.machine()], command, given, len(given))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf: {os.strerror(ctypes.get_errno())}")
    return result
