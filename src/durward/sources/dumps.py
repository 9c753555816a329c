"""Reads what the kernel lists over a netlink socket that was handed to us: a datagram at a time, never waiting.

The descriptor works in a process without capabilities and in another network namespace: the kernel lists what is where
the socket was opened, and refuses every change, for it asks what the sender may do, not only who opened the socket.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

from durward.sources.opening import SourceError

HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ERROR, DONE = 2, 3  # message types of netlink itself
REQUEST, DUMP = 0x1, 0x300
READ_BYTES = 1 << 16  # of one datagram; the kernel fills half of it at most
DATAGRAMS_MAX = 100_000  # of one list; a longer one is an error
STALE_MAX = 1000  # datagrams of a list that nobody read to its end, passed over at once


class Dump:
    """Lists that are asked for over one descriptor, which becomes ours to close. `buffer` holds the last datagram."""

    def __init__(self, descriptor: int) -> None:
        """Raises SourceError where the descriptor is no socket."""
        try:
            self._socket = socket.socket(fileno=descriptor)
        except OSError as error:
            os.close(descriptor)
            raise SourceError(f"no socket was handed over: {error.strerror}") from None
        self._socket.setblocking(False)
        self.buffer = bytearray(READ_BYTES)
        self.view = memoryview(self.buffer)
        self._sequence = 0

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()

    def ask(self, kind: int, body: bytes) -> Iterator[int]:
        """Ask for a list; give the length of each datagram of it. Raises SourceError."""
        self.pass_over()
        self._sequence += 1
        try:
            self._socket.send(HEAD.pack(HEAD.size + len(body), kind, REQUEST | DUMP, self._sequence, 0) + body)
        except OSError as error:
            raise SourceError(f"the kernel was not asked: {error.strerror}") from None
        return self.read(self._sequence)

    def read(self, sequence: int) -> Iterator[int]:
        """The lengths of the datagrams of a list that somebody has asked for. Raises SourceError."""
        for _ in range(DATAGRAMS_MAX):
            try:
                length = self._socket.recv_into(self.buffer)
            except BlockingIOError:
                raise SourceError("the kernel did not go on with its list") from None
            except OSError as error:
                raise SourceError(f"the kernel's list was cut: {error.strerror}") from None
            if length < HEAD.size + 4:
                raise SourceError("the kernel's list makes no sense")
            _, kind, _, asked, _ = HEAD.unpack_from(self.buffer)
            if asked != sequence:
                continue
            if kind in (ERROR, DONE):
                number = -int.from_bytes(self.view[HEAD.size : HEAD.size + 4], "little", signed=True)
                if number > 0:
                    raise SourceError(f"the kernel refused to list: {os.strerror(number)}")
                return
            yield length
        raise SourceError("the kernel's list had no end")

    def pass_over(self) -> None:
        """Pass over the rest of an earlier list: the kernel begins no other one before."""
        with suppress(OSError):
            for _ in range(STALE_MAX):
                self._socket.recv_into(self.buffer)


def each(view: memoryview, length: int) -> Iterator[tuple[int, int, int]]:
    """The messages in a datagram: their type, and where they begin and end. Ends at the first that does not fit."""
    position = 0
    while position + HEAD.size <= length:
        size, kind, _, _, _ = HEAD.unpack_from(view, position)
        if size < HEAD.size or position + size > length:
            return
        yield kind, position, position + size
        position += (size + 3) & ~3


def uniform(buffer: bytearray, length: int) -> int:
    """The size of the messages in a datagram if all have the same type and size; else 0.

    The first message's size says where the second begins, whose size says where the third does, and so on: that all
    sizes are alike at such steps proves that they are messages' sizes.
    """
    size, kind, _, _, _ = HEAD.unpack_from(buffer)
    if kind in (ERROR, DONE) or size < HEAD.size or size % 4 or length % size:
        return 0
    count = length // size
    alike = all(buffer[offset:length:size].count(buffer[offset]) == count for offset in (0, 1, 4))
    return size if alike else 0
