"""A process that sends packets from an address on the street to the door, and tells which was the first one dropped.

    python -m bench.stream STREET DOOR

Both are names of network namespaces. A line "ADDRESS" on standard input begins a stream from there; "flows" is the
answer once packets pass, and then, when they no longer do, two times of the monotonic clock: when the last one that
passed was sent, and the first one that did not. A line "COUNT SECONDS ADDRESS …" sends from each address in turn for so
long, and is answered by how many were sent and how many passed.
"""

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

from arena.namespace import open_socket
from arena.network import DOOR_IPV4

PORT = 9
GAP_SECONDS = 0.00015  # with the cost of sending about 4,000 packets a second
LOST_IN_A_ROW = 5  # so many without an answer mean that packets are dropped
GIVE_UP_SECONDS = 20.0
LAYOUT = struct.Struct("!Q")
IP_TRANSPARENT = 19  # lets a socket have any address; the street owns them all anyway


class Stream:
    """One receiver, and a sender for each address."""

    def __init__(self, street: str, door: str) -> None:
        self._street = street
        self._receiver = open_socket(door, socket.AF_INET, socket.SOCK_DGRAM)
        self._receiver.bind((DOOR_IPV4, PORT))
        self._receiver.setblocking(False)

    def until_dropped(self, address: str) -> tuple[float, float]:
        """Send until packets are dropped. Gives when the last one that passed, and the first lost one, were sent."""
        with self._sender(address) as sender:
            sent: list[float] = []
            newest = -1
            self._arrived()
            deadline = time.monotonic() + GIVE_UP_SECONDS
            while newest < 0 or len(sent) - newest <= LOST_IN_A_ROW:
                sent.append(time.monotonic())
                sender.sendto(LAYOUT.pack(len(sent) - 1), (DOOR_IPV4, PORT))
                before, newest = newest, max([newest, *self._arrived()])
                if before < 0 <= newest:
                    say("flows")
                if sent[-1] > deadline:
                    return float("nan"), float("nan")
                time.sleep(GAP_SECONDS)
            return sent[newest], sent[newest + 1]

    def count(self, addresses: list[str], seconds: float) -> tuple[int, int]:
        """Send from all addresses in turn for so long, or until something is said. Gives packets sent and passed."""
        senders = [self._sender(address) for address in addresses]
        sent = passed = 0
        ends_at = time.monotonic() + seconds
        self._arrived()
        while time.monotonic() < ends_at and not select.select([sys.stdin], [], [], 0)[0]:
            for sender in senders:
                sender.sendto(LAYOUT.pack(sent), (DOOR_IPV4, PORT))
                sent += 1
                passed += sum(1 for _ in self._arrived())
                time.sleep(GAP_SECONDS)
        time.sleep(0.05)
        passed += sum(1 for _ in self._arrived())
        for sender in senders:
            sender.close()
        return sent, passed

    def _sender(self, address: str) -> socket.socket:
        sender = open_socket(self._street, socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        sender.bind((address, 0))
        return sender

    def _arrived(self) -> Iterator[int]:
        try:
            while True:
                yield LAYOUT.unpack(self._receiver.recv(64))[0]
        except BlockingIOError:
            return


def say(text: str) -> None:
    """Answer whoever started this process."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Do what standard input says until it ends."""
    stream = Stream(*sys.argv[1:3])
    for line in sys.stdin:
        words = line.split()
        if len(words) == 1:
            say("{!r} {!r}".format(*stream.until_dropped(words[0])))
        elif words:
            say("{} {}".format(*stream.count(words[1:], float(words[0]))))


if __name__ == "__main__":
    main()
