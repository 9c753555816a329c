"""Port scans: what ten thousand at once cost, how soon one is dropped, and how much memory each takes.

    PYTHONPATH=. .venv/bin/python -m bench.port_scans [--seconds 12] [--rounds 40]

"judged" is processor time for one copied packet, from the kernel's bytes to the detector's answer, without the blocks.
"storm" is a real one: packets of 10,000 sources on a cable, 50,000 a second, to a door that durward keeps; the share is
that of engine and enforcer together, blocks, evidence and database included. "reaction" is from just before the tenth
probe is sent until the kernel has the block: by the kernel's own reflex (TCP), and by way of the engine (UDP).
"""

import argparse
import gc
import multiprocessing
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from multiprocessing.connection import Connection
from pathlib import Path

from arena.namespace import inside
from arena.network import DOOR_IPV4
from bench.measure import await_quiet, cpu_seconds, milliseconds, percentile, table, verdict
from tests.attacks.firewalled import Firewalled
from tests.kernel.frames import tcp, udp

from durward.catalog.detector_card import read_detector
from durward.config.settings import detector_settings
from durward.daemons.probes import seen
from durward.detectors import port_scan
from durward.engine.assembly import detector_policy
from durward.engine.probes import SYN, TCP
from durward.engine.room import Room
from durward.privileged.sets import Sets
from durward.ruleset.elements import ElementKey
from durward.sources.packets import packets_in

SOURCES, EACH_SECOND = 10_000, 50_000
FIRST = int(IPv4Address("10.0.0.0"))
MILLION = 1_000_000
NOW = 1_795_421_400.0
SHARE_MAX, REACTION_SECONDS_MAX = 0.25, 0.005
REFLEX_SECONDS_MAX = 0.003
ASK_SECONDS, GIVE_UP_SECONDS = 0.0001, 5.0  # between two questions to the kernel
SETTINGS = '[firewall]\ntcp_in = "22,8080"\nbogons = false\nreverse_path = "off"\n'
CARD = Path(port_scan.__file__).with_suffix(".toml")


def detector() -> port_scan.Detector:
    """One with the settings as they are shipped."""
    card = read_detector(CARD)
    return port_scan.Detector(card.id, detector_policy(card, detector_settings(card, {}), {}), Room())


def source_of(number: int) -> int:
    """An address for each, spread over networks."""
    return FIRST + number % 65_536 * 251 + number // 65_536


def copy(number: int, port: int, window: int) -> bytes:
    """One record of NFLOG as the kernel writes it, alone in its datagram."""
    packet = bytearray(tcp(str(IPv4Address(source_of(number))), port, to=DOOR_IPV4))
    packet[34:36] = window.to_bytes(2)
    parts = [(1, b"\x08\x00\x01\x00"), (10, b"dw:probe\0"), (4, b"\0\0\0\2"), (9, bytes(packet))]
    body = b"".join(struct.pack("=HH", 4 + len(text), kind) + text + b"\0" * (-len(text) % 4) for kind, text in parts)
    return struct.pack("=IHHIIBBH", 20 + len(body), 1024, 0, 0, 0, 2, 0, 7) + body


def judged() -> tuple[float, float, float, int]:
    """Seconds for one packet, of that for its reading, for one that makes a scanner, and how many were found."""
    chance = random.Random(7)
    copies = [
        [copy(number, 1000 + turn * 7 + number % 7, chance.randrange(1 << 16)) for number in range(SOURCES)]
        for turn in range(10)
    ]
    hearing = detector()
    early, many = _judge(hearing, [one for row in copies[:9] for one in row])
    found, last = _judge(hearing, copies[9])
    assert not early, "nine ports are no scan"
    began = time.process_time()
    for one in copies[0]:
        packets_in(one, len(one))
    reading = (time.process_time() - began) / SOURCES
    return many / (9 * SOURCES), reading, last / SOURCES, len(found)


def _judge(hearing: port_scan.Detector, copies: list[bytes]) -> tuple[set[str], float]:
    """Who was found, and how long it took."""
    found: set[str] = set()
    began = time.process_time()
    for one in copies:
        for packet in packets_in(one, len(one))[0]:
            for incident in hearing.see(*seen(packet), NOW):
                found.add(incident.subject.value)
    return found, time.process_time() - began


def memory_of_a_million() -> tuple[float, float]:
    """Bytes for each of a million sources with one probe, and for each of those who have nine."""
    return _memory(MILLION, 1), _memory(MILLION // 10, 9)


def _memory(sources: int, probes: int) -> float:
    def measure(sending: Connection) -> None:
        hearing = detector()
        gc.collect()
        before = _resident_bytes()
        for number in range(sources):
            packed = source_of(number).to_bytes(4)
            for port in range(probes):
                hearing.see(packed, SYN, TCP, 40_000, 1000 + port, 0, NOW)
        sending.send((_resident_bytes() - before) / sources)

    return float(_in_a_child(measure))


def _in_a_child(work: Callable[[Connection], None]) -> object:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=work, args=(theirs,))
    child.start()
    answer = ours.recv()
    child.join()
    return answer


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def storm(scene: Firewalled, seconds: float) -> tuple[float, float, int, int]:
    """Packets a second, the share of a processor, the scanners in the kernel, and those with a decision."""
    head = _head(scene)
    pids = [one["pid"] for one in scene.durward.ask("status")["processes"]]
    before = sum(map(cpu_seconds, pids))
    sent = int(_in_a_child(lambda sending: sending.send(_flood(scene, head, seconds))))  # type: ignore[call-overload]
    took = seconds
    share = (sum(map(cpu_seconds, pids)) - before) / took
    deadline = time.monotonic() + 60.0
    decided, storming = 0, {str(IPv4Address(source_of(number))) for number in range(SOURCES)}
    while decided < SOURCES and time.monotonic() < deadline:
        time.sleep(1.0)
        decided = len(storming & {one["subject"] for one in scene.lines("log", "--lines", "20000")})
    keys = [ElementKey("block4_32", source_of(number).to_bytes(4)) for number in range(SOURCES)]
    with inside(scene.network.door, Sets) as sets:
        blocked = sum(reading is not None for reading in sets.read(keys))
    return sent / took, share, blocked, decided


