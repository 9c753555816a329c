"""Port scans: the reflex that works while every process of ours is dead, and the copies from which the engine judges.

Only packets come here that are dropped anyway, so no packet that passes pays for it. A source is counted once for each
different port; one that has tried too many is put into the skeleton's own set of blocked addresses for a while, where
the next packet meets it before connection tracking. It is noted in a set of its own too, so that the engine finds it
after any length of absence. All sets are bounded: while one is full, nobody is counted there, so nobody is banned who
did nothing; the engine still sees copies.

What may be a late answer is no probe, nor what others send because somebody spoke in our name: SYN-ACK and RST. UDP
bans nobody here: its senders are whoever they say, and it takes the engine's judgement.
"""

from collections.abc import Iterator
from typing import NamedTuple

from durward.catalog.probed import BROADCAST, ICMP, INVALID, OPEN
from durward.catalog.traffic import PortRange, Rate
from durward.ruleset.fragment import Fragment, meter_name
from durward.ruleset.levels import set_name
from durward.ruleset.matching import (
    VERSIONS,
    Version,
    chain,
    joined,
    listed,
    network_of,
    networks_text,
    port_texts,
    rate_text,
    source_of,
    with_comment,
)
from durward.ruleset.policy import Policy, Ports, PortScans
from durward.ruleset.stateful import allowed_sources

GROUP = 7  # of NFLOG; nobody else may listen to it meanwhile
PROBE, FLAGS, BAN, LEAVING, KNOCKED = "dw:probe", "dw:flags", "dw:ban", "dw:left", "dw:knocked"
COPY_BYTES_MAX = 96  # both headers with options; nothing of what is in the packet
TOTAL = Rate(5000, 1, 10_000)  # copies of probes
FLAGS_TOTAL = Rate(1000, 1, 2000)
BANS_TOTAL = Rate(500, 1, 2000)  # whoever forges sources does not ban the internet
LEAVING_TOTAL, LEAVING_SHARE = Rate(500, 1, 1000), Rate(1, 1, 100)  # of users' packets that were refused
PORTS_MAX, COUNTED_MAX, BANNED_MAX = 65_536, 65_536, 16_384
PORTS_SECONDS = 3600
LINKS = ("169.254.0.0/16", "fe80::/10")  # of one cable: neighbours and routers
EPHEMERAL_FIRST = 32_768  # Linux begins connections from here on; answers to these may be late
ALL_FLAGS = "tcp flags & (fin | syn | rst | psh | ack | urg)"
# What scanners send and no stack does, a broken one neither: null, FIN, Xmas, everything, and SYN with FIN.
WRONG = ("0x0", "fin", "fin | psh | urg", "fin | syn | rst | psh | ack | urg", "fin | syn", "fin | syn | psh | urg")
WITH_PORTS = "{ tcp, udp, sctp, udplite, dccp }"
CONNECTING, SENDING = "meta l4proto { tcp, sctp, dccp }", "meta l4proto { udp, udplite }"


class Names(NamedTuple):
    """The sets of one address family. `banned` is what the engine reads; the others count."""

    ports: str
    protocols: str
    counted: str
    flags: str
    banned: str


def names_of(scans: PortScans, version: Version, prefix_v6: int) -> Names:
    """The names of the sets, which change with what they count."""
    measure = (scans.count, scans.flags, scans.within_seconds, prefix_v6)
    kinds = ("ports", "protocols", "counted", "flags", "banned")
    return Names(*(meter_name(f"scan_{kind}{version}", *measure) for kind in kinds))


def fragment(policy: Policy, generation: str) -> Fragment:
    """The sets and chains; the rules that lead there are those of `closed`, `invalid`, `impossible` and `leaving`."""
    scans = policy.port_scans
    if scans is None:
        return Fragment()
    sets = [line for version in VERSIONS for line in _sets(scans, version, policy.block_prefix_v6)]
    chains = [text for version in VERSIONS for text in _chains(policy, scans, version, generation)]
    if INVALID in scans.probed.words:
        chains.append(chain(f"scan_invalid_{generation}", _invalid(policy, scans, generation)))
    return Fragment(sets=(*sets, _leaving_set()), chains=tuple(chains))


def closed(policy: Policy, generation: str) -> tuple[str, ...]:
    """For what is refused because nothing let it in."""
    if policy.port_scans is None:
        return ()
    return (_by_family("scan", generation),)


def broadcast(policy: Policy, generation: str) -> tuple[str, ...]:
    """For what is refused and was not sent to this host alone."""
    if policy.port_scans is None or BROADCAST not in policy.port_scans.probed.words:
        return ()
    return (f"meta pkttype != host meta l4proto udp {_by_family('scan', generation)}",)


