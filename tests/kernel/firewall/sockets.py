"""Real connections between the hosts, and sockets that belong to another user."""

import ctypes
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kernel.firewall.probes import family_of
from tests.kernel.namespaces import Namespace

ANSWER_SECONDS_MAX = 10
libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def listening(
    namespace: Namespace, port: int, *, six: bool = False, kind: int = socket.SOCK_STREAM
) -> Iterator[socket.socket]:
    """A socket of one family that takes what comes to `port`."""
    with namespace.inside():
        opened = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind)
    with opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.settimeout(ANSWER_SECONDS_MAX)
        opened.bind(("::" if six else "0.0.0.0", port))
        if kind == socket.SOCK_STREAM:
            opened.listen()
        yield opened


def connect(namespace: Namespace, source: str, to: str, port: int) -> socket.socket:
    """An open connection."""
    with namespace.inside():
        opened = socket.socket(family_of(to))
    opened.settimeout(ANSWER_SECONDS_MAX)
    opened.bind((source, 0))
    opened.connect((to, port))
    return opened


def talks(one: socket.socket, other: socket.socket) -> bool:
    """Whether bytes go both ways between the ends of a connection."""
    one.sendall(b"?")
    other.sendall(b"!")
    return (other.recv(1), one.recv(1)) == (b"?", b"!")


@contextmanager
def as_user(user: int) -> Iterator[None]:
    """Sockets that this thread opens meanwhile belong to `user`."""
    libc.setfsuid(user)
    try:
        yield
    finally:
        libc.setfsuid(0)
