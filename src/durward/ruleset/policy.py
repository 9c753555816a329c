"""Policy: what the firewall is to do, as plain values. Made from settings and facts about the host; compiled to text."""

from dataclasses import dataclass, field
from typing import Literal

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.config.filters import Filter
from durward.model import Network

Role = Literal["public", "trusted", "ignored"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one direction, by protocol and address family."""

    tcp4: tuple[PortRange, ...] = ()
    udp4: tuple[PortRange, ...] = ()
    tcp6: tuple[PortRange, ...] = ()
    udp6: tuple[PortRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """One network card: "public" is filtered, "trusted" passes, "ignored" is not looked at."""

    name: str
    role: Role = "public"


@dataclass(frozen=True, slots=True)
class Smtp:
    """Who may send mail by himself: user and group ids. All others are refused at `ports`, or led to `redirect_to`."""

    users: tuple[int, ...] = (0,)
    groups: tuple[int, ...] = ()
    ports: tuple[int, ...] = (25, 465, 587)
    redirect_to: int | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """One line of the redirect list: what comes to `address`:`port` goes to `to_address`:`to_port`. None: any, here."""

    protocol: Literal["tcp", "udp"]
    address: str | None
    port: int | None
    to_address: str | None
    to_port: int | None


@dataclass(frozen=True, slots=True)
class Knock:
    """One door that opens to whoever knocks at `steps` in order, each within `within_seconds` of the one before."""

    port: int
    protocol: Literal["tcp", "udp"]
    steps: tuple[int, ...]
    within_seconds: int


@dataclass(frozen=True, slots=True)
class Spoofing:
    """What cannot be true of a packet from outside, and which addresses of this host nobody should talk to."""

    bogons: bool = True
    reverse_path: bool = True
    own_networks: tuple[Network, ...] = ()
    unused_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logging:
    """What is told of dropped packets: by NFLOG `group`, and as kernel lines with CSF's prefixes where wanted."""

    group: int = 5
    kernel_lines: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the firewall is to do. The default lets in nothing but SSH, and lets out everything."""

    inbound: Ports = field(default_factory=Ports)
    outbound: Ports = field(default_factory=Ports)
    interfaces: tuple[Interface, ...] = ()
    ssh_ports: tuple[int, ...] = (22,)
    allow_filters: tuple[Filter, ...] = ()
    deny_filters: tuple[Filter, ...] = ()
    syn_flood: Rate | None = None
    port_floods: tuple[PortFlood, ...] = ()
    connection_limits: tuple[ConnectionLimit, ...] = ()
    ping: Rate | None = None
    udp_flood: Rate | None = None
    smtp: Smtp | None = None
    redirects: tuple[Redirect, ...] = ()
    knocks: tuple[Knock, ...] = ()
    spoofing: Spoofing = field(default_factory=Spoofing)
    logging: Logging = field(default_factory=Logging)
    ftp_helper: bool = False
    block_prefix_v6: int = 64
