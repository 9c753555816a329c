"""Who may open connections to this host and out of it: interfaces, allowed addresses, port lists, name servers."""

from collections.abc import Iterable, Iterator
from typing import Literal

from durward.catalog.traffic import PortRange
from durward.ruleset.levels import Purpose, levels_of, set_name
from durward.ruleset.matching import (
    PROTOCOLS,
    VERSIONS,
    Line,
    Version,
    by_interface,
    chain,
    from_ports,
    listed,
    mask_v6,
    network_of,
    of_version,
    to_ports,
    with_comment,
    without,
)
from durward.ruleset.policy import EVERYTHING, Policy, Ports

End = Literal["saddr", "daddr"]

MASKS_V4 = {24: "255.255.255.0", 16: "255.255.0.0"}
FTP_PORT = 21
FTP_HELPER = (
    '\tct helper ftp {\n\t\ttype "ftp" protocol tcp;\n\t}'  # the same in every generation, so it is never in the way
)
# A ping that was answered is part of a connection, and would never be limited again.
ESTABLISHED = "ct state established meta l4proto != { icmp, ipv6-icmp } accept"
MIDDLE = "tcp flags & (fin | syn | rst | ack) == ack"  # neither the first packet of a connection nor its last
LINK_LOCAL = "fe80::/10"
DHCP_IN = (
    "udp sport 67 udp dport 68 accept",
    f"ip6 saddr {LINK_LOCAL} udp sport 547 udp dport 546 accept",
)
DHCP_OUT = (
    "udp sport 68 udp dport 67 accept",
    f"ip6 saddr {LINK_LOCAL} udp sport 546 udp dport 547 accept",
)
# What this host does for its own containers and machines.
INNER_SERVICES = ("udp dport { 53, 67, 547 } accept", "tcp dport 53 accept")


def ftp_helper(policy: Policy, *, translated: bool = False) -> tuple[str, ...]:
    """Have the kernel read what FTP agrees on, so that its data connections count as related."""
    if not policy.ftp_helper:
        return ()
    ports = (PortRange(FTP_PORT, FTP_PORT),)
    return (f'{to_ports("tcp", ports, translated=translated)} ct helper set "ftp"',)


def unfiltered(policy: Policy, word: Literal["iifname", "oifname"]) -> tuple[str, ...]:
    """Interfaces that nothing is asked at."""
    names = [one.name for one in policy.interfaces if one.role != "public"]
    return (f"{by_interface(word, names)} accept",) if names else ()


def from_inside(policy: Policy, verdict: str) -> tuple[str, ...]:
    """What comes from our own containers and machines. An interface that is listed is what the list says it is."""
    if not policy.inner_interfaces:
        return ()
    public = [one.name for one in policy.interfaces if one.role == "public"]
    but = by_interface("iifname", public, but=True) + " " if public else ""
    return (f"{but}{by_interface('iifname', policy.inner_interfaces)} {verdict}",)


def to_inside(policy: Policy) -> tuple[str, ...]:
    """What goes to our own containers and machines."""
    if not policy.inner_interfaces:
        return ()
    public = [one.name for one in policy.interfaces if one.role == "public"]
    but = by_interface("oifname", public, but=True) + " " if public else ""
    return (f"{but}{by_interface('oifname', policy.inner_interfaces)} accept",)


def allowed_sources(block_prefix_v6: int, *, translated: bool = False) -> Iterator[Line]:
    """Sources whom a list allows, everywhere or at some ports."""
    for version in VERSIONS:
        for level in levels_of(version, block_prefix_v6):
            yield _lookup(version, level, "saddr", "allow")
        for level in levels_of(version, block_prefix_v6):
            yield from _lookups_with_port(version, level, "saddr", "allow_ports", translated=translated)


def allowed_destinations(block_prefix_v6: int) -> Iterator[Line]:
    """Destinations that a list allows. Whoever is allowed in may be talked to as well."""
    for version in VERSIONS:
        levels = levels_of(version, block_prefix_v6)
        yield from (_lookup(version, level, "daddr", "allow") for level in levels)
        yield from (_lookup(version, level, "daddr", "allow_out") for level in levels)
        for level in levels:
            yield from _lookups_with_port(version, level, "daddr", "allow_out_ports", translated=False)


def open_ports(policy: Policy, *, translated: bool = False) -> tuple[str, ...]:
    """The ports that anybody reaches. Those with a knock are left to it."""
    return tuple(_port_rules(_without_knocks(policy.inbound, policy), "in", translated=translated))


def ssh_ports(policy: Policy) -> tuple[str, ...]:
    """The way in for administrators, whatever the lists say."""
    closed = {knock.port for knock in policy.knocks if knock.protocol == "tcp"}
    ports = tuple(PortRange(port, port) for port in sorted(set(policy.ssh_ports) - closed))
    if not ports:
        return ()
    return (with_comment(f"fib daddr type local {to_ports('tcp', ports)} accept", "ssh_ports"),)