def _flood(scene: Firewalled, head: bytes, seconds: float) -> int:
    """Each source in turn, each time another port, at an even pace."""
    frames = [
        [head + tcp(str(IPv4Address(source_of(number))), 1 + (number * 7 + turn * 13) % 7000, to=DOOR_IPV4)
         for number in range(SOURCES)]
        for turn in range(20)
    ]  # fmt: skip
    sent = 0
    with inside(scene.network.street, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as sending:
        sending.bind(("eth0", 0))
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            row = frames[sent // SOURCES % len(frames)]
            first = sent % SOURCES
            for frame in row[first : first + 500]:
                sending.send(frame)
            sent += 500
            time.sleep(max(0.0, began + sent / EACH_SECOND - time.monotonic()))
    return sent


def _head(scene: Firewalled) -> bytes:
    link = scene.door.run(["ip", "-o", "link", "show", "eth0"], check=True).stdout
    hardware = link.partition("link/ether ")[2].split()[0]
    return bytes.fromhex(hardware.replace(":", "")) + b"\x02\0\0\0\0\1\x08\x00"


def reaction(scene: Firewalled, rounds: int, *, by_engine: bool) -> list[float]:
    """Seconds from just before the tenth probe is sent until the block is in the kernel."""
    head, taken = _head(scene), []
    with (
        inside(scene.network.street, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as sending,
        inside(scene.network.door, Sets) as sets,
    ):
        sending.bind(("eth0", 0))
        for turn in range(rounds):
            source = IPv4Address(int(IPv4Address("10.128.0.0" if by_engine else "10.192.0.0")) + turn * 257)
            for port in range(100, 109):
                sending.send(head + _probe(str(source), port, by_engine=by_engine))
            time.sleep(random.uniform(0.1, 0.2))
            key = ElementKey("block4_32", source.packed)
            began = time.monotonic()
            sending.send(head + _probe(str(source), 109 + turn, by_engine=by_engine))
            while sets.read([key])[0] is None and time.monotonic() < began + GIVE_UP_SECONDS:
                time.sleep(ASK_SECONDS)
            taken.append(time.monotonic() - began)
    return taken


def _probe(source: str, port: int, *, by_engine: bool) -> bytes:
    return udp(source, port, b"?", to=DOOR_IPV4) if by_engine else tcp(source, port, to=DOOR_IPV4)


def main() -> int:
    """Measure, and say whether what is aimed at is met."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=12.0)
    asked.add_argument("--rounds", type=int, default=40)
    options = asked.parse_args()
    await_quiet()
    each, reading, last, found = judged()
    one, nine = memory_of_a_million()
    rows = [("", "microseconds", "at 50,000/s")]
    rows += [("judged", f"{each * 1e6:.2f}", f"{each * EACH_SECOND:.0%} of a core")]
    rows += [("  of that reading", f"{reading * 1e6:.2f}", f"{reading * EACH_SECOND:.0%}")]
    rows += [("one that makes a scanner, with evidence", f"{last * 1e6:.1f}", "")]
    print(table(f"One copied packet; {found} of {SOURCES} scanners found", rows))
    rows = [("", "bytes each"), ("a million with one probe", f"{one:.0f}"), ("with nine", f"{nine:.0f}")]
    print(table("Memory of a source", rows))
    with Firewalled(settings=SETTINGS) as scene:
        reflex = reaction(scene, options.rounds, by_engine=False)
        engine = reaction(scene, options.rounds, by_engine=True)
        speed, share, blocked, decided = storm(scene, options.seconds)
    shares = (0.5, 0.95, 0.99, 1.0)
    rows = [("milliseconds", "p50", "p95", "p99", "max", "")]
    for name, taken, most in (
        ("reflex, TCP", reflex, REFLEX_SECONDS_MAX),
        ("engine, UDP", engine, REACTION_SECONDS_MAX),
    ):
        cells = [milliseconds(percentile(taken, part)) for part in shares]
        rows.append((name, *cells, verdict(percentile(taken, 0.95), most)))
    print(table("From the tenth probe to the block", rows))
    rows = [("packets/s", "of a core", "blocked", "decisions", "")]
    met = verdict(share, SHARE_MAX) if blocked == SOURCES else "MISSED"
    rows.append((f"{speed:,.0f}", f"{share:.0%}", f"{blocked:,}", f"{decided:,}", met))
    print(table(f"A storm of {SOURCES:,} scanners for {options.seconds:g} s", rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
