"""One packet, and what became of it: it passed, it was rejected, or nothing was ever heard of it."""

import errno
import os
import socket
import struct
import time
from pathlib import Path
from typing import Literal

from tests.kernel.namespaces import Namespace

Verdict = Literal["passes", "rejected", "silent"]

ANSWER_SECONDS_MAX = 5.0
SILENCE_SECONDS = 0.25  # nothing heard for so long is silence; what passes is answered within a millisecond
REJECTED = (errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ENETUNREACH)
ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def probe(  # noqa: PLR0917 - a packet has that many ends
    protocol: str, sender: Namespace, source: str, to: str, port: int, expected: str = "passes", *, source_port: int = 0
) -> Verdict:
    """Send one packet from `source` to `to`. No port of the other end needs to be open: a refusal is an answer too."""
    seconds = SILENCE_SECONDS if expected == "silent" else ANSWER_SECONDS_MAX
    if protocol == "ping":
        try:
            return "passes" if ping(sender, source, to, seconds=seconds) else "silent"
        except PermissionError:  # the sender's own host drops or rejects it
            return "rejected"
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with sender.inside():
        sending = socket.socket(family_of(to), kind)
    with sending:
        sending.settimeout(seconds)
        sending.bind((source, source_port))
        try:
            sending.connect((to, port))
            if protocol == "udp":
                sending.send(b"?")
                sending.recv(1)
        except TimeoutError:
            return "silent"
        except OSError as error:
            return "rejected" if error.errno in REJECTED else "passes"
    return "passes"


def ping(sender: Namespace, source: str, to: str, *, seconds: float = ANSWER_SECONDS_MAX, size: int = 8) -> bool:
    """Whether an echo request with `size` bytes of content is answered."""
    return pings(sender, source, to, 1, seconds=seconds, size=size) == 1


def pings(
    sender: Namespace, source: str, to: str, count: int, *, seconds: float = ANSWER_SECONDS_MAX, size: int = 8
) -> int:
    """How many of `count` echo requests at once, all of one ping, are answered."""
    family = family_of(to)
    six = family == socket.AF_INET6
    asked, answer = ECHO[family]
    identity = int.from_bytes(os.urandom(2))
    with sender.inside():
        raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
    with raw:
        raw.bind((source, 0))
        for number in range(count):
            raw.sendto(icmp(asked, 0, struct.pack("!HH", identity, number) + bytes(size), six=six), (to, 0))
        answers = 0
        until = time.monotonic() + seconds
        while answers < count and (left := until - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                packet = raw.recv(65_535)
            except TimeoutError:
                break
            message = packet if six else packet[(packet[0] & 15) * 4 :]
            answers += message[0] == answer and int.from_bytes(message[4:6]) == identity
        return answers


def icmp(kind: int, code: int, rest: bytes, *, six: bool = False) -> bytes:
    """An ICMP message; for IPv6 the kernel does the checksum."""
    message = struct.pack("!BBH", kind, code, 0) + rest
    if six:
        return message
    padded = message + b"\0" * (len(message) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]


def received(namespace: Namespace, name: str) -> int:
    """One of the kernel's counts of ICMP messages that arrived: `InType3`, or `Icmp6InType2` for IPv6."""
    path = Path("/proc/thread-self/net", "snmp6" if name.startswith("Icmp6") else "snmp")
    with namespace.inside():
        lines = [line.split() for line in path.read_text().splitlines()]
    if name.startswith("Icmp6"):
        return int(dict(line[:2] for line in lines).get(name, 0))
    names, numbers = ([line for line in lines if line[0] == "IcmpMsg:"] or [[], []])[:2]
    return int(dict(zip(names, numbers, strict=True)).get(name, 0))
