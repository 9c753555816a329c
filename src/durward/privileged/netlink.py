"""A netlink socket in plain Python: messages out, messages in, the kernel's errors told in its own words."""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple, Self

from durward.privileged.failure import KernelError

NETFILTER, ROUTE, SOCK_DIAG = 12, 0, 4  # protocols
REQUEST, ACKNOWLEDGE, DUMP, EXCLUSIVE, CREATE = 0x1, 0x4, 0x300, 0x200, 0x400  # request flags
DUMP_INTERRUPTED, CAPPED, HAS_ATTRIBUTES = 0x10, 0x100, 0x200  # answer flags
NESTED = 0x8000
ATTRIBUTE_TYPE_MASK = 0x3FFF
ERROR, DONE, OVERRUN = 2, 3, 4  # message types of netlink itself
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")  # length, type
_unpack_attribute = ATTRIBUTE.unpack_from
ERROR_HEAD = struct.Struct("=iIHHII")  # errno, header of the request

ANSWER_BYTES_MAX = 1 << 17  # of one datagram; the kernel sends 32 KiB at most, a longer one is an error
SEND_BUFFER_BYTES = 1 << 24  # a transaction must fit into one socket buffer
RECEIVE_BUFFER_BYTES = 1 << 23
ANSWER_SECONDS_MAX = 5  # the kernel answers before `send` returns; silence means that an answer was lost
DUMP_DATAGRAMS_MAX = 100_000
DUMP_TRIES_MAX = 5
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SOL_NETLINK = 32, 33, 270
NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHECK = 10, 11, 12


class Message(NamedTuple):
    """One message of the kernel; `body` starts behind the netlink header."""

    type: int
    flags: int
    sequence: int
    body: memoryview


class Refusal(NamedTuple):
    """An answer of type ERROR. `number` is an errno, 0 for yes; `offset` is where in the request the fault is."""

    sequence: int
    number: int
    text: str
    offset: int


class Netlink:
    """One netlink socket. Not for use by several threads at once."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._buffer = bytearray(ANSWER_BYTES_MAX)
        self._view = memoryview(self._buffer)
        self._sequence = int.from_bytes(os.urandom(3))
        self._set_options()

    def _set_options(self) -> None:
        self._socket.bind((0, 0))
        for forced, plain, size in (
            (SO_SNDBUFFORCE, socket.SO_SNDBUF, SEND_BUFFER_BYTES),
            (SO_RCVBUFFORCE, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES),
        ):
            try:
                self._socket.setsockopt(socket.SOL_SOCKET, forced, size)
            except PermissionError:
                self._socket.setsockopt(socket.SOL_SOCKET, plain, size)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", ANSWER_SECONDS_MAX, 0))
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK):
            self._socket.setsockopt(SOL_NETLINK, option, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; a second time does nothing."""
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor."""
        return self._socket.fileno()

    @property
    def port(self) -> int:
        """What the kernel knows this socket by; what it tells others of our requests carries it."""
        return int(self._socket.getsockname()[0])

    def numbers(self, count: int = 1) -> int:
        """Take `count` sequence numbers that no answer still under way can carry; give the first."""
        first = self._sequence + 1
        if first + count >= 1 << 32:
            first = 1
        self._sequence = first + count - 1
        return first

    def send(self, data: bytes | bytearray) -> None:
        """Send one datagram. Raises KernelError."""
        try:
            sent = self._socket.send(data)
        except OSError as error:
            raise KernelError(f"netlink did not take a request: {error.strerror}", error.errno or 0) from error
        if sent != len(data):
            raise KernelError(f"netlink took {sent} of {len(data)} bytes", errno.EMSGSIZE)

    def receive(self) -> list[Message]:
        """Wait for one datagram of the kernel and give its messages. They are valid until the next call.

        Raises KernelError: ENOBUFS when answers were lost, ETIMEDOUT when none came, EBADMSG for a truncated one.
        """
        while True:
            try:
                length, sender = self._socket.recvfrom_into(self._buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError:
                raise KernelError("the kernel did not answer over netlink", errno.ETIMEDOUT) from None
            except OSError as error:
                raise KernelError(f"netlink lost an answer: {error.strerror}", error.errno or 0) from error
            if sender[0] != 0:
                continue  # another process may write to our port; only the kernel is port 0
            if length > len(self._buffer):
                raise KernelError(f"an answer of {length} bytes was cut", errno.EBADMSG)
            return list(messages(self._view[:length]))

    def dump(self, kind: int, body: bytes) -> list[tuple[int, bytes]]:
        """Ask for a table of the kernel; give the type and body of each entry. Raises KernelError."""
        for _ in range(DUMP_TRIES_MAX):
            sequence = self.numbers()
            self.send(request(kind, DUMP, sequence, body))
            entries, whole = self._dumped(sequence)
            if whole:
                return entries
        raise KernelError("a kernel table changed faster than it could be read", errno.EINTR)

    def _dumped(self, sequence: int) -> tuple[list[tuple[int, bytes]], bool]:
        entries: list[tuple[int, bytes]] = []
        whole = True
        for _ in range(DUMP_DATAGRAMS_MAX):
            for message in self.receive():
                if message.sequence != sequence:
                    continue
                if message.type in (ERROR, DONE):
                    _raise_for(message)
                    return entries, whole and not message.flags & DUMP_INTERRUPTED
                whole = whole and not message.flags & DUMP_INTERRUPTED
                entries.append((message.type, bytes(message.body)))
        raise KernelError("a kernel table had no end", errno.E2BIG)


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One message to the kernel."""
    return HEADER.pack(HEADER.size + len(body), kind, flags | REQUEST, sequence, 0) + body


