"""A process that sends packets at a rate: python arena/sending.py RATE SOURCE,TO,PROTOCOL,PORT …; it uses no package.

Each kind of packet has its turn: UDP datagrams and the first packets of TCP connections, whose ports change. It says
"sending" when the first ones are under way and ends when its standard input does, or after SECONDS_MAX.
"""

import contextlib
import os
import select
import socket
import struct
import sys
import time

SECONDS_MAX = 3600.0
PAUSE_SECONDS = 0.002  # between two bursts
FIRST_PORT, PORTS = 20_000, 10_000
IPV6_CHECKSUM, TCP_CHECKSUM_AT = 7, 16


class Kind:
    """One kind of packet, sent again and again."""

    def __init__(self, source: str, to: str, protocol: str, port: int) -> None:
        self._family = socket.AF_INET6 if ":" in to else socket.AF_INET
        self._ends, self._port, self._protocol = (source, to), port, protocol
        self._count = 0
        if protocol == "tcp":
            self._sending = socket.socket(self._family, socket.SOCK_RAW, socket.IPPROTO_TCP)
            if ":" in to:
                self._sending.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, TCP_CHECKSUM_AT)
        else:
            self._sending = socket.socket(self._family, socket.SOCK_DGRAM)
        self._sending.bind((source, 0))
        self._sending.setblocking(False)

    def send(self) -> None:
        """Send one. What the other end says to the one before is no reason to stop."""
        self._count += 1
        with contextlib.suppress(OSError):
            if self._protocol == "tcp":
                self._sending.sendto(self._syn(), (self._ends[1], 0))
            else:
                self._sending.sendto(b"?", (self._ends[1], self._port))

    def _syn(self) -> bytes:
        own = FIRST_PORT + self._count % PORTS
        head = struct.pack("!HHIIBBHHH", own, self._port, self._count & 0xFFFFFFFF, 0, 5 << 4, 2, 1024, 0, 0)
        if self._family == socket.AF_INET6:
            return head  # the kernel does the checksum
        ends = b"".join(socket.inet_aton(end) for end in self._ends)
        total = sum(struct.unpack("!16H", ends + struct.pack("!HH", socket.IPPROTO_TCP, len(head)) + head))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return head[:16] + struct.pack("!H", ~total & 0xFFFF) + head[18:]


def main() -> None:
    """Send until told to stop."""
    rate = float(sys.argv[1])
    kinds = [
        Kind(source, to, protocol, int(port)) for source, to, protocol, port in (a.split(",") for a in sys.argv[2:])
    ]
    os.write(1, b"sending\n")
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < SECONDS_MAX:
        while sent < rate * passed:
            kinds[sent % len(kinds)].send()
            sent += 1
        if select.select([0], [], [], PAUSE_SECONDS)[0]:
            break


if __name__ == "__main__":
    main()
