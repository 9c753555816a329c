"""Packets that cannot be what they say: impossible TCP flags, sources that nobody has, addresses that are not in use.

What no honest packet can be is dropped before connection tracking. Private networks are judged later and only where
they begin something: name servers and clouds' metadata services answer from such addresses, and answers must arrive.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from durward.model import Network
from durward.ruleset.fragment import Fragment
from durward.ruleset.policy import Policy, Spoofing
from durward.ruleset.writing import chain, group, networks_text, outside

FLAGS = "tcp flags & (fin|syn|rst|psh|ack|urg)"
# The only sensible combinations; one look-up for each packet. ECN's bits are nobody's business here.
GOOD_FLAGS = group(
    ("syn", "syn|urg", "syn|ack", "syn|psh|ack", "rst", "rst|ack", "rst|psh|ack")
    + ("ack", "psh|ack", "urg|ack", "psh|urg|ack", "fin|ack", "fin|psh|ack", "fin|urg|ack", "fin|psh|urg|ack")
)
# Counted apart in this order; a packet counts for the first that it is.
BAD_FLAGS = {
    "null": f"{FLAGS} == 0",
    "xmas": f"{FLAGS} == fin|psh|urg",
    "all": f"{FLAGS} == fin|syn|rst|psh|ack|urg",
    "syn_fin": "tcp flags & (fin|syn) == fin|syn",
    "syn_rst": "tcp flags & (syn|rst) == syn|rst",
    "fin_rst": "tcp flags & (fin|rst) == fin|rst",
    "fin_alone": "tcp flags & (fin|ack) == fin",
    "psh_alone": "tcp flags & (psh|ack) == psh",
    "urg_alone": "tcp flags & (urg|ack) == urg",
}
# Never a source on a cable (RFC 1122, RFC 4291), whatever the network.
MARTIANS4 = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")))
MARTIANS6 = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "100::/64", "ff00::/8")))
# Not of the public internet (RFC 6890); a host may live in one.
PRIVATE4 = tuple(
    map(
        IPv4Network,
        ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16")
        + ("198.18.0.0/15",),
    )
)
PRIVATE6 = tuple(map(IPv6Network, ("2001:2::/48", "2001:10::/28")))
# Everything that is given out (RFC 4291), the link's own addresses, and IPv4 behind a translator (RFC 6052).
GIVEN6 = tuple(map(IPv6Network, ("2000::/3", "fe80::/10", "64:ff9b::/96")))
DOCUMENTATION4 = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
DOCUMENTATION6 = tuple(map(IPv6Network, ("2001:db8::/32", "3fff::/20")))
# What neighbours, routers and multicast need before there is an address, and from link to link (RFC 4861, RFC 3810).
NEIGHBOURS = (
    "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
    "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } return"
)
DHCP = "udp sport . udp dport { 67 . 68, 68 . 67 } return"


def fragment(policy: Policy, generation: str) -> Fragment:
    """Drop what cannot be. Needs to stand first in the slots `raw` and `untracked`."""
    spoofing = policy.spoofing
    before, beginning = f"impossible_{generation}", f"spoofed_{generation}"
    chains = [
        chain(f"bad_flags_{generation}", (*_counted("bad_flags", BAD_FLAGS), 'counter drop comment "bad_flags other"')),
        chain(before, _impossible(spoofing, generation)),
    ]
    if judged := list(_beginning(spoofing)):
        chains.append(chain(beginning, judged))
    return Fragment(
        chains=tuple(chains),
        raw=(f"{outside(policy)} jump {before}",),
        untracked=(f"ct state new,invalid,untracked {outside(policy)} jump {beginning}",) if judged else (),
    )


def bogons(spoofing: Spoofing) -> tuple[Network, ...]:
    """The networks that are no source here. In a laboratory, which lives in one for documentation, none of those is."""
    documented = (*DOCUMENTATION4, *DOCUMENTATION6)
    if any(own.overlaps(one) for own in spoofing.own_networks for one in documented):  # type: ignore[arg-type]
        documented = ()
    return (*PRIVATE4, *PRIVATE6, *documented)


def _counted(kind: str, conditions: dict[str, str]) -> Iterator[str]:
    for name, condition in conditions.items():
        yield f'{condition} counter drop comment "{kind} {name}"'


def _impossible(spoofing: Spoofing, generation: str) -> Iterator[str]:
    yield f"{FLAGS} != {GOOD_FLAGS} jump bad_flags_{generation}"
    # Connection tracking knows whether these belong to a connection; the rest need not be done for each of them.
    yield "tcp flags & ack == ack return"
    yield NEIGHBOURS
    yield DHCP
    yield "ip protocol igmp return"  # a switch that asks for members does so as 0.0.0.0
    if spoofing.bogons:
        yield f'ip saddr {networks_text(MARTIANS4)} counter drop comment "martian"'
        yield f'ip6 saddr {networks_text(MARTIANS6)} counter drop comment "martian"'
    if spoofing.reverse_path:
        yield 'fib saddr . iif oif missing counter drop comment "reverse_path"'


def _beginning(spoofing: Spoofing) -> Iterator[str]:
    unused = [ip_network(ip_address(address)) for address in spoofing.unused_addresses]
    if unused or spoofing.bogons:
        yield NEIGHBOURS
        yield DHCP
    for family, version in (("ip", 4), ("ip6", 6)):
        if nobody := [one for one in unused if one.version == version]:
            yield f'{family} daddr {networks_text(nobody)} counter drop comment "unused_address"'
    if spoofing.bogons:
        yield from _bogon_rules(spoofing)


def _bogon_rules(spoofing: Spoofing) -> Iterator[str]:
    for family, version in (("ip", 4), ("ip6", 6)):
        if own := [one for one in spoofing.own_networks if one.version == version and one.prefixlen]:
            yield f"{family} saddr {networks_text(own)} return"
        refused = [one for one in bogons(spoofing) if one.version == version]
        yield f'{family} saddr {networks_text(refused)} counter drop comment "bogon"'
    yield f'ip6 saddr != {networks_text(GIVEN6)} counter drop comment "bogon"'
