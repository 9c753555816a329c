"""Listens to one group of NFLOG: the kernel's copies of packets, for a reader who may not ask for them himself.

The socket keeps working in a process without capabilities and in another network namespace; what would change the
kernel is refused there, for the kernel asks what the sender may do, not only who opened the socket.
"""

import errno
import os
import socket
import struct
from typing import Self

from durward.privileged.failure import KernelError
from durward.privileged.netlink import (
    ACKNOWLEDGE,
    ERROR,
    NETFILTER,
    attribute,
    messages,
    refusal_of,
    request,
)

CONFIG = 4 << 8 | 1  # NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG
COMMAND, MODE, BUFFER, FLUSH, THRESHOLD = 1, 2, 3, 4, 5  # NFULA_CFG_…
BIND, COPY_PACKET = 1, 2
BUFFER_BYTES_MAX = 1 << 17  # in which the kernel gathers packets before it hands them over: its own limit
SO_RCVBUFFORCE, SOL_NETLINK, NETLINK_NO_ENOBUFS = 33, 270, 5
ANSWER_BYTES_MAX = BUFFER_BYTES_MAX
# The kernel says the same of a missing capability; but then the room of the socket would have been refused before.
TAKEN = frozenset({errno.EPERM, errno.EBUSY, errno.EEXIST})


class PacketGroup:
    """One group, listened to from now on. What comes while the reader is slow waits in the socket, the rest is lost."""

    def __init__(
        self,
        group: int,
        *,
        copy_bytes: int,
        waiting_bytes: int = 1 << 20,
        gathered: int = 1,
        gathered_bytes: int = 1 << 14,
        flush_centiseconds: int = 1,
    ) -> None:
        """At most `copy_bytes` of a packet are copied; `gathered` packets come at once, or what came within the time.

        `waiting_bytes` is the room of the socket. Raises KernelError.
        """
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, NETFILTER
        )
        self._group = group
        try:
            self._socket.bind((0, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, waiting_bytes)
            self._socket.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
            self._ask(attribute(COMMAND, struct.pack("=B", BIND)))
            self._ask(
                attribute(MODE, struct.pack(">IBx", copy_bytes, COPY_PACKET))
                + attribute(BUFFER, struct.pack(">I", min(gathered_bytes, BUFFER_BYTES_MAX)))
                + attribute(FLUSH, struct.pack(">I", flush_centiseconds))
                + attribute(THRESHOLD, struct.pack(">I", gathered))
            )
        except KernelError:
            self.close()
            raise
        except OSError as error:
            self.close()
            reason = "CAP_NET_ADMIN is missing" if error.errno == errno.EPERM else error.strerror
            raise KernelError(f"packets cannot be copied: {reason}", error.errno or 0) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, once nobody else has the descriptor either."""
        self._socket.close()

    def descriptor(self) -> int:
        """A copy of the descriptor, for the caller to hand over and to close."""
        return os.dup(self._socket.fileno())

    def _ask(self, body: bytes) -> None:
        """Change the group's settings. Raises KernelError. The kernel answers before `send` returns."""
        head = struct.pack(">BBH", socket.AF_UNSPEC, 0, self._group)
        self._socket.send(request(CONFIG, ACKNOWLEDGE, 1, head + body))
        while True:
            for message in messages(memoryview(self._socket.recv(ANSWER_BYTES_MAX))):
                if message.type != ERROR:
                    continue  # a packet that came already; the reader of knocks is not there yet, so it is lost
                refusal = refusal_of(message)
                if refusal.number:
                    reason = "another process listens to it" if refusal.number in TAKEN else refusal.text
                    raise KernelError(f"group {self._group} of NFLOG cannot be listened to: {reason}", refusal.number)
                return
