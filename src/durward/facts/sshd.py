"""Which ports SSH listens on: what sshd says of itself, what systemd listens on for it, and who really listens."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from durward.facts.asking import answer_of
from durward.facts.failure import FactsError
from durward.facts.listeners import Listener, listeners, owners
from durward.facts.sshd_config import configured_ports
from durward.facts.sshd_socket import socket_ports

USUAL_PORT = 22
PROGRAMS = frozenset({"sshd", "sshd-session", "dropbear", "tinysshd"})
PORTS_MAX = 64  # more SSH ports than this are not believed; the lowest are kept

Learnt = tuple[int, str]  # a port, and where it was learnt


@dataclass(frozen=True, slots=True, order=True)
class SshPort:
    """One port that must stay open, and where that was learnt."""

    port: int
    learnt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look; other places are for tests."""

    root: Path = Path("/")
    listening: Callable[[], list[Listener]] = field(default=listeners)


def ssh_ports(places: Places | None = None) -> tuple[int, ...]:
    """The ports of SSH, lowest first. Never empty."""
    return tuple(found.port for found in find_ssh(places))


def find_ssh(places: Places | None = None) -> tuple[SshPort, ...]:
    """The ports of SSH and where each was learnt. Never empty: where nothing is known, SSH is where it usually is.

    What is configured counts beside what listens: it is what will listen after the next restart of sshd.
    """
    places = places or Places()
    learnt: dict[int, list[str]] = {}
    for port, where in (*_configured(places), *socket_ports(places.root), *_listening(places.listening())):
        learnt.setdefault(port, []).append(where)
    if not learnt:
        learnt = {USUAL_PORT: ["assumed: no sshd was found"]}
    return tuple(SshPort(port, tuple(dict.fromkeys(learnt[port]))) for port in sorted(learnt)[:PORTS_MAX])


def ports_in_files(root: Path = Path("/")) -> tuple[int, ...]:
    """The ports of SSH as far as files tell, for a process that cannot ask sshd; the usual one where they do not."""
    ports = {port for port, _ in (*configured_ports(root), *socket_ports(root))}
    return tuple(sorted(ports)[:PORTS_MAX]) or (USUAL_PORT,)


def _configured(places: Places) -> list[Learnt]:
    """What `sshd -T` says, or its files where it does not run, like while its directory in /run is missing."""
    if places.root == Path("/"):
        try:
            return [(port, "sshd -T") for port in ports_of(answer_of("sshd", "-T").splitlines())]
        except FactsError:
            pass
    return configured_ports(places.root)


def ports_of(lines: Iterable[str]) -> list[int]:
    """The ports in what `sshd -T` writes: those of its addresses, which say it all; else its plain ports.

    Addresses of the loopback interface are nobody's way in.
    """
    plain, addressed = [], []
    for line in lines:
        keyword, _, value = line.strip().partition(" ")
        if keyword == "port" and value.isdecimal():
            plain.append(int(value))
        elif keyword == "listenaddress":
            address, _, port = value.partition(" ")[0].rpartition(":")
            addressed.append((address.strip("[]").partition("%")[0], port))
    ports = [int(port) for address, port in addressed if port.isdecimal() and not _is_loopback(address)]
    return sorted(set(ports or plain))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _listening(sockets: list[Listener]) -> Iterator[Learnt]:
    sockets = [socket for socket in sockets if socket.protocol == "tcp"]
    programs = owners(socket.inode for socket in sockets)
    for socket in sockets:
        for program in sorted(programs.get(socket.inode, frozenset()) & PROGRAMS):
            yield socket.port, f"{program} listens on {socket.address}"