def invalid(policy: Policy, generation: str) -> tuple[str, ...]:
    """For what is part of no connection: an ACK to a port that nobody talks at."""
    if policy.port_scans is None or INVALID not in policy.port_scans.probed.words:
        return ()
    return (f"ct state invalid jump scan_invalid_{generation}",)


def impossible(policy: Policy, generation: str) -> tuple[str, ...]:
    """For TCP flags that cannot be."""
    if policy.port_scans is None or INVALID not in policy.port_scans.probed.words:
        return ()
    return (_by_family("scan_flags", generation),)


def leaving(policy: Policy) -> tuple[str, ...]:
    """For what our own users may not send: copied with the user's number, as often as one user's share allows."""
    if policy.port_scans is None:
        return ()
    share = f"meta skuid != 0 update @{_leaving_name()} {{ meta skuid {rate_text(LEAVING_SHARE, over=False)} }}"
    return (f"{share} {rate_text(LEAVING_TOTAL, over=False)} {_copy(LEAVING)}",)


def knocked(policy: Policy) -> str:
    """For the knock that opens a port: the words that copy it; empty where nobody listens."""
    return "" if policy.port_scans is None else f"{_copy(KNOCKED)} "


def _by_family(name: str, generation: str) -> str:
    ways = ", ".join(f"ipv{version} : jump {name}{version}_{generation}" for version in VERSIONS)
    return f"meta nfproto vmap {{ {ways} }}"


def _copy(prefix: str) -> str:
    return f'log prefix "{prefix}" group {GROUP} snaplen {COPY_BYTES_MAX}'


def _leaving_name() -> str:
    return meter_name("scan_users", str(LEAVING_SHARE))


def _leaving_set() -> str:
    return f"set {_leaving_name()} {{ type uid; flags dynamic,timeout; timeout 5m; size 4096; }}"


