"""Host: everything about this host that the firewall's policy depends on, gathered at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from durward.facts.interfaces import NetworkInterface, gateways, has_one_way_out, interfaces, ways_out
from durward.facts.listeners import Listener, connected_addresses, listeners
from durward.facts.resolvers import resolvers
from durward.facts.sshd import ssh_ports
from durward.model import Address

FORWARDING = {4: Path("/proc/sys/net/ipv4/ip_forward"), 6: Path("/proc/sys/net/ipv6/conf/all/forwarding")}
LOOSE = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_loose")


@dataclass(frozen=True, slots=True)
class Host:
    """The facts. `connected`: own addresses with a connection; `one_way_out`: answers leave where questions come in."""

    interfaces: tuple[NetworkInterface, ...] = ()
    ssh_ports: tuple[int, ...] = (22,)
    listeners: tuple[Listener, ...] = ()
    connected: frozenset[Address] = frozenset()
    one_way_out: bool = False
    resolvers: tuple[Address, ...] = ()
    ways_out: tuple[str, ...] = ()
    tracks_whole_connections: bool = False
    forwards: frozenset[int] = frozenset({4, 6})  # the versions of IP
    gateways: tuple[Address, ...] = ()


def host_now(ports_of_ssh: Sequence[int] | None = None) -> Host:
    """The facts as they are now, in this network namespace. Raises FactsError.

    Only root can ask sshd for its ports: a process that is not gives those that root found.
    """
    return Host(
        interfaces(),
        ssh_ports() if ports_of_ssh is None else tuple(sorted(set(ports_of_ssh))),
        tuple(listeners()),
        connected_addresses(),
        has_one_way_out(),
        resolvers(),
        ways_out(),
        _tracks_whole_connections(),
        frozenset(version for version, path in FORWARDING.items() if _is(path, "1")),
        gateways(),
    )


def _tracks_whole_connections() -> bool:
    """Whether connection tracking picks up nothing half-way; not where it is not there at all."""
    return _is(LOOSE, "0")


def _is(path: Path, value: str) -> bool:
    """Whether a setting of the kernel is there and has this value."""
    try:
        return path.read_text("ascii").strip() == value
    except OSError:
        return False
