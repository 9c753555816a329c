"""The limits of the firewall by name: which setting says each, and the sets that know whom it counts and refuses.

The kernel does not tell how full a source's bucket is. So whom a limit refuses is noted, with a counter and for
BEYOND_SECONDS: only those pay for it, and a flood of sources that send once leaves no trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from durward.catalog.traffic import ConnectionLimit, PortFlood, Rate
from durward.ruleset.fragment import meter_name
from durward.ruleset.matching import VERSIONS, Version, meter, of_version, source_of
from durward.ruleset.policy import Policy

BEYOND_SECONDS = 3600  # that a source is remembered after the last packet that was refused


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `says` is what the setting wants of it, `port` the port that it is about (empty: all).

    `counting` are the names of the sets that count sources, for IPv4 and IPv6; `pause_seconds`: this long after a
    refusal, a source that is silent may come again for certain.
    """

    what: str
    setting: str
    says: str
    port: str
    counting: tuple[str, str]
    pause_seconds: float

    @property
    def layer(self) -> str:
        """What `why` calls it."""
        return f"rate:{self.what}"

    @property
    def beyond(self) -> tuple[str, str]:
        """The sets of those that it refused, for IPv4 and IPv6: of the same parameters as those that count."""
        four, six = (name.replace("meter_", "meter_beyond_", 1) for name in self.counting)
        return four, six

    def meter(self, version: Version) -> str:
        """The set that counts the sources of one family."""
        return self.counting[VERSIONS.index(version)]


def syn_flood(rate: Rate, prefix_v6: int) -> Limit:
    """New connections of sources that are known."""
    four, six = (meter_name(f"syn_flood{one}", str(rate), source_of(one, prefix_v6)) for one in VERSIONS)
    return Limit("syn_flood", "firewall.syn_flood", str(rate), "", (four, six), _pause(rate))


def port_flood(flood: PortFlood, prefix_v6: int) -> Limit:
    """New connections to one port."""
    port = flood.port
    parameters = (str(port), flood.hits, flood.within_seconds, prefix_v6)
    four, six = (meter_name(f"port_flood{one}_{port.protocol}_{port.number}", *parameters) for one in VERSIONS)
    says = f"{port.number}/{port.protocol} {flood.hits}/{flood.within_seconds:g}s"
    pause = flood.within_seconds / flood.hits
    return Limit("port_flood", "firewall.port_flood", says, _port(port.number, port.protocol), (four, six), pause)


def connection_limit(limit: ConnectionLimit, prefix_v6: int) -> Limit:
    """Connections at once to one port."""
    number, count = limit.port.number, limit.connections
    four, six = (meter_name(f"connections{one}_{number}", count, prefix_v6) for one in VERSIONS)
    return Limit("connection_limit", "firewall.conn_limit", f"{number} {count}", _port(number, "tcp"), (four, six), 0.0)


def ping_flood(rate: Rate, prefix_v6: int) -> Limit:
    """Echo requests."""
    four, six = (meter_name(f"ping{one}", str(rate), prefix_v6) for one in VERSIONS)
    return Limit("ping_flood", "firewall.ping", str(rate), "ping", (four, six), _pause(rate))


def limits(policy: Policy) -> tuple[Limit, ...]:
    """All limits of a policy that each source has for itself."""
    prefix = policy.block_prefix_v6
    found = []
    if policy.syn_flood is not None and policy.syn_flood.per == "source":
        found.append(syn_flood(policy.syn_flood, prefix))
    found += [port_flood(one, prefix) for one in policy.port_floods]
    found += [connection_limit(one, prefix) for one in policy.connection_limits]
    if policy.ping is not None and policy.ping.per != "total" and policy.icmp.answers_ping:
        found.append(ping_flood(policy.ping, prefix))
    return tuple(found)


def sets_beyond(limit: Limit) -> tuple[str, ...]:
    """The sets of those whom a limit refused."""
    pairs = zip(VERSIONS, limit.beyond, strict=True)
    return tuple(meter(name, f"ipv{version}_addr", BEYOND_SECONDS) for version, name in pairs)


def note_beyond(limit: Limit, prefix_v6: int) -> Iterator[str]:
    """Rules that note whom a limit refuses, before the one that does so: that one holds where a set is full, too."""
    for version, name in zip(VERSIONS, limit.beyond, strict=True):
        yield f"{of_version(version)} update @{name} {{ {source_of(version, prefix_v6)} counter }}"


def _pause(rate: Rate) -> float:
    return rate.seconds / rate.count


def _port(number: int, protocol: str) -> str:
    return f"{number}/{protocol}"
