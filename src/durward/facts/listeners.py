"""Which ports of this host are open to others: sockets that listen on more than the loopback addresses, and whose."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Literal

from durward.model import Address

TCP_ESTABLISHED, TCP_LISTEN, UDP_UNCONNECTED = "01", "0A", "07"  # states of net/tcp_states.h, as /proc/net writes them
FILES: tuple[tuple[str, Literal["tcp", "udp"], str], ...] = (
    ("tcp", "tcp", TCP_LISTEN),
    ("tcp6", "tcp", TCP_LISTEN),
    ("udp", "udp", UDP_UNCONNECTED),
    ("udp6", "udp", UDP_UNCONNECTED),
)
PROCESSES_MAX = 50_000  # are looked at; the sockets of the rest have no owner
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """One socket that waits for others; `inode` is the kernel's number of it, and does not tell two apart."""

    protocol: Literal["tcp", "udp"]
    port: int
    address: Address
    inode: int = field(default=0, compare=False)


def listeners(root: Path = Path("/proc/net")) -> list[Listener]:
    """The listening sockets of this network namespace, those on loopback addresses and passing UDP ports left out."""
    first, last = (int(port) for port in EPHEMERAL.read_text().split())
    found = {listener for name, protocol, state in FILES for listener in _read(root / name, protocol, state)}
    return sorted(
        (one for one in found if one.protocol == "tcp" or not first <= one.port <= last),
        key=lambda one: (one.protocol, one.port, str(one.address)),
    )


def connected_addresses(root: Path = Path("/proc/net")) -> frozenset[Address]:
    """The own addresses that somebody has a TCP connection with now, in this network namespace."""
    found = {one.address for name in ("tcp", "tcp6") for one in _read(root / name, "tcp", TCP_ESTABLISHED)}
    return frozenset(getattr(address, "ipv4_mapped", None) or address for address in found)


def owners(inodes: Iterable[int], root: Path = Path("/proc")) -> dict[int, frozenset[str]]:
    """The names of the processes that hold each of these sockets. What may not be looked at has no owner."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, set[str]] = {}
    processes = sorted((path for path in root.iterdir() if path.name.isdecimal()), key=lambda path: int(path.name))
    for process in processes[:PROCESSES_MAX]:
        for inode in {wanted[link] for link in _links(process / "fd") if link in wanted}:
            found.setdefault(inode, set()).add(_name(process))
    return {inode: frozenset(names) for inode, names in found.items()}


def _links(directory: Path) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            paths = [entry.path for entry in entries]
    except OSError:  # ended meanwhile, or not ours to look at
        return
    for path in paths:
        try:
            yield str(Path(path).readlink())
        except OSError:
            continue


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


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
        listener = Listener(protocol, int(port, 16), _address(address), int(fields[9]))
        if not listener.address.is_loopback:
            yield listener


def _address(text: str) -> Address:
    # The kernel writes each 32 bits of the address in the host's byte order.
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    packed = b"".join(words)
    return IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
