"""Reads what the kernel tells by NFLOG: the prefix and the copied bytes of each packet."""

import socket
import struct
from types import TracebackType
from typing import NamedTuple, Self

from tests.kernel.namespaces import Namespace

NETFILTER, ULOG = 12, 4
PACKET, CONFIG = ULOG << 8, ULOG << 8 | 1
REQUEST_ACK = 1 | 4
COMMAND, MODE, BIND, COPY_PACKET = 1, 2, 1, 2
PAYLOAD, PREFIX = 9, 10


class Told(NamedTuple):
    """One packet that was told of."""

    prefix: str
    payload: bytes


class Nflog:
    """Listens to one group in a namespace while it is open."""

    def __init__(self, namespace: Namespace, group: int = 5) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
        self._socket.settimeout(5)
        self._ask(group, struct.pack("=HHBxxx", 5, COMMAND, BIND))
        self._ask(group, struct.pack("=HH", 10, MODE) + struct.pack(">IBx", 0xFFFF, COPY_PACKET) + b"\0\0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def told(self, sentinel: str) -> list[Told]:
        """Everything told until a packet with this prefix comes, which is the last one given."""
        told: list[Told] = []
        while not told or told[-1].prefix != sentinel:
            told += _packets(self._socket.recv(1 << 20))
        return told

    def _ask(self, group: int, attributes: bytes) -> None:
        body = struct.pack(">BBH", 0, 0, group) + attributes
        self._socket.send(struct.pack("=IHHII", 16 + len(body), CONFIG, REQUEST_ACK, 1, 0) + body)
        answer = self._socket.recv(4096)
        assert struct.unpack_from("=i", answer, 16)[0] == 0, answer


def _packets(block: bytes) -> list[Told]:
    packets = []
    while len(block) >= 16:
        size, kind = struct.unpack_from("=IH", block)
        if kind == PACKET:
            found = _attributes(block[20:size])
            packets.append(Told(found[PREFIX].rstrip(b"\0").decode(), found.get(PAYLOAD, b"")))
        block = block[(size + 3) & ~3 :]
    return packets


def _attributes(block: bytes) -> dict[int, bytes]:
    found = {}
    while len(block) >= 4:
        size, kind = struct.unpack_from("=HH", block)
        found[kind & 0x3FFF] = block[4:size]
        block = block[(size + 3) & ~3 :]
    return found
