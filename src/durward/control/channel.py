"""The wire between engine and enforcer: packets of JSON, with file descriptors beside them."""

import array
import errno
import json
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from durward.control.words import MESSAGE_BYTES_MAX, UnknownWordError, encode

REPLY_BYTES_MAX = 65_536  # an answer may be longer than a word: it comes from the trusted side
DESCRIPTORS_MAX = 64  # beside one packet; the kernel's own limit is 253
TIMEOUT_SECONDS = 10.0
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


class ChannelError(OSError):
    """The other side does not answer, or its answer makes no sense."""


class Channel:
    """The engine's end: asks one word at a time and waits for its answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the enforcer. Raises ChannelError."""
        self.close()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise ChannelError(f"the enforcer does not answer at {self._path}: {error.strerror}") from None
        self._socket = connection

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    def peer(self) -> int:
        """The enforcer's process id; 0 where there is no connection."""
        return 0 if self._socket is None else peer_of(self._socket)[0]

    def fileno(self) -> int:
        """The descriptor to poll: it becomes readable when the enforcer is gone."""
        return -1 if self._socket is None else self._socket.fileno()

    def ask(self, word: str, **fields: Any) -> dict[str, Any]:
        """Say a word; give the answer. Raises ChannelError when it does not come, or there is no such word."""
        return self.ask_descriptors(word, **fields)[0]

    def ask_descriptors(self, word: str, **fields: Any) -> tuple[dict[str, Any], list[int]]:
        """Say a word; give the answer and the descriptors that came with it (the caller closes them)."""
        if self._socket is None:
            raise ChannelError("the enforcer is not connected")
        try:
            self._socket.send(encode(word, **fields))
            packet, descriptors = receive(self._socket, REPLY_BYTES_MAX)
        except UnknownWordError as error:
            raise ChannelError(f"the enforcer cannot be asked this: {error}") from None
        except OSError as error:
            self.close()
            raise ChannelError(f"the enforcer does not answer: {error}") from None
        try:
            return self._understood(packet), descriptors
        except ChannelError:
            _close_all(descriptors)
            raise

    def _understood(self, packet: bytes) -> dict[str, Any]:
        if not packet:
            self.close()
            raise ChannelError("the enforcer ended the connection")
        try:
            answer = json.loads(packet)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.close()
            raise ChannelError("the enforcer's answer makes no sense")
        if "error" in answer:
            raise ChannelError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def receive(connection: socket.socket, bytes_max: int = MESSAGE_BYTES_MAX) -> tuple[bytes, list[int]]:
    """Receive one packet and its descriptors. A packet longer than `bytes_max` comes one byte longer than allowed.

    Raises OSError, with more than DESCRIPTORS_MAX descriptors too: which of them are missing cannot be known.
    """
    room = socket.CMSG_SPACE(DESCRIPTORS_MAX * 4)
    packet, ancillary, flags, _address = connection.recvmsg(bytes_max + 1, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if flags & socket.MSG_CTRUNC:
        _close_all(descriptors)
        raise OSError(errno.EMSGSIZE, f"more than {DESCRIPTORS_MAX} descriptors came at once")
    return packet, list(descriptors)


def answer(connection: socket.socket, reply: dict[str, Any], descriptors: list[int] | None = None) -> None:
    """Answer a word, with descriptors beside it. Raises OSError where the asker is gone."""
    packet = json.dumps(reply, separators=(",", ":")).encode()
    if len(packet) > REPLY_BYTES_MAX:
        packet = b'{"error":"the answer is too long"}'
    socket.send_fds(connection, [packet], descriptors or [])


def peer_of(connection: socket.socket) -> tuple[int, int, int]:
    """The process, user and group at the other end (SO_PEERCRED), as the kernel knows them."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    pid, uid, gid = CREDENTIALS.unpack(raw)
    return pid, uid, gid


def listen(path: Path, kind: socket.SocketKind, mode: int) -> socket.socket:
    """Listen at `path`, which only those whom `mode` lets may connect to. A dead predecessor's socket is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    path.chmod(mode)
    listener.listen(32)
    return listener


def _close_all(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