def messages(data: memoryview) -> Iterator[Message]:
    """Take a datagram apart. Raises KernelError (EBADMSG) where lengths do not fit."""
    position, end = 0, len(data)
    while position + HEADER.size <= end:
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, position)
        if length < HEADER.size or position + length > end:
            raise KernelError("a netlink message is longer than its datagram", errno.EBADMSG)
        yield Message(kind, flags, sequence, data[position + HEADER.size : position + length])
        position += (length + 3) & ~3


def attributes(data: memoryview | bytes) -> dict[int, memoryview]:
    """The attributes in `data` by type; of several of one type the last. What does not fit is left out."""
    # Not by each_attribute: counters of thousands of elements are read through here.
    view = memoryview(data)
    found: dict[int, memoryview] = {}
    position, last = 0, len(view) - ATTRIBUTE.size
    while position <= last:
        length, kind = _unpack_attribute(view, position)
        if length < 4 or position + length > last + 4:
            break
        found[kind & ATTRIBUTE_TYPE_MASK] = view[position + 4 : position + length]
        position += (length + 3) & ~3
    return found


def each_attribute(data: memoryview | bytes) -> Iterator[tuple[int, memoryview]]:
    """The attributes in `data`, in order, up to the first that does not fit."""
    view = memoryview(data)
    position, end = 0, len(view)
    while position + ATTRIBUTE.size <= end:
        length, kind = ATTRIBUTE.unpack_from(view, position)
        if length < ATTRIBUTE.size or position + length > end:
            return
        yield kind & ATTRIBUTE_TYPE_MASK, view[position + ATTRIBUTE.size : position + length]
        position += (length + 3) & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def refusal_of(message: Message) -> Refusal:
    """Read a message of type ERROR. Raises KernelError (EBADMSG) for one that is cut."""
    body = message.body
    if len(body) < 4:
        raise KernelError("an error message of netlink is cut", errno.EBADMSG)
    number = -struct.unpack_from("=i", body)[0]
    text, offset = os.strerror(number) if number else "", 0
    if message.flags & HAS_ATTRIBUTES and len(body) >= ERROR_HEAD.size:
        length = HEADER.size if message.flags & CAPPED else ERROR_HEAD.unpack_from(body)[1]
        found = attributes(body[4 + ((length + 3) & ~3) :])
        if 1 in found:
            text += ": " + bytes(found[1]).rstrip(b"\0").decode("utf-8", "replace")
        if 2 in found and len(found[2]) == 4:
            (offset,) = struct.unpack("=I", found[2])
    return Refusal(message.sequence, number, text, offset)


def _raise_for(message: Message) -> None:
    if len(message.body) >= 4:
        refusal = refusal_of(message) if message.type == ERROR else None
        number = refusal.number if refusal else -struct.unpack_from("=i", message.body)[0]
        if number > 0:
            text = refusal.text if refusal else os.strerror(number)
            raise KernelError(f"the kernel refused to list: {text}", number)
