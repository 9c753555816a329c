"""Packets that cannot be what they say: impossible TCP flags, sources that nobody has, addresses that are not in use.

What no honest packet can be is dropped before connection tracking. Private networks are judged later and only where
they begin something: name servers and the metadata services of clouds answer from there, and answers must arrive.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from durward.model import Network
from durward.ruleset import port_scans
from durward.ruleset.fragment import Fragment
from durward.ruleset.matching import VERSIONS, by_interface, chain, listed, network_of, networks_text
from durward.ruleset.policy import Policy, Spoofing

FLAGS = "tcp flags & (fin|syn|rst|psh|ack|urg)"
# The only sensible combinations: one look-up for each packet. The bits of ECN are nobody's business here.
GOOD_FLAGS = (
    *("syn", "syn|urg", "syn|ack", "syn|psh|ack", "rst", "rst|ack", "rst|psh|ack", "ack", "psh|ack", "urg|ack"),
    *("psh|urg|ack", "fin|ack", "fin|psh|ack", "fin|urg|ack", "fin|psh|urg|ack"),
)
# Each has its own counter; a packet counts for the first that it is.
BAD_FLAGS = {
    "null": f"{FLAGS} == 0",
    "xmas": f"{FLAGS} == fin|psh|urg",
    "all": f"{FLAGS} == fin|syn|rst|psh|ack|urg",
    "syn_fin": "tcp flags & (fin|syn) == fin|syn",
    "syn_rst": "tcp flags & (syn|rst) == syn|rst",
    "fin_rst": "tcp flags & (fin|rst) == fin|rst",
    "fin_without_ack": "tcp flags & (fin|ack) == fin",
    "psh_without_ack": "tcp flags & (psh|ack) == psh",
    "urg_without_ack": "tcp flags & (urg|ack) == urg",
    "other": "",
}
# Never a source on a cable, whatever the network (RFC 1122, RFC 4291, RFC 6666).
MARTIANS = ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")
MARTIANS_V6 = ("::/96", "::ffff:0:0/96", "100::/64", "ff00::/8")
# Not of the public internet (RFC 6890), though a host may live there.
PRIVATE = (
    *("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16"),
    "198.18.0.0/15",
)
RESERVED_V6 = ("2001:2::/48", "2001:10::/28")
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
# All that is given out (RFC 4291), the addresses of the link, and IPv4 behind a translator (RFC 6052).
GIVEN_V6 = ("2000::/3", "fe80::/10", "64:ff9b::/96")
# What neighbours and routers say before there are addresses, and who wants multicast (RFC 4861, RFC 3810, RFC 2131).
NEIGHBOURS = (
    "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } return",
    "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } return",
    "udp sport . udp dport { 67 . 68, 68 . 67 } return",
    "ip protocol igmp return",
)


def fragment(policy: Policy, generation: str) -> Fragment:
    """Drop what cannot be. Belongs first into the slots `raw` and `untracked`. Raises InvalidPolicyError."""
    spoofing = policy.spoofing
    chains = [
        chain(f"bad_flags_{generation}", [*port_scans.impossible(policy, generation), *_bad_flags()]),
        chain(f"impossible_{generation}", _impossible(spoofing, generation)),
    ]
    judged = list(_spoofed(spoofing))
    if judged:
        chains.append(chain(f"spoofed_{generation}", judged))
    began = "ct state new,invalid,untracked"
    return Fragment(
        chains=tuple(chains),
        raw=tuple(f"{way} jump impossible_{generation}" for way in outside(policy)),
        untracked=tuple(f"{began} {way} jump spoofed_{generation}" for way in outside(policy)) if judged else (),
    )


def outside(policy: Policy) -> tuple[str, ...]:
    """Conditions, one of which a packet meets that came from outside: not from us, our containers, or trusted cards."""
    public = [one.name for one in policy.interfaces if one.role == "public"]
    spared = [one.name for one in policy.interfaces if one.role != "public"]
    again = [name for name in public if any(_is_like(name, inner) for inner in policy.inner_interfaces)]
    first = by_interface("iifname", ["lo", *spared, *policy.inner_interfaces], but=True)
    return (first, by_interface("iifname", again)) if again else (first,)


def bogons(spoofing: Spoofing) -> tuple[Network, ...]:
    """The networks that no packet comes from. Where we live in one for documentation, in a test, none of those is."""
    documentation = tuple(map(network_of, DOCUMENTATION))
    if any(_overlap(own, one) for own in _own_networks(spoofing) for one in documentation):
        documentation = ()
    return (*map(network_of, (*PRIVATE, *RESERVED_V6)), *documentation)


def _own_networks(spoofing: Spoofing) -> list[Network]:
    """Without /0, which is a mistake: it would make everything ours."""
    return [one for one in spoofing.own_networks if one.prefixlen]


def _is_like(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def _bad_flags() -> Iterator[str]:
    for name, condition in BAD_FLAGS.items():
        yield f'{condition} counter drop comment "{name}"'.lstrip()


def _impossible(spoofing: Spoofing, generation: str) -> Iterator[str]:
    yield f"{FLAGS} != {listed(GOOD_FLAGS)} jump bad_flags_{generation}"
    # Whether these belong to a connection is what connection tracking knows; most packets are asked no more than this.
    yield "tcp flags & ack == ack return"
    yield from NEIGHBOURS
    if spoofing.bogons:
        yield f'ip saddr {networks_text(map(network_of, MARTIANS))} counter drop comment "martian"'
        yield f'ip6 saddr {networks_text(map(_network_v6, MARTIANS_V6))} counter drop comment "martian"'
    if spoofing.reverse_path:
        yield 'fib saddr . iif oif missing counter drop comment "reverse_path"'


def _network_v6(text: str) -> IPv6Network:
    return IPv6Network(text)  # not network_of, which would make IPv4 of what is mapped


def _spoofed(spoofing: Spoofing) -> Iterator[str]:
    unused = list(map(network_of, spoofing.unused_addresses))
    if unused or spoofing.bogons:
        yield from NEIGHBOURS
    for version in VERSIONS:
        word = "ip" if version == 4 else "ip6"
        if nobody := [one for one in unused if one.version == version]:
            yield f'{word} daddr {networks_text(nobody)} counter drop comment "unused_address"'
        if spoofing.bogons:
            if own := [one for one in _own_networks(spoofing) if one.version == version]:
                yield f"{word} saddr {networks_text(own)} return"
            refused = [one for one in bogons(spoofing) if one.version == version]
            yield f'{word} saddr {networks_text(refused)} counter drop comment "bogon"'
    if spoofing.bogons:
        yield f'ip6 saddr != {networks_text(map(network_of, GIVEN_V6))} counter drop comment "bogon"'
