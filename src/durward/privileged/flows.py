"""Opens the kernel's tables of connections for a reader who may open nothing, and asks for the one that he may not.

Sockets can be listed by anybody who has the descriptor. Conntrack's flows are listed for CAP_NET_ADMIN only: we ask,
over the socket whose other copy the reader has, and he reads. He can change nothing: the kernel asks who sends.
"""

import os
import socket
import struct
from pathlib import Path
from typing import Any

from durward.privileged.failure import KernelError
from durward.privileged.netlink import DUMP, NETFILTER, ROUTE, SOCK_DIAG, Netlink, attribute, attributes, request
from durward.privileged.surroundings import own_interfaces

LIST_FLOWS = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
STATUS, STATUS_MASK = 3, 26  # attributes of a flow; kernels that do not know the second one list all
ASSURED = struct.pack(">I", 1 << 2)
ADDRESSES_MAX = 1000  # of this host; with more of them nothing is said of what is forwarded
GET_FORWARDING, FORWARDING = 82, 2  # RTM_GETNETCONF, and an attribute of its answers
FAMILIES = (2, 10)
REMEMBERED = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established")
REMEMBERED_SECONDS = 432_000  # the kernel's default
WAITING_BYTES = 1 << 20


class ConnectionTables:
    """The descriptors, and the asking."""

    def __init__(self) -> None:
        self._flows: socket.socket | None = None
        self._sequence = 0

    def close(self) -> None:
        """Give the descriptor back."""
        if self._flows is not None:
            self._flows.close()
            self._flows = None

    def descriptors(self) -> list[int]:
        """Where sockets can be listed, and where the flows arrive; for the caller to close. Raises KernelError."""
        self.close()
        try:
            sockets = _socket(SOCK_DIAG)
            self._flows = _socket(NETFILTER)
            return [sockets.detach(), os.dup(self._flows.fileno())]
        except OSError as error:
            raise KernelError(f"connections cannot be listed: {error.strerror}", error.errno or 0) from None

    def look(self) -> dict[str, Any]:
        """This host's addresses with their networks; and the number under which flows arrive, 0 if none is forwarded.

        `remembered_seconds` is how long the kernel remembers a connection that falls silent. Raises KernelError.
        """
        with Netlink(ROUTE) as netlink:
            addresses = [str(one) for one in own_interfaces(netlink)]
            forwards = is_router(netlink) and len(addresses) <= ADDRESSES_MAX
        sequence = self._ask() if forwards else 0
        return {
            "addresses": addresses[:ADDRESSES_MAX],
            "sequence": sequence,
            "remembered_seconds": _remembered_seconds() if forwards else 0,
        }

    def _ask(self) -> int:
        if self._flows is None:
            raise KernelError("the flows were not opened yet")
        self._sequence += 1
        body = (
            struct.pack(">BBH", socket.AF_UNSPEC, 0, 0) + attribute(STATUS, ASSURED) + attribute(STATUS_MASK, ASSURED)
        )
        try:
            self._flows.send(request(LIST_FLOWS, DUMP, self._sequence, body))
        except OSError as error:
            raise KernelError(f"flows cannot be listed: {error.strerror}", error.errno or 0) from None
        return self._sequence


def is_router(netlink: Netlink) -> bool:
    """Whether anything is forwarded between any interfaces, in either family. Raises KernelError."""
    for family in FAMILIES:
        for _, body in netlink.dump(GET_FORWARDING, struct.pack("=Bxxx", family)):
            value = attributes(body[4:]).get(FORWARDING)
            if value is not None and any(value):
                return True
    return False


def _remembered_seconds() -> int:
    try:
        return int(REMEMBERED.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return REMEMBERED_SECONDS


def _socket(protocol: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, protocol)
    try:
        opened.bind((0, 0))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING_BYTES)
    except OSError:
        opened.close()
        raise
    return opened
