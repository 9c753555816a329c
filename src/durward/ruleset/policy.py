"""Policy: what the firewall is to do, as plain values. Made from settings and facts; compiled to text."""

from dataclasses import dataclass, field
from typing import Literal

from durward.catalog.probed import Probed
from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.config.filters import Filter
from durward.model import Network
from durward.ruleset.matching import EVERY_PORT

Role = Literal["public", "trusted", "ignored"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one direction, by protocol and address family. An empty list is no port at all."""

    tcp4: tuple[PortRange, ...] = ()
    udp4: tuple[PortRange, ...] = ()
    tcp6: tuple[PortRange, ...] = ()
    udp6: tuple[PortRange, ...] = ()


EVERYTHING = Ports(EVERY_PORT, EVERY_PORT, EVERY_PORT, EVERY_PORT)


@dataclass(frozen=True, slots=True)
class Interface:
    """One network card: "public" is filtered, "trusted" passes, "ignored" is not looked at.

    A name may end with `*`. `inbound` takes the place of the host's list for what comes in by this card.
    """

    name: str
    role: Role = "public"
    inbound: Ports | None = None


# Bridges of container engines and virtual machines. One that is the way to the outside must be listed as an interface.
INNER_INTERFACES = ("br-*", "cni*", "docker*", "incusbr*", "lxcbr*", "lxdbr*", "podman*", "virbr*")


@dataclass(frozen=True, slots=True)
class Smtp:
    """Who may send mail by himself: user and group ids. All others are refused at `ports`.

    With `redirected` they are led to the same port of this host's own mail server, or all to port `redirect_to`.
    """

    users: tuple[int, ...] = (0,)
    groups: tuple[int, ...] = ()
    ports: tuple[int, ...] = (25, 465, 587)
    redirected: bool = False
    redirect_to: int | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """One line of the redirect list: what comes to `address`:`port` goes to `to_address`:`to_port`. None: any, here."""

    protocol: Literal["tcp", "udp"]
    address: str | None
    port: int | None
    to_address: str | None
    to_port: int | None
    keeps_source: bool = False  # the target answers by way of this host, so that it may see who asked


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
class Icmp:
    """What of ICMP is a matter of taste; what the internet needs to work (RFC 4890) always passes."""

    answers_ping: bool = True
    accepts_redirects: bool = False
    accepts_router_adverts: bool = True
    bytes_max: int = 1500  # of an echo request, headers included; a larger one is dropped
    refuses_fragments: bool = False  # costs every packet a look before it is put together


@dataclass(frozen=True, slots=True)
class Logging:
    """What is told of dropped packets: by NFLOG `group`, and as kernel lines with CSF's prefixes where wanted."""

    group: int = 5
    kernel_lines: bool = False
    silent_ports: tuple[PortRange, ...] = ()  # what everybody's noise knocks at: dropped without a word


@dataclass(frozen=True, slots=True)
class PortScans:
    """When a source of probes is banned by the kernel itself, and for how long, until the engine takes over.

    `count` different closed ports within `within_seconds`, or `flags` packets that no honest host sends. Counts of 0
    ban nobody: what counts is copied for the engine all the same. `spared` are never banned, beside who is allowed.
    """

    probed: Probed = field(default_factory=Probed)
    count: int = 10
    flags: int = 3
    within_seconds: float = 86400.0
    ban_seconds: int = 600
    spared: tuple[str, ...] = ()


DENY_LIST = "deny.list"  # as a file of a merged list: what of it is too much to become decisions
MergedMode = Literal["deny", "allow_only", "deny_ports", "allow_ports"]


@dataclass(frozen=True, slots=True)
class MergedList:
    """Networks of many lists as one: what happens to who is in it, or (`allow_only`) is not, when he begins something.

    `tcp` and `udp` are for the modes about ports. `early` refuses, in mode `deny`, before connection tracking: that is
    cheaper, and refuses the answers to this host's own connections too. Right for attackers, wrong for countries.
    `files` are where its networks stand: names or patterns below the directory of lists, or DENY_LIST.
    """

    name: str
    mode: MergedMode
    tcp: tuple[PortRange, ...] = ()
    udp: tuple[PortRange, ...] = ()
    early: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the firewall is to do. The default lets in nothing but SSH, and lets out everything.

    `inner_interfaces` lead to this host's own containers and machines: what these begin is judged as leaving.
    """

    inbound: Ports = field(default_factory=Ports)
    outbound: Ports = EVERYTHING
    interfaces: tuple[Interface, ...] = ()
    inner_interfaces: tuple[str, ...] = INNER_INTERFACES
    resolvers: tuple[str, ...] = ()
    ssh_ports: tuple[int, ...] = (22,)
    allow_filters: tuple[Filter, ...] = ()
    deny_filters: tuple[Filter, ...] = ()
    syn_flood: Rate | None = None
    syn_proxy: bool = True  # whether the kernel tracks whole connections only; without, floods meet SYN cookies alone
    port_floods: tuple[PortFlood, ...] = ()
    connection_limits: tuple[ConnectionLimit, ...] = ()
    ping: Rate | None = None
    icmp: Icmp = field(default_factory=Icmp)
    udp_flood: Rate | None = None
    udp_flood_exempt: tuple[int, ...] = (0,)  # user ids
    smtp: Smtp | None = None
    redirects: tuple[Redirect, ...] = ()
    knocks: tuple[Knock, ...] = ()
    spoofing: Spoofing = field(default_factory=Spoofing)
    logging: Logging = field(default_factory=Logging)
    ftp_helper: bool = False
    block_prefix_v6: int = 64
    merged: tuple[MergedList, ...] = ()
    port_scans: PortScans | None = None