def _sets(scans: PortScans, version: Version, prefix_v6: int) -> Iterator[str]:
    address, names = f"ipv{version}_addr", names_of(scans, version, prefix_v6)
    yield _set(names.ports, f"{address} . inet_proto . inet_service", PORTS_SECONDS, PORTS_MAX)
    yield _set(names.protocols, f"{address} . inet_proto", PORTS_SECONDS, COUNTED_MAX // 8)
    yield _set(names.counted, address, 2 * PORTS_SECONDS, COUNTED_MAX)
    yield _set(names.flags, address, 2 * PORTS_SECONDS, COUNTED_MAX // 8)
    yield _set(names.banned, address, scans.ban_seconds, BANNED_MAX)


def _set(name: str, kind: str, seconds: int, size: int) -> str:
    return f"set {name} {{ type {kind}; flags dynamic,timeout; timeout {seconds}s; size {size}; }}"


def _chains(policy: Policy, scans: PortScans, version: Version, generation: str) -> Iterator[str]:
    own = f"{version}_{generation}"
    yield chain(f"scan_ban{own}", _ban(policy, scans, version))
    yield chain(f"scan_bare{own}", _bare(policy, scans, version, generation))
    yield chain(f"scan{own}", _closed(policy, scans, version, generation))
    if INVALID in scans.probed.words:
        yield chain(f"scan_flags{own}", _flags(policy, scans, version, generation))


def _closed(policy: Policy, scans: PortScans, version: Version, generation: str) -> Iterator[str]:
    yield "tcp flags & rst == rst return"
    yield "tcp flags & (syn | ack) == (syn | ack) return"
    yield f"tcp flags & ack == ack tcp dport {EPHEMERAL_FIRST}-65535 return"
    yield "udp sport 1-1023 udp dport 1024-65535 return"  # name servers, clocks and web servers answer from there
    names, source = names_of(scans, version, policy.block_prefix_v6), source_of(version, policy.block_prefix_v6)
    yield f"meta l4proto != {WITH_PORTS} goto scan_bare{version}_{generation}"
    if not scans.probed.is_every_port:
        ports = scans.probed.ports
        yield f"th dport != {listed(port_texts(ports))} return" if ports else "return"
    tried = f"{source} . meta l4proto . th dport"
    yield f"{tried} @{names.ports} return"
    yield f"{rate_text(TOTAL, over=False)} {_copy(PROBE)}"
    if scans.count:
        counted = f"update @{names.counted} {{ {source} {_bucket(scans.count, scans)} }}"
        yield f"{CONNECTING} add @{names.ports} {{ {tried} }} {counted} jump scan_ban{version}_{generation}"
        yield f"{SENDING} add @{names.ports} {{ {tried} }}"
    else:
        yield f"add @{names.ports} {{ {tried} }}"


def _bare(policy: Policy, scans: PortScans, version: Version, generation: str) -> Iterator[str]:
    """Of protocols without ports each counts once: whoever tries them all looks for what answers."""
    names, source = names_of(scans, version, policy.block_prefix_v6), source_of(version, policy.block_prefix_v6)
    tried = f"{source} . meta l4proto"
    if ICMP not in scans.probed.words:
        yield "meta l4proto { icmp, ipv6-icmp } return"
    yield f"{tried} @{names.protocols} return"
    yield f"{rate_text(TOTAL, over=False)} {_copy(PROBE)}"
    added = f"add @{names.protocols} {{ {tried} }}"
    if not scans.count:
        yield added
        return
    counted = f"update @{names.counted} {{ {source} {_bucket(scans.count, scans)} }}"
    yield f"{added} {counted} jump scan_ban{version}_{generation}"


def _flags(policy: Policy, scans: PortScans, version: Version, generation: str) -> Iterator[str]:
    names, source = names_of(scans, version, policy.block_prefix_v6), source_of(version, policy.block_prefix_v6)
    yield f"{rate_text(FLAGS_TOTAL, over=False)} {_copy(FLAGS)}"
    if scans.flags:
        counted = f"update @{names.flags} {{ {source} {_bucket(scans.flags, scans)} }}"
        yield f"{ALL_FLAGS} {listed(WRONG)} {counted} jump scan_ban{version}_{generation}"


def _invalid(policy: Policy, scans: PortScans, generation: str) -> Iterator[str]:
    """An ACK that belongs nowhere, to a port that a late one would not have."""
    probe = f"tcp flags & (syn | rst | ack) == ack tcp dport 1-{EPHEMERAL_FIRST - 1}"
    for version in VERSIONS:
        opened = () if OPEN in scans.probed.words else _open_ports(policy, version)
        but = f"tcp dport != {listed(port_texts(opened))} " if opened else ""
        yield f"meta nfproto ipv{version} {probe} {but}jump scan{version}_{generation}"


def _ban(policy: Policy, scans: PortScans, version: Version) -> Iterator[str]:
    """For a while, in the set of blocked addresses; and noted, so that it becomes a decision."""
    prefix = policy.block_prefix_v6
    source, names = source_of(version, prefix), names_of(scans, version, prefix)
    for line in allowed_sources(prefix):
        if line.version == version and "l4proto" not in line.text:
            yield line.text.removesuffix("accept") + "return"
    yield f"{'ip' if version == 4 else 'ip6'} saddr {_spared(scans, version, prefix)} return"
    yield f"{source} @{names.banned} return"
    yield f"{rate_text(BANS_TOTAL, over=True)} return"
    blocked = set_name("block", version, 32 if version == 4 else prefix)
    until = f"timeout {scans.ban_seconds}s"
    ban = f"add @{names.banned} {{ {source} {until} }} add @{blocked} {{ {source} {until} }}"
    yield with_comment(f"{ban} counter {_copy(BAN)}", "port scan")


def _spared(scans: PortScans, version: Version, prefix_v6: int) -> str:
    """Who is never banned. An IPv6 address stands for the network that would be."""
    networks = [network_of(text) for text in (*LINKS, *scans.spared)]
    wide = [one.supernet(new_prefix=min(one.prefixlen, prefix_v6)) if one.version == 6 else one for one in networks]
    return networks_text(one for one in wide if one.version == version)


def _bucket(count: int, scans: PortScans) -> str:
    """A limit that the probe numbered `count` exceeds; it is full again after the time, or after an hour."""
    unit = 60 if scans.within_seconds <= 60 else 3600
    return rate_text(Rate(count, unit, max(count - 1, 1)), over=True)


def _open_ports(policy: Policy, version: Version) -> tuple[PortRange, ...]:
    inbounds: list[Ports] = [policy.inbound, *(one.inbound for one in policy.interfaces if one.inbound is not None)]
    ports = [one for ports in inbounds for one in (ports.tcp4 if version == 4 else ports.tcp6)]
    ports += [PortRange(port, port) for port in policy.ssh_ports]
    ports += [PortRange(one.port, one.port) for one in policy.knocks if one.protocol == "tcp"]
    ports += [PortRange(one.port, one.port) for one in policy.redirects if one.port and one.protocol == "tcp"]
    return joined(ports)
