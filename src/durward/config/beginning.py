"""The first configuration, written from what was found on a host: settings with their reasons, and policy.assert."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from durward.catalog.panel_card import GENERIC, PanelCard
from durward.catalog.traffic import PortRange

FTP_PORT = 21
# What usually nobody outside should reach: databases, caches, and what administers machines without asking who.
INNER_PORTS = {
    111: "rpcbind",
    2049: "NFS",
    2375: "Docker without a password",
    3306: "MySQL",
    5432: "PostgreSQL",
    6379: "Redis",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}
SETTINGS = """\
# durward's settings. An empty file protects: everything has a default, and `durward check` names every mistake.
# All settings: docs/reference/settings.md. The lists beside this file take CSF's lines.

[firewall]
{about_tcp}
tcp_in = "{tcp}"
{about_udp}
udp_in = "{udp}"
{about_out}
[detectors.brute_force]
mode = "enforce"  # "shadow" decides and records, and blocks nobody
"""
ASSERTIONS = """\
# What must be true of every firewall: `durward apply` asks the kernel, and refuses one that breaks a line.
# Take the # away from the lines that you mean, and write your own.
#
# anyone reaches {ssh}
# anyone reaches 443
# {administrator} reaches {ssh}
# nobody reaches 3306
# 198.51.100.0/24 does not reach 25
# this host reaches 203.0.113.5:25
# anyone reaches ping
"""
SOMEBODY = "198.51.100.7"  # of a network for documentation


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: ports that listen with the programs behind them, the panel, FTP's data ports and who says them.

    `administrator` is the address that the administrator is logged in from; empty where it is not known.
    """

    tcp: Mapping[int, str] = field(default_factory=dict)
    udp: Mapping[int, str] = field(default_factory=dict)
    panel: PanelCard | None = None
    panel_ports: tuple[int, ...] = ()
    passive_ftp: PortRange | None = None
    passive_ftp_file: str = ""
    ssh_ports: tuple[int, ...] = (22,)
    administrator: str = ""

    @property
    def is_panel(self) -> bool:
        """Whether a control panel is there."""
        return self.panel is not None and self.panel.id != GENERIC

    @property
    def data_ports(self) -> tuple[PortRange, ...]:
        """The ports for the data of FTP: as its server says or, where it does not, as the panel's maker does."""
        if self.passive_ftp is not None:
            return (self.passive_ftp,)
        is_wanted = self.is_panel or FTP_PORT in self.tcp
        return self.panel.passive_ftp if self.panel is not None and is_wanted else ()

    @property
    def tcp_in(self) -> str:
        """TCP ports that are to be open."""
        panel = self.panel.tcp_in.ipv4 if self.panel is not None and self.is_panel else ()
        single = (*self.tcp, *self.panel_ports, *(self.ssh_ports if not self.tcp else ()))
        return _joined([*(PortRange(port, port) for port in single), *panel, *self.data_ports])

    @property
    def udp_in(self) -> str:
        """UDP ports that are to be open."""
        panel = self.panel.udp_in.ipv4 if self.panel is not None and self.is_panel else ()
        return _joined([*(PortRange(port, port) for port in self.udp), *panel])

    @property
    def exposed(self) -> dict[int, str]:
        """Ports that will be open to everybody because they listen, and that usually nobody outside needs."""
        return {port: name for port, name in INNER_PORTS.items() if port in self.tcp or port in self.udp}


def settings_text(found: Found) -> str:
    """The durward.toml."""
    about_tcp = [f"Found listening when this file was written: {_named(found.tcp) or 'nothing'}."]
    if found.panel is not None and found.is_panel:
        about_tcp.append(f"{found.panel.title} is installed. {found.panel.why}")
        about_tcp.append("The ports that it needs are open as well.")
    if found.data_ports:
        who = found.passive_ftp_file or (found.panel.title if found.panel is not None else "")
        about_tcp.append(f"{', '.join(map(str, found.data_ports))} are for the data of passive FTP, as {who} says.")
    about_tcp += [
        f"{port} is {name}: open, because it listens. Better take it out." for port, name in found.exposed.items()
    ]
    return SETTINGS.format(
        about_tcp=_comment(about_tcp),
        tcp=found.tcp_in,
        about_udp=_comment([f"Found listening: {_named(found.udp) or 'nothing'}."]),
        udp=found.udp_in,
        about_out=_about_out(found),
    )


def assertions_text(found: Found) -> str:
    """The policy.assert: nothing but examples, with what is known of this host in them."""
    ssh = found.ssh_ports[0] if found.ssh_ports else 22
    return ASSERTIONS.format(ssh=ssh, administrator=found.administrator or SOMEBODY)


def _about_out(found: Found) -> str:
    if found.panel is None or not found.is_panel:
        return ""
    lines = ["What may leave is not limited. With the lists that the panel needs it would be:"]
    lines += [f'tcp_out = "{_joined(found.panel.tcp_out.ipv4)}"', f'udp_out = "{_joined(found.panel.udp_out.ipv4)}"']
    return _comment(lines) + "\n"


def _named(ports: Mapping[int, str]) -> str:
    return ", ".join(f"{port} ({name})" if name else str(port) for port, name in sorted(ports.items()))


def _comment(lines: Iterable[str]) -> str:
    return "\n".join(f"# {line}" for line in lines)


def _joined(ranges: Iterable[PortRange]) -> str:
    """The ranges in order, those within others left out."""
    kept: list[PortRange] = []
    for one in sorted(set(ranges), key=lambda one: (one.first, -one.last)):
        if not kept or one.last > kept[-1].last:
            kept.append(one)
    return ",".join(map(str, kept))
