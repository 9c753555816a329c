"""A name server of a few lines, for tests: it says what it is told to; wrongly, slowly or not at all, if that is it."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from ipaddress import ip_address
from typing import Self

from tests.kernel.namespaces import Namespace

HOST = "127.0.0.53"
A, PTR, AAAA = 1, 12, 28
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
Zone = dict[tuple[str, int], list[str]]


def pointer(address: str) -> str:
    """The name under which the name of an address is asked for."""
    return ip_address(address).reverse_pointer


def host(name: str, *addresses: str) -> Zone:
    """A name and its addresses, which lead back to it."""
    zone: Zone = {(pointer(address), PTR): [name] for address in addresses}
    zone[name, A] = [one for one in addresses if ":" not in one]
    zone[name, AAAA] = [one for one in addresses if ":" in one]
    return zone


class NameServer(AbstractContextManager["NameServer"]):
    """Answers on loopback within a namespace from `zone`. `dead` names get no answer, `broken` ones an error."""

    def __init__(self, network: Namespace, zone: Zone) -> None:
        self.zone, self.asked = zone, list[str]()
        self.dead, self.broken = set[str](), set[str]()
        self.delays: Mapping[str, float] = {}
        self.silent = False
        self.mangle: Callable[[bytes], bytes] = bytes
        with network.inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                packet, client = self._socket.recvfrom(512)
            except OSError:
                return
            threading.Thread(target=self._reply, args=(packet, client), daemon=True).start()

    def _reply(self, packet: bytes, client: tuple[str, int]) -> None:
        name, kind, end = question_of(packet)
        self.asked.append(name)
        if self.silent or name in self.dead:
            return
        time.sleep(self.delays.get(name, 0.0))
        known = {one for one, _ in self.zone}
        records = self.zone.get((name, kind), [])
        status = SERVER_FAILURE if name in self.broken else NO_ERROR if name in known else NO_SUCH_NAME
        header = packet[:2] + struct.pack(">HHHHH", 0x8180 | status, 1, len(records), 0, 0)
        heads = (b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(one)) + one for one in map(data, records))
        answers = b"".join(heads)
        with suppress(OSError):  # the test is over
            self._socket.sendto(self.mangle(header + packet[12:end] + answers), client)


def question_of(packet: bytes) -> tuple[str, int, int]:
    """The name and the type that a packet asks for, and where the question ends."""
    labels, place = [], 12
    while length := packet[place]:
        labels.append(packet[place + 1 : place + 1 + length].decode("latin-1").lower())
        place += length + 1
    return ".".join(labels), struct.unpack_from(">H", packet, place + 1)[0], place + 5


def data(record: str) -> bytes:
    """A record's data: an address, or a name, whatever characters it has."""
    try:
        return ip_address(record).packed
    except ValueError:
        labels = [label.encode("latin-1") for label in record.split(".")]
        return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
