"""Which ports of this host are open to others: sockets that listen on more than the loopback addresses."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Literal

from durward.model import Address

TCP_LISTEN, UDP_UNCONNECTED = "0A", "07"  # states of net/tcp_states.h, as /proc/net writes them
FILES: tuple[tuple[str, Literal["tcp", "udp"], str], ...] = (
    ("tcp", "tcp", TCP_LISTEN),
    ("tcp6", "tcp", TCP_LISTEN),
    ("udp", "udp", UDP_UNCONNECTED),
    ("udp6", "udp", UDP_UNCONNECTED),
)
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """One socket that waits for others."""

    protocol: Literal["tcp", "udp"]
    port: int
    address: Address


def listeners(root: Path = Path("/proc/net")) -> list[Listener]:
    """The listening sockets of this network namespace, those on loopback addresses and passing UDP ports left out."""
    first, last = (int(port) for port in EPHEMERAL.read_text().split())
    found = {listener for name, protocol, state in FILES for listener in _read(root / name, protocol, state)}
    return sorted(
        (one for one in found if one.protocol == "tcp" or not first <= one.port <= last),
        key=lambda one: (one.protocol, one.port, str(one.address)),
    )


def _read(path: Path, protocol: Literal["tcp", "udp"], state: str) -> Iterator[Listener]:
    try:
        lines = path.read_text().splitlines()[1:]
    except OSError:  # a kernel without IPv6
        return
    for line in lines:
        fields = line.split()
        if fields[3] != state:
            continue
        address, port = fields[1].split(":")
        listener = Listener(protocol, int(port, 16), _address(address))
        if not listener.address.is_loopback:
            yield listener


def _address(text: str) -> Address:
    # The kernel writes each 32 bits of the address in the host's byte order.
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    packed = b"".join(words)
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
