"""How pieces of a rule set are written: chains, sets of ports and networks, and which interfaces lead outside."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from durward.catalog.traffic import PortRange
from durward.model import Network
from durward.ruleset.policy import Policy


def chain(name: str, rules: Iterable[str]) -> str:
    """A chain that others lead to, as it stands in the text of a table."""
    return f"\tchain {name} {{\n" + "".join(f"\t\t{rule}\n" for rule in rules) + "\t}"


def group(items: Iterable[object]) -> str:
    """Some values as nftables takes them for one: `{ 22, 80 }`."""
    return f"{{ {', '.join(map(str, items))} }}"


def ports_text(ranges: Iterable[PortRange]) -> str:
    """Ports and ranges of ports, in order, none twice."""
    # What overlaps is joined, because older kernels refuse intervals that do.
    joined: list[list[int]] = []
    for ports in sorted(ranges):
        if joined and ports.first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], ports.last)
        else:
            joined.append([ports.first, ports.last])
    return group(str(first) if first == last else f"{first}-{last}" for first, last in joined)


def networks_text(networks: Iterable[Network]) -> str:
    """Networks of one family, in order; one that lies in another is left out."""
    kept: list[Network] = []
    for network in sorted(networks, key=lambda one: (int(one.network_address), one.prefixlen)):
        if not kept or int(network.network_address) > int(kept[-1].broadcast_address):
            kept.append(network)
    return group(kept)


def outside(policy: Policy) -> str:
    """The condition that a packet came by an interface that the rules are for."""
    listed = {interface.name for interface in policy.interfaces if interface.role == "public"}
    spared = {interface.name for interface in policy.interfaces if interface.role != "public"}
    spared |= set(policy.inner_interfaces) - listed
    if not spared:
        return 'iif != "lo"'
    return f"iifname != {group(f'{chr(34)}{name}{chr(34)}' for name in sorted({'lo', *spared}))}"


def source(version: int, prefix_v6: int = 128) -> str:
    """The source of a packet, in IPv6 as the network that one customer usually has."""
    if version == 4:
        return "ip saddr"
    return "ip6 saddr" if prefix_v6 == 128 else f"ip6 saddr & {mask(6, prefix_v6)}"


def mask(version: int, level: int) -> str:
    """The mask of a prefix length, as nftables wants it."""
    return str((IPv4Network if version == 4 else IPv6Network)((0, level)).netmask)
