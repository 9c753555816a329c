"""Notices when somebody else changes our table: what kind of change, and which process made it."""

import os
import socket
import struct
from dataclasses import dataclass

from durward.privileged.failure import KernelError
from durward.privileged.messages import DELETE_ELEMENT, INET_BODY, NEW_GENERATION, SUBSYSTEM
from durward.privileged.netlink import NETFILTER, attributes, messages
from durward.ruleset.levels import TABLE

SOL_NETLINK = 270
ADD_MEMBERSHIP = 1
GROUP_NFTABLES = 7  # NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h
READ_BYTES = 1 << 16
READS_MAX = 256  # datagrams in one call; the rest waits for the next
BUFFER_BYTES = 1 << 21  # what the kernel holds for us; when it is full we know only that something was lost
TABLE_OF = 1  # in every message the attribute that names the table
PROCESS_ID, PROCESS_NAME = 2, 3  # NFTA_GEN_PROC_PID and NFTA_GEN_PROC_NAME
# New and deleted tables, chains, rules and sets; elements are told apart.
STRUCTURE = frozenset(SUBSYSTEM | kind for kind in (0, 2, 3, 5, 6, 8, 9, 11))


@dataclass(frozen=True, slots=True)
class Foreign:
    """A change that was not ours: `structure` when rules, chains or sets changed, `elements` when some were removed."""

    structure: bool
    elements: bool
    who: str


class Changes:
    """Hears of every transaction of this network namespace; those of our own process are left out."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((0, 0))
        try:
            self._socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, GROUP_NFTABLES)
        except OSError as error:
            raise KernelError(f"changes of the table cannot be heard: {error.strerror}", error.errno or 0) from None
        self._socket.setblocking(False)
        self._kinds: set[int] = set()

    def fileno(self) -> int:
        """The descriptor: readable when something was changed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def read(self) -> Foreign | None:
        """What others changed since the last call; None where nobody did."""
        structure = elements = False
        who = ""
        for _ in range(READS_MAX):
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                return Foreign(structure=True, elements=True, who="somebody (more was changed than could be heard)")
            for kinds, process in self._transactions(data):
                structure |= bool(kinds & STRUCTURE)
                elements |= DELETE_ELEMENT in kinds
                who = process if kinds else who
        return Foreign(structure, elements, who) if structure or elements else None

    def forget(self) -> None:
        """Pass over what was heard until now: it was our own doing, by a child process."""
        self.read()

    def _transactions(self, data: bytes) -> list[tuple[set[int], str]]:
        found = []
        for message in messages(memoryview(data)):
            if message.type == NEW_GENERATION:
                pid, who = _author(attributes(message.body[4:]))
                if pid != os.getpid():
                    found.append((self._kinds, who))
                self._kinds = set()
            elif message.type in STRUCTURE or message.type == DELETE_ELEMENT:
                name = attributes(message.body[4:]).get(TABLE_OF, b"")
                # Of the family inet: tables of others may have our name in theirs.
                if message.body[0] == INET_BODY[0] and bytes(name) == f"{TABLE}\0".encode():
                    self._kinds.add(message.type)
        return found


def _author(found: dict[int, memoryview]) -> tuple[int, str]:
    pid = struct.unpack(">I", found[PROCESS_ID])[0] if PROCESS_ID in found else 0
    name = bytes(found.get(PROCESS_NAME, b"?")).rstrip(b"\0").decode("utf-8", "backslashreplace")
    return pid, f"process {pid} ({name})"
