"""Words of nftables that several parts of the firewall need: ports, addresses, interfaces, limits, chains."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Network
from typing import Literal, NamedTuple

from durward.catalog.traffic import PORT_MAX, PortRange, Rate
from durward.model import Network, parse_network
from durward.model.address import text_of

Protocol = Literal["tcp", "udp"]
Version = Literal[4, 6]

PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp")
VERSIONS: tuple[Version, ...] = (4, 6)
EVERY_PORT = (PortRange(1, PORT_MAX),)
UNITS = {1: "second", 60: "minute", 3600: "hour"}
INTERFACE = re.compile(r"[^\s\"'/\\{}*]{0,14}[^\s\"'/\\{}]", re.ASCII)  # the kernel takes 15 bytes; * only at the end
COMMENT_CHARACTERS_MAX = 100  # of a rule; nft takes 127
SOURCES_MAX = 65_536  # that a meter knows at a time; those beyond are not limited, so nobody is refused for being many


class InvalidPolicyError(ValueError):
    """The policy cannot be written as rules; the message says what of it."""


class Line(NamedTuple):
    """One rule for one address family, or for both (None)."""

    version: Version | None
    text: str


def chain(name: str, rules: Iterable[str]) -> str:
    """A chain that others lead to, as it stands in the text of the table."""
    return f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}"


def listed(items: Sequence[str]) -> str:
    """One item as it is, several as an anonymous set."""
    return items[0] if len(items) == 1 else "{ " + ", ".join(items) + " }"


def with_comment(rule: str, comment: str) -> str:
    """The rule with a comment, which says where it comes from; shortened where nft would not take it."""
    return f'{rule} comment "{comment[:COMMENT_CHARACTERS_MAX]}"'


def to_ports(protocol: Protocol, ports: tuple[PortRange, ...], *, translated: bool = False) -> str:
    """What is sent to `ports`. `translated`: to the port that the sender asked for, before DNAT changed it."""
    if ports == EVERY_PORT:
        return f"meta l4proto {protocol}"
    if translated:
        return f"meta l4proto {protocol} ct original proto-dst {listed(port_texts(ports))}"
    return f"{protocol} dport {listed(port_texts(ports))}"


def from_ports(protocol: Protocol, ports: tuple[PortRange, ...]) -> str:
    """What is sent from `ports`."""
    return f"meta l4proto {protocol}" if ports == EVERY_PORT else f"{protocol} sport {listed(port_texts(ports))}"


def of_network(network: Network, end: Literal["saddr", "daddr"], *, translated: bool = False) -> str:
    """What comes from or goes to `network`. `translated`: to the address that the sender asked for."""
    word = "ip" if network.version == 4 else "ip6"
    if network.prefixlen == 0:
        return f"meta nfproto ipv{network.version}"
    before = "ct original " if translated and end == "daddr" else ""
    return f"{before}{word} {end} {text_of(network)}"


def network_of(text: str) -> Network:
    """The network that a policy names. Raises InvalidPolicyError."""
    try:
        return parse_network(text)
    except ValueError as error:
        raise InvalidPolicyError(str(error)) from None


def networks_text(networks: Iterable[Network]) -> str:
    """Networks of one family, in order. One that lies within another is left out: intervals must not overlap."""
    kept: list[Network] = []
    for network in sorted(networks, key=lambda one: (int(one.network_address), one.prefixlen)):
        if not kept or int(network.network_address) > int(kept[-1].broadcast_address):
            kept.append(network)
    return listed([str(network) for network in kept])


def of_version(version: Version) -> str:
    """Packets of one address family."""
    return f"meta nfproto ipv{version}"


def by_interface(word: Literal["iifname", "oifname"], names: Iterable[str], *, but: bool = False) -> str:
    """What comes in or goes out by one of `names`, or (`but`) by none. Raises InvalidPolicyError for a wrong name."""
    quoted = []
    for name in sorted(set(names)):
        if not INTERFACE.fullmatch(name) or name == "*":
            raise InvalidPolicyError(f"{name!r} is no name of an interface; 1 to 15 characters were expected")
        quoted.append(f'"{name}"')
    return f"{word} {'!= ' if but else ''}{listed(quoted)}"


def mask_v6(prefix: int) -> str:
    """The netmask of an IPv6 prefix length."""
    return str(IPv6Network((0, prefix)).netmask)


def source_of(version: Version, prefix_v6: int) -> str:
    """Who sent a packet, as meters count it: an address, or for IPv6 its network."""
    if version == 4:
        return "ip saddr"
    return "ip6 saddr" if prefix_v6 == 128 else f"ip6 saddr & {mask_v6(prefix_v6)}"


def rate_text(rate: Rate, *, over: bool) -> str:
    """A limit: what is within `rate` matches or, with `over`, what is beyond it."""
    return f"limit rate {'over ' if over else ''}{rate.count}/{UNITS[rate.seconds]} burst {rate.burst} packets"


def meter(name: str, kind: str, seconds: int) -> str:
    """A set that counts for itself; what is not seen for `seconds` is forgotten."""
    return f"set {name} {{ type {kind}; flags dynamic,timeout; timeout {seconds}s; size {SOURCES_MAX}; }}"


def without(ports: tuple[PortRange, ...], closed: Iterable[int]) -> tuple[PortRange, ...]:
    """The ranges without some ports."""
    left = list(ports)
    for port in sorted(set(closed)):
        left = [piece for one in left for piece in _cut(one, port)]
    return tuple(left)


def joined(ports: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """The ranges in order; those that touch are one."""
    ranges: list[PortRange] = []
    for one in sorted(ports):
        if ranges and one.first <= ranges[-1].last + 1:
            ranges[-1] = PortRange(ranges[-1].first, max(ranges[-1].last, one.last))
        else:
            ranges.append(one)
    return tuple(ranges)


def in_families(name: str, generation: str, lines: Iterable[Line]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Chains that hold the lines of one family each, and the rule that leads there; both empty for no lines."""
    lines = tuple(lines)
    chains, ways = [], []
    for version in VERSIONS:
        rules = [line.text for line in lines if line.version in (None, version)]
        if rules:
            chains.append(chain(f"{name}{version}_{generation}", rules))
            ways.append(f"ipv{version} : jump {name}{version}_{generation}")
    return tuple(chains), (f"meta nfproto vmap {{ {', '.join(ways)} }}",) if ways else ()


def port_texts(ports: tuple[PortRange, ...]) -> list[str]:
    """Ranges as nft writes them."""
    return [str(one.first) if one.first == one.last else f"{one.first}-{one.last}" for one in ports]


def _cut(ports: PortRange, port: int) -> list[PortRange]:
    if not ports.first <= port <= ports.last:
        return [ports]
    pieces = [(ports.first, port - 1), (port + 1, ports.last)]
    return [PortRange(first, last) for first, last in pieces if first <= last]