def ports_of_interfaces(
    policy: Policy, generation: str, *, translated: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Chains and rules for interfaces with port lists of their own; there the host's lists do not count."""
    chains, rules = [], []
    for index, interface in enumerate(policy.interfaces):
        if interface.inbound is None or interface.role != "public":
            continue
        name = f"ports_{'translated_' if translated else ''}{index}_{generation}"
        ports = _without_knocks(interface.inbound, policy)
        chains.append(chain(name, [*_port_rules(ports, "in", translated=translated), "return"]))
        rules.append(f"{by_interface('iifname', [interface.name])} goto {name}")
    return tuple(chains), tuple(rules)


def lets_out_everything(policy: Policy) -> bool:
    """Whether nothing is asked of what leaves: the lists are of all ports. Then other protocols pass too."""
    return policy.outbound == EVERYTHING


def outgoing_ports(policy: Policy) -> tuple[str, ...]:
    """The ports elsewhere that may be reached."""
    return tuple(_port_rules(policy.outbound, "out", translated=False))


def name_servers(policy: Policy) -> tuple[str, ...]:
    """Names can always be resolved: to port 53 of the host's own resolvers, from any port of ours and to no other."""
    rules = []
    for version in VERSIONS:
        addresses = [address for address in map(network_of, policy.resolvers) if address.version == version]
        if addresses:
            texts = [str(address.network_address) for address in sorted(set(addresses))]
            word = "ip" if version == 4 else "ip6"
            rules.append(f"{word} daddr {listed(texts)} meta l4proto {{ tcp, udp }} th dport 53 accept")
    return tuple(with_comment(rule, "resolvers") for rule in rules)


def untracked_answers(policy: Policy) -> tuple[str, ...]:
    """Answers of our open ports that the kernel does not know as such.

    They are those of ports that somebody took out of connection tracking, the SYN proxy's, and those of connections
    that are older than the first firewall: where the next packet is ours, the kernel takes it for a beginning.
    """
    rules: list[str] = []
    for protocol in PROTOCOLS:
        ports = policy.inbound.tcp4 + policy.inbound.tcp6 if protocol == "tcp" else _udp(policy.inbound)
        if protocol == "tcp":
            ports += tuple(PortRange(port, port) for port in policy.ssh_ports)
        if ports:
            rules.append(f"ct state invalid,untracked {from_ports(protocol, _merged(ports))} accept")
            if protocol == "tcp":
                rules.append(f"ct state new {MIDDLE} {from_ports(protocol, _merged(ports))} accept")
    return tuple(rules)


def open_tcp_ports(policy: Policy) -> tuple[PortRange, ...]:
    """TCP ports of this host that anybody reaches by both address families, SSH's among them."""
    ports = _without_knocks(policy.inbound, policy)
    both = [
        PortRange(max(four.first, six.first), min(four.last, six.last))
        for four in ports.tcp4
        for six in ports.tcp6
        if max(four.first, six.first) <= min(four.last, six.last)
    ]
    return _merged([*both, *(PortRange(port, port) for port in policy.ssh_ports)])


def _udp(ports: Ports) -> tuple[PortRange, ...]:
    return ports.udp4 + ports.udp6


def _merged(ports: Iterable[PortRange]) -> tuple[PortRange, ...]:
    merged: list[PortRange] = []
    for one in sorted(ports):
        if merged and one.first <= merged[-1].last + 1:
            merged[-1] = PortRange(merged[-1].first, max(merged[-1].last, one.last))
        else:
            merged.append(one)
    return tuple(merged)


def _without_knocks(ports: Ports, policy: Policy) -> Ports:
    tcp = [knock.port for knock in policy.knocks if knock.protocol == "tcp"]
    udp = [knock.port for knock in policy.knocks if knock.protocol == "udp"]
    return Ports(without(ports.tcp4, tcp), without(ports.udp4, udp), without(ports.tcp6, tcp), without(ports.udp6, udp))


def _port_rules(ports: Ports, direction: str, *, translated: bool) -> Iterator[str]:
    for protocol in PROTOCOLS:
        four, six = (ports.tcp4, ports.tcp6) if protocol == "tcp" else (ports.udp4, ports.udp6)
        pairs = [("", four)] if four == six else [(f"{of_version(4)} ", four), (f"{of_version(6)} ", six)]
        for family, numbers in pairs:
            if numbers:
                match = to_ports(protocol, _merged(numbers), translated=translated)
                yield with_comment(f"{family}{match} accept", f"{protocol}_{direction}")


def _lookup(version: Version, level: int, end: End, purpose: Purpose) -> Line:
    return Line(version, f"{_key(version, level, end)} @{set_name(purpose, version, level)} accept")


def _lookups_with_port(version: Version, level: int, end: End, purpose: Purpose, *, translated: bool) -> Iterator[Line]:
    key, name = _key(version, level, end), set_name(purpose, version, level)
    if not translated:
        yield Line(version, f"{key} . meta l4proto . th dport @{name} accept")
        return
    for protocol in PROTOCOLS:  # named first, because nft has to know what kind of port it is
        text = f"meta l4proto {protocol} {key} . meta l4proto . ct original proto-dst @{name} accept"
        yield Line(version, text)


def _key(version: Version, level: int, end: End) -> str:
    word = "ip" if version == 4 else "ip6"
    if level == (32 if version == 4 else 128):
        return f"{word} {end}"
    return f"{word} {end} & {MASKS_V4[level] if version == 4 else mask_v6(level)}"
