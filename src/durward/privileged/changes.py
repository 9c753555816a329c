"""Notices when somebody else changes our table: what kind of change, which elements, and which process made it."""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from durward.privileged.failure import KernelError
from durward.privileged.messages import (
    DELETE_ELEMENT,
    INET_BODY,
    NEW_ELEMENT,
    NEW_GENERATION,
    SUBSYSTEM,
    keys_in,
)
from durward.privileged.netlink import NETFILTER, attributes, messages
from durward.ruleset.elements import ElementKey
from durward.ruleset.levels import TABLE, shapes

SOL_NETLINK = 270
ADD_MEMBERSHIP = 1
GROUP_NFTABLES = 7  # NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h
READ_BYTES = 1 << 16
READS_MAX = 8192  # datagrams in one call, as many as two of our own largest transactions have; the rest waits
BUFFER_BYTES = 1 << 24  # what the kernel holds for us; when it is full we know only that something was lost
RECEIVE_BUFFER_FORCE = 33  # SO_RCVBUFFORCE: more than others may have, for our own ten thousand elements at once
TABLE_OF = 1  # in every message the attribute that names the table
SET_NAME = 2
HOLDING = tuple(sorted({shape.purpose.encode() for shape in shapes()}))  # how the names of the skeleton's sets begin
ATTACH_FILTER = 26  # SO_ATTACH_FILTER
LOAD, JUMP_EQUAL, RETURN, WHOLE = 0x20, 0x15, 0x06, 0xFFFFFFFF  # of classic BPF: a word at a place, if equal, so much
PORT_PLACE = 12  # in the header of a message: by which socket it was asked for
PROCESS_ID, PROCESS_NAME = 2, 3  # NFTA_GEN_PROC_PID and NFTA_GEN_PROC_NAME
ELEMENTS_MAX = 1024  # that are told one by one
MESSAGES_MAX = 4096  # about elements, of one transaction, are kept until its author is known
AUTHORS_MAX = 3  # that are named
# New and deleted tables, chains, rules and sets; elements are told apart.
TABLES, SETS = frozenset(SUBSYSTEM | kind for kind in (0, 2)), frozenset(SUBSYSTEM | kind for kind in (9, 11))
STRUCTURE = TABLES | SETS | frozenset(SUBSYSTEM | kind for kind in (3, 5, 6, 8))
ELEMENTS = frozenset({NEW_ELEMENT, DELETE_ELEMENT})


@dataclass(frozen=True, slots=True)
class Foreign:
    """A change that was not ours: `structure` when rules, chains or sets changed, `elements` those put in or taken out.

    `holders` when the table itself or a set of the skeleton was made or taken away, with all that it held; `much` when
    there is more than can be told.
    """

    structure: bool
    holders: bool
    much: bool
    elements: tuple[ElementKey, ...]
    who: str


class Changes:
    """Hears of every transaction of this network namespace; those of our own process are left out."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETFILTER)
        self._socket.bind((0, 0))
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, RECEIVE_BUFFER_FORCE, BUFFER_BYTES)
            self._socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, GROUP_NFTABLES)
        except OSError as error:
            raise KernelError(f"changes of the table cannot be heard: {error.strerror}", error.errno or 0) from None
        self._socket.setblocking(False)
        self._pending = _Transaction()

    def fileno(self) -> int:
        """The descriptor: readable when something was changed."""
        return self._socket.fileno()

    def disregard(self, port: int) -> None:
        """Hear nothing any more of what is asked for by the netlink socket of ours that has this number.

        The kernel tells of each element on its own: of a million, that would take longer than putting them in.
        """
        asked_by = int.from_bytes(port.to_bytes(4, sys.byteorder))  # the filter reads all numbers as the network does
        program = b"".join(struct.pack("=HBBI", *one) for one in (*_unless(asked_by), (RETURN, 0, 0, WHOLE)))
        buffer = ctypes.create_string_buffer(program)
        told = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
        self._socket.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, told)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def read(self) -> Foreign | None:
        """What others changed since the last call; None where nobody did."""
        kinds: set[int] = set()
        elements: dict[ElementKey, None] = {}
        authors: dict[str, None] = {}
        lost = holders = False
        for _ in range(READS_MAX):
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                self._pending, lost = _Transaction(), True
                continue
            for transaction, author in self._transactions(data):
                kinds |= transaction.kinds
                holders |= transaction.holders
                authors[author] = None
                elements.update(dict.fromkeys(transaction.elements()))
                lost |= transaction.is_long
        if lost:
            authors["somebody (more was changed than could be heard)"] = None
        elif not kinds:
            return None
        much = lost or len(elements) > ELEMENTS_MAX
        told = tuple(elements) if not much else ()
        who = ", ".join(list(authors)[:AUTHORS_MAX])
        return Foreign(lost or bool(kinds & STRUCTURE), holders, much, told, who)

    def forget(self) -> None:
        """Pass over what was heard until now: it was our own doing, by a child process."""
        self.read()

    def _transactions(self, data: bytes) -> list[tuple["_Transaction", str]]:
        found = []
        for message in messages(memoryview(data)):
            if message.type == NEW_GENERATION:
                pid, who = _author(attributes(message.body[4:]))
                if pid != os.getpid() and self._pending.kinds:
                    found.append((self._pending, who))
                self._pending = _Transaction()
            elif message.type in STRUCTURE | ELEMENTS:
                name = attributes(message.body[4:]).get(TABLE_OF, b"")
                # Of the family inet: tables of others may have our name in theirs.
                if message.body[0] == INET_BODY[0] and bytes(name) == f"{TABLE}\0".encode():
                    self._pending.add(message.type, message.body)
        return found


@dataclass(slots=True)
class _Transaction:
    """What of our table one transaction changes; whose it is comes last."""

    kinds: set[int] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)
    holders: bool = False

    @property
    def is_long(self) -> bool:
        return len(self.bodies) > MESSAGES_MAX

    def add(self, kind: int, body: memoryview) -> None:
        self.kinds.add(kind)
        # Sets without a name belong to a rule; meters and merged lists come and go with the firewall.
        name = bytes(attributes(body[4:]).get(SET_NAME, b"")) if kind in SETS else b""
        self.holders |= kind in TABLES or name.startswith(HOLDING)
        if kind in ELEMENTS and not self.is_long:
            self.bodies.append(bytes(body))

    def elements(self) -> Iterator[ElementKey]:
        return (key for body in self.bodies for key in keys_in(memoryview(body)))


def _unless(asked_by: int) -> tuple[tuple[int, int, int, int], ...]:
    """Steps of a socket filter that lets go by what the socket with this number asked for."""
    return (LOAD, 0, 0, PORT_PLACE), (JUMP_EQUAL, 0, 1, asked_by), (RETURN, 0, 0, 0)


def _author(found: dict[int, memoryview]) -> tuple[int, str]:
    pid = struct.unpack(">I", found[PROCESS_ID])[0] if PROCESS_ID in found else 0
    name = bytes(found.get(PROCESS_NAME, b"?")).rstrip(b"\0").decode("utf-8", "backslashreplace")
    return pid, f"process {pid} ({name})"
