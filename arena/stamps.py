"""Packets with a stamp, sent at a rate from an attacker's address: shows to the millisecond when they stop passing."""

import contextlib
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from arena.attacker import Attacker
from arena.namespace import open_socket

Kind = Literal["udp", "tcp"]
LAYOUT = struct.Struct("!Q")  # the packet's number; the time it was sent at stays with the sender
STAMPS_MAX = 200_000  # beyond it the sender stops by itself: a forgotten stream must not fill the memory
LISTEN_BACKLOG = 1024
LINGER_NONE = struct.pack("ii", 1, 0)  # close with a reset, so that no port is held back by TIME_WAIT


@dataclass(frozen=True, slots=True)
class Stamp:
    """One packet. Times are seconds of `time.monotonic`; `passed_at` is None if it has not arrived (so far)."""

    number: int
    sent_at: float
    passed_at: float | None


class Stamps:
    """Sends while the context is: UDP datagrams, or TCP connections (a SYN each), to one port of the door.

    A UDP packet has passed when a receiver of ours on the door reads it, a TCP one when the connection is established.
    A connection whose first SYN was dropped may still come about a second later, by TCP's own repetition.
    The receiver listens on `port`, which must be free there. `stamps` and `passed_since` can be asked at any time.
    """

    def __init__(self, attacker: Attacker, port: int, *, kind: Kind = "udp", rate_per_second: float = 200.0) -> None:
        self._attacker = attacker
        self._target = (attacker.target, port)
        self._kind: Kind = kind
        self._gap_seconds = 1.0 / rate_per_second
        self._ending = threading.Event()
        self._sent: list[float] = []
        self._passed: dict[int, float] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._receiver = self._open_receiver()
        work = [self._send_datagrams, self._receive] if self._kind == "udp" else [self._send_connections]
        self._threads = [threading.Thread(target=act, name=act.__name__) for act in work]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._receiver.close()

    def stamps(self) -> list[Stamp]:
        """Give everything that was sent so far, in order."""
        return [Stamp(number, at, self._passed.get(number)) for number, at in enumerate(list(self._sent))]

    def last_passed_at(self) -> float | None:
        """Give when the newest packet that has passed was sent; None if none has."""
        return max((stamp.sent_at for stamp in self.stamps() if stamp.passed_at is not None), default=None)

    def wait_until_passing(self, passing: bool, timeout_seconds: float = 5.0) -> bool:
        """Wait until a packet sent from now on passes (or until ten in a row do not). Says whether it came to that."""
        began_at = time.monotonic()
        while time.monotonic() < began_at + timeout_seconds:
            recent = [stamp for stamp in self.stamps() if stamp.sent_at >= began_at]
            if passing and any(stamp.passed_at is not None for stamp in recent):
                return True
            # The very last ones may still be on their way.
            if not passing and len(recent) > 12 and all(stamp.passed_at is None for stamp in recent[-12:-2]):
                return True
            time.sleep(self._gap_seconds)
        return False

    def _open_receiver(self) -> socket.socket:
        kind = socket.SOCK_DGRAM if self._kind == "udp" else socket.SOCK_STREAM
        receiver = open_socket(self._attacker.network.door, self._attacker.family, kind)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(self._target)
        if self._kind == "tcp":
            receiver.listen(LISTEN_BACKLOG)
        return receiver

    def _send_datagrams(self) -> None:
        with self._attacker.open_socket(socket.SOCK_DGRAM) as sender:
            while self._next_is_due():
                number = self._note_sent()
                with contextlib.suppress(OSError):  # an ICMP refusal of the packet before: it has not passed
                    sender.sendto(LAYOUT.pack(number), self._target)

    def _receive(self) -> None:
        while not self._ending.is_set() or select.select([self._receiver], [], [], 0)[0]:
            if not select.select([self._receiver], [], [], self._gap_seconds)[0]:
                continue
            packet = self._receiver.recv(LAYOUT.size)
            if len(packet) == LAYOUT.size:
                self._passed[LAYOUT.unpack(packet)[0]] = time.monotonic()

    def _send_connections(self) -> None:
        pending: dict[socket.socket, int] = {}
        self._receiver.setblocking(False)
        while self._next_is_due():
            opened = self._attacker.open_socket(socket.SOCK_STREAM)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
            opened.setblocking(False)
            pending[opened] = self._note_sent()
            opened.connect_ex(self._target)
            self._collect(pending)
        self._collect(pending)
        for opened in pending:
            opened.close()

    def _collect(self, pending: dict[socket.socket, int]) -> None:
        """Note which connections have come about or failed, and drop them; empty the door's queue of them."""
        poll = select.poll()  # unlike select, it knows no limit of 1024 descriptors
        by_descriptor = {opened.fileno(): opened for opened in pending}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLOUT)
        for descriptor, _ in poll.poll(0):
            opened = by_descriptor[descriptor]
            number = pending.pop(opened)
            if opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                self._passed[number] = time.monotonic()
            opened.close()
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                self._receiver.accept()[0].close()

    def _note_sent(self) -> int:
        self._sent.append(time.monotonic())
        return len(self._sent) - 1

    def _next_is_due(self) -> bool:
        """Wait for the next packet's turn; False when the stream is to end."""
        return not self._ending.wait(self._gap_seconds) and len(self._sent) < STAMPS_MAX
