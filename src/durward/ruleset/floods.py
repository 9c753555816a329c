"""Floods: SYN cookies by proxy when there are many new connections, and limits that each source has for itself.

No limit is shared by sources that do not know each other, or one attacker could starve all. A meter counts SOURCES_MAX
sources; while it is full, those that it does not know are not limited: nobody is refused for being many.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.ruleset import limits
from durward.ruleset.fragment import Fragment, meter_name
from durward.ruleset.limits import Limit, note_beyond, sets_beyond
from durward.ruleset.matching import (
    SOURCES_MAX,
    VERSIONS,
    Protocol,
    Version,
    chain,
    joined,
    listed,
    meter,
    of_version,
    rate_text,
    source_of,
    to_ports,
    with_comment,
    without,
)
from durward.ruleset.policy import Policy
from durward.ruleset.spoofing import outside

SYN = "tcp flags & (fin|syn|rst|ack) == syn"
GOODBYE = "tcp flags & (fin|syn|rst|ack) == fin|ack"
# Beyond this many new connections a second, from all together, the proxy answers. It refuses nobody.
PROXY_ABOVE = Rate(200, 1, 400, "total")
PROXY_SECONDS = 10  # that it goes on after the last second that was beyond
KNOWN_SECONDS = 3600  # that a source counts as real after its last connection
METER_SECONDS_MIN = 60
METER_SECONDS_MAX = 7 * 86400
# What the proxy says of this host before it has asked; a usual Linux host would say the same.
OPTIONS = {4: "mss 1460 wscale 7 timestamp sack-perm", 6: "mss 1440 wscale 7 timestamp sack-perm"}
DAY_SECONDS, WEEK_SECONDS = 86_400, 604_800
RATE_UNITS = {1: "second", 60: "minute", 3600: "hour", DAY_SECONDS: "day", WEEK_SECONDS: "week"}


def fragment(policy: Policy, generation: str) -> Fragment:
    """All limits. `ending` belongs before established connections are accepted; `untracked` behind all that denies.

    What the proxy answers comes back over the loopback, as a connection that nothing is asked of any more.
    """
    parts = Fragment()
    for version in VERSIONS:
        parts += _syn_flood(policy, version, generation)
    for flood in policy.port_floods:
        parts += _port_flood(flood, policy.block_prefix_v6, generation)
    for limit in policy.connection_limits:
        parts += _connection_limit(limit, policy.block_prefix_v6, generation)
    if policy.syn_flood is not None and policy.syn_flood.per == "source" and parts.raw:
        parts += _beyond_syn(limits.syn_flood(policy.syn_flood, policy.block_prefix_v6), policy, generation)
    return parts + _udp_flood(policy, generation)


def sysctls(policy: Policy) -> tuple[tuple[str, str], ...]:
    """Kernel settings (name, value) without which the SYN proxy does not work.

    With the second one the kernel does not pick up connections that it did not see begin. Set it only once those that
    stood before the firewall have had time to be picked up, or an administrator's own session hangs.
    """
    cookies = ("net.ipv4.tcp_syncookies", "1")
    proxied = policy.syn_flood is not None and policy.syn_proxy
    return (cookies, ("net.netfilter.nf_conntrack_tcp_loose", "0")) if proxied else (cookies,)


def protected_ports(policy: Policy, version: Version) -> tuple[PortRange, ...]:
    """TCP ports at which this host itself answers: not those that are led elsewhere, nor those that knocks open."""
    listening = policy.inbound.tcp4 if version == 4 else policy.inbound.tcp6
    led = [one.port for one in policy.redirects if one.port and one.protocol == "tcp"]
    led += [one.port for one in policy.knocks if one.protocol == "tcp"]
    return without(joined((*listening, *(PortRange(port, port) for port in policy.ssh_ports))), led)


@dataclass(frozen=True, slots=True)
class _Syn:
    """The protection against SYN floods for one address family."""

    rate: Rate
    version: Version
    generation: str
    source: str
    ports: str
    speed: str
    proxy: bool

    @property
    def by_source(self) -> bool:
        """Whether sources have a limit of their own; if not, the rate says when the proxy begins."""
        return self.rate.per == "source"

    @property
    def known(self) -> str:
        return meter_name(f"known{self.version}", self.source)

    @property
    def proxied(self) -> str:
        return meter_name(f"syn_flood_proxied{self.version}")

    def name(self, purpose: str) -> str:
        return f"{purpose}{self.version}_{self.generation}"


def _syn_flood(policy: Policy, version: Version, generation: str) -> Fragment:
    rate, ports = policy.syn_flood, protected_ports(policy, version)
    if rate is None or not ports:
        return Fragment()
    source = source_of(version, policy.block_prefix_v6)
    speed = limits.syn_flood(rate, policy.block_prefix_v6).meter(version)
    asked = f"{of_version(version)} {to_ports('tcp', ports)}"
    syn = _Syn(rate, version, generation, source, asked, speed, policy.syn_proxy)
    learned = f"{GOODBYE} ct state established {syn.ports} update @{syn.known} {{ {source} }}"
    return Fragment(
        sets=tuple(_syn_sets(syn)),
        chains=tuple(_syn_chains(syn)),
        raw=tuple(f"{SYN} {syn.ports} {way} jump {syn.name('syn_flood')}" for way in outside(policy)),
        untracked=(f"ct state invalid,untracked {syn.ports} jump {syn.name('syn_proxy')}",) if syn.proxy else (),
        ending=(learned,) if syn.by_source else (),
    )


def _syn_sets(syn: _Syn) -> Iterator[str]:
    yield f"set {syn.proxied} {{ type nf_proto; flags dynamic,timeout; timeout {PROXY_SECONDS}s; size 2; }}"
    if syn.by_source:
        # A source is known once it has ended a connection in good order: nobody can do that in another's name.
        yield meter(syn.known, f"ipv{syn.version}_addr", KNOWN_SECONDS)
        yield meter(syn.speed, f"ipv{syn.version}_addr", METER_SECONDS_MIN)


def _syn_chains(syn: _Syn) -> Iterator[str]:
    over = rate_text(PROXY_ABOVE if syn.by_source else syn.rate, over=True)
    known = [f"{syn.source} @{syn.known} goto {syn.name('syn_known')}"] if syn.by_source else []
    # Without a proxy the host's own SYN cookies answer. The kernel then picks the connection up with the client's next
    # packet, which is judged as its beginning. A port that is published for a container has no socket here.
    answered = "" if syn.proxy else "socket wildcard { 0, 1 } "
    yield chain(
        syn.name("syn_flood"),
        [
            "fib daddr type != local return",
            *known,
            f"{over} update @{syn.proxied} {{ meta nfproto }}",
            with_comment(f"meta nfproto @{syn.proxied} {answered}counter notrack", "syn_flood proxied"),
        ],
    )
    if syn.by_source:
        limit = f"update @{syn.speed} {{ {syn.source} {rate_text(syn.rate, over=True)} }}"
        yield chain(syn.name("syn_known"), [f"{limit} goto syn_beyond_{syn.generation}"])
    if syn.proxy:
        yield chain(syn.name("syn_proxy"), [f"synproxy {OPTIONS[syn.version]}"])


def _beyond_syn(limit: Limit, policy: Policy, generation: str) -> Fragment:
    rules = [*note_beyond(limit, policy.block_prefix_v6), with_comment("counter drop", "syn_flood source")]
    return Fragment(sets=sets_beyond(limit), chains=(chain(f"syn_beyond_{generation}", rules),))


def _port_flood(flood: PortFlood, prefix_v6: int, generation: str) -> Fragment:
    port, named = flood.port, limits.port_flood(flood, prefix_v6)
    name = f"port_flood_{port.protocol}_{port.number}_{generation}"
    seconds = min(max(ceil(flood.within_seconds), METER_SECONDS_MIN), METER_SECONDS_MAX)
    sets, rules = [], []
    for version in VERSIONS:
        own = named.meter(version)
        sets.append(meter(own, f"ipv{version}_addr", seconds))
        limit = f"update @{own} {{ {source_of(version, prefix_v6)} {_flood_rate(flood)} }}"
        rules.append(f"ct state new {of_version(version)} {_to(port.number, port.protocol)} {limit} goto {name}")
    dropped = with_comment("counter drop", f"port_flood {port.number}/{port.protocol}")
    ending = chain(name, [*note_beyond(named, prefix_v6), dropped])
    return Fragment(sets=(*sets, *sets_beyond(named)), chains=(ending,), arriving=tuple(rules))


def _connection_limit(limit: ConnectionLimit, prefix_v6: int, generation: str) -> Fragment:
    port, count, named = limit.port.number, limit.connections, limits.connection_limit(limit, prefix_v6)
    name = f"connection_limit_{port}_{generation}"
    sets, rules = [], []
    for version in VERSIONS:
        own = named.meter(version)
        # No timeout: an element lives as long as its source has connections.
        sets.append(f"set {own} {{ type ipv{version}_addr; flags dynamic; size {SOURCES_MAX}; }}")
        over = f"add @{own} {{ {source_of(version, prefix_v6)} ct count over {count} }}"
        rules.append(f"ct state new {of_version(version)} {_to(port, 'tcp')} {over} goto {name}")
    refused = with_comment("counter reject with tcp reset", f"conn_limit {port}")
    ending = chain(name, [*note_beyond(named, prefix_v6), refused])
    return Fragment(sets=(*sets, *sets_beyond(named)), chains=(ending,), arriving=tuple(rules))


def _udp_flood(policy: Policy, generation: str) -> Fragment:
    rate = policy.udp_flood
    if rate is None:
        return Fragment()
    own, name = meter_name("udp_flood", str(rate)), f"udp_flood_{generation}"
    exempt = listed([str(user) for user in sorted({0, *policy.udp_flood_exempt})])
    limit = f"update @{own} {{ meta skuid {rate_text(rate, over=True)} }}"
    return Fragment(
        sets=(meter(own, "uid", METER_SECONDS_MIN),),
        chains=(chain(name, [with_comment("counter drop", "udp_flood")]),),
        leaving=(f"meta l4proto udp meta skuid != {exempt} {limit} goto {name}",),
    )


def _to(port: int, protocol: Protocol) -> str:
    # By the port that the sender asked for: a container's published one has another when this is asked.
    return to_ports(protocol, (PortRange(port, port),), translated=True)


def _flood_rate(flood: PortFlood) -> str:
    """The limit that lets `hits` through at once and makes that again in `within_seconds`.

    In the smallest unit in which it is a whole number; where there is none, it is a little slower, never faster.
    """
    for seconds, unit in RATE_UNITS.items():
        count = flood.hits * seconds / flood.within_seconds
        if count >= 1 and (count.is_integer() or seconds >= DAY_SECONDS):
            return f"limit rate over {int(count)}/{unit} burst {flood.hits} packets"
    return f"limit rate over 1/week burst {flood.hits} packets"
