"""Network namespaces joined by cables, for tests and figures; all is gone when the last descriptor is closed."""

import ctypes
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CLONE_NEWNET = 0x40000000
SENTINEL = b"sentinel"
ARRIVAL_SECONDS_MAX = 10
GRACE_SECONDS = 0.05  # for a packet that another processor took
libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace, known by its descriptor alone."""

    def __init__(self) -> None:
        # A thread of its own takes the step, so that this one need not come back from it.
        made: list[int] = []
        thread = threading.Thread(target=lambda: made.append(_unshare()))
        thread.start()
        thread.join()
        self.descriptor = made[0]
        self.run("ip", "link", "set", "lo", "up")

    def close(self) -> None:
        os.close(self.descriptor)

    @property
    def path(self) -> str:
        """Where other programs find it."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace; sockets that are opened here stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self.descriptor)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def run(self, *arguments: str, given: str = "") -> str:
        """Run a program inside and give what it printed."""
        with self.inside():
            done = subprocess.run(arguments, input=given, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def ip(self, command: str) -> None:
        self.run("ip", *command.split())

    def address(self, interface: str, *addresses: str) -> None:
        for address in addresses:
            self.ip(f"addr add {address} dev {interface}" + (" nodad" if ":" in address else ""))

    def hardware(self, interface: str) -> str:
        """The hardware address of an interface."""
        return str(json.loads(self.run("ip", "-j", "link", "show", interface))[0]["address"])

    def knows(self, interface: str, hardware: str, *addresses: str) -> None:
        """Who has these addresses need not be asked for: a blocked host gets no answer even to that."""
        for address in addresses:
            self.ip(f"neigh replace {address} lladdr {hardware} dev {interface} nud permanent")


def join(left: Namespace, left_name: str, right: Namespace, right_name: str) -> None:
    """Lay a cable between two namespaces."""
    left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.path}")
    for namespace, name in ((left, left_name), (right, right_name)):
        namespace.run("sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{name}/accept_dad")
        namespace.ip(f"link set {name} up")


class Host:
    """A namespace that listens on UDP ports of both families and can say what arrived."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._sockets: dict[tuple[int, int], socket.socket] = {}

    def close(self) -> None:
        for opened in self._sockets.values():
            opened.close()

    def listening(self, family: int, port: int) -> socket.socket:
        if (family, port) not in self._sockets:
            with self.namespace.inside():
                opened = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
            self._sockets[family, port] = opened
        return self._sockets[family, port]

    def arrivals(self, sender: Namespace, sources: list[str], to: str, free: str, port: int = 5000) -> list[str]:
        """Send a datagram from each of `sources` to our address `to`; give those that came through.

        `free` is a source that always does: when its datagram is here, no other is still to come.
        """
        self.listening(_family(to), port)
        for source in sources:
            send(sender, source, to, port, source.encode())
        arrived = self.texts(sender, free, to, port)
        return [source for source in sources if source in arrived]

    def texts(self, sender: Namespace, free: str, to: str, port: int) -> list[str]:
        """What has arrived, once a datagram from `free` is here."""
        listening = self.listening(_family(to), port)
        send(sender, free, to, port, SENTINEL)
        return [text.decode() for text in _until_sentinel(listening)]


def send(sender: Namespace, source: str, to: str, port: int, text: bytes) -> bool:
    """Send one datagram; False where the sender's own host refused it."""
    with sender.inside(), socket.socket(_family(to), socket.SOCK_DGRAM) as sending:
        sending.bind((source, 0))
        with suppress(PermissionError):
            return sending.sendto(text, (to, port)) == len(text)
    return False


def _until_sentinel(listening: socket.socket) -> Iterator[bytes]:
    listening.settimeout(ARRIVAL_SECONDS_MAX)
    while (text := listening.recv(100)) != SENTINEL:
        yield text
    time.sleep(GRACE_SECONDS)
    listening.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            yield listening.recv(100)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _unshare() -> int:
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
