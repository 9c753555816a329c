"""All settings, typed and frozen: defaults from the cards, then durward.toml, then conf.d; and where each came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.detector_card import DetectorCard
from durward.catalog.document import Document, ProblemsError
from durward.catalog.knocking import KnockSequence
from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.config.reading import NOTHING, Origin, Written, read_files, read_written
from durward.config.schema import ANY, KeyPath, Schema, Service, Table, schema_of, service_defaults
from durward.model import Port

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuthorisedKnockSettings:
    """`[firewall.authorised_knock]`: the UDP port that knocks come to, 0 for none; the names of this host in them."""

    port: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirewallSettings:
    """`[firewall]`. An `…_ipv6` of None is as without it; a rate of None is no limit; `confirm_within` is in seconds.

    `interfaces` maps names to "public", "trusted" or "ignored"; those that it does not name are public. `ssh_ports` of
    None are those that sshd listens on. Users, groups and addresses are as they were written: the host knows them.
    """

    enabled: bool
    tcp_in: tuple[PortRange, ...]
    tcp_out: tuple[PortRange, ...]
    udp_in: tuple[PortRange, ...]
    udp_out: tuple[PortRange, ...]
    tcp_in_ipv6: tuple[PortRange, ...] | None
    tcp_out_ipv6: tuple[PortRange, ...] | None
    udp_in_ipv6: tuple[PortRange, ...] | None
    udp_out_ipv6: tuple[PortRange, ...] | None
    ssh_ports: tuple[PortRange, ...] | None
    interfaces: Mapping[str, str]
    interface_tcp_in: Mapping[str, tuple[PortRange, ...]]
    interface_udp_in: Mapping[str, tuple[PortRange, ...]]
    syn_flood: Rate | None
    port_flood: tuple[PortFlood, ...]
    conn_limit: tuple[ConnectionLimit, ...]
    ping: Rate | None
    answer_ping: bool
    ftp_helper: bool
    udp_flood: Rate | None
    udp_flood_users: tuple[str, ...]
    smtp_block: bool
    smtp_users: tuple[str, ...]
    smtp_groups: tuple[str, ...]
    smtp_ports: tuple[PortRange, ...]
    smtp_redirect: bool
    bogons: bool
    reverse_path: str
    unused_addresses: tuple[str, ...]
    knocks: tuple[KnockSequence, ...]
    redirects: str
    drop_log: str
    silent_ports: tuple[PortRange, ...]
    confirm_within: float
    authorised_knock: AuthorisedKnockSettings


@dataclass(frozen=True, slots=True)
class CountrySettings:
    """`[countries]`: places like "NL" and "AS64500", and the ports that two of the settings are about."""

    deny: tuple[str, ...] = ()
    allow_only: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    allow_ports: tuple[str, ...] = ()
    allow_ports_tcp: tuple[PortRange, ...] = ()
    allow_ports_udp: tuple[PortRange, ...] = ()
    deny_ports: tuple[str, ...] = ()
    deny_ports_tcp: tuple[PortRange, ...] = ()
    deny_ports_udp: tuple[PortRange, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """`[services.ID]`: whether a service's lines are read, and where they are; the ports that it is reached at."""

    enabled: bool
    files: tuple[str, ...]
    journal: tuple[str, ...]
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """`[detectors.ID]`, each value as its setting in the card gives it: durations in seconds, FOREVER for `forever`.

    What somebody wrote beats what nobody wrote: a general value in durward.toml beats the card's own for a service.
    """

    id: str
    general: Values
    services: Mapping[str, Values]

    def of(self, service: str) -> Values:
        """Every setting as it holds for `service`."""
        return self.services.get(service, self.general)


@dataclass(frozen=True, slots=True)
class IPv6Settings:
    """`[ipv6]`."""

    block_prefix: int


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """`[guards]`: what the enforcer never does by itself."""

    automatic_prefix_v4: int
    automatic_prefix_v6: int
    blocks_per_minute_max: int
    familiar_share_max: float = 1.0
    throttle_rate: Rate = Rate(6, 60, 6)  # noqa: RUF009 - it is frozen


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`[web]`: networks, or names of CDNs, that ask for others."""

    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """`[sources]`: how often it is checked that lines arrive, in seconds, 0 for never, and what is read how far."""

    syslog_check: float = 0.0
    untrusted_syslog: str = "auto"
    flood_alert: bool = True
    unexplained: str = "off"
    unexplained_files: tuple[str, ...] = ()
    unexplained_ignored: tuple[str, ...] = ()
    unexplained_lines: int = 5000
    unexplained_empty: bool = False


@dataclass(frozen=True, slots=True)
class ExemptionSettings:
    """`[exemptions]`: names as they were written, `countries` like "NL" and "AS64500", `resolve_every` in seconds."""

    lookups: bool = True
    reverse_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ignored_names: tuple[str, ...] = ()
    resolve_every: float = 600.0
    search_engines: bool = True
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may be set. `schema` knows all keys and CSF's names; `written` and `origins`: what files say.

    `alerts` holds `[alerts.ID]` of every channel, each value as its card's setting gives it.
    """

    firewall: FirewallSettings
    countries: CountrySettings
    services: Mapping[str, ServiceSettings]
    detectors: Mapping[str, DetectorSettings]
    ipv6: IPv6Settings
    guards: GuardSettings
    web: WebSettings
    sources: SourceSettings
    exemptions: ExemptionSettings
    alerts: Mapping[str, Values]
    schema: Schema
    written: Mapping[KeyPath, Any]
    origins: Mapping[KeyPath, Origin]

    def value(self, key: str) -> Any:
        """The value that holds at a dotted key. Raises KeyError for an unknown one."""
        path, setting = self.schema.path(key), self.schema.setting(key)
        if path is None or setting is None:
            raise KeyError(key)
        if _is_of_a_service(path):
            return self.detectors[path[1]].of(path[3])[path[4]]
        return self.written.get(path, setting.default)

    def origin(self, key: str) -> Origin | None:
        """Where the value at a dotted key was written; None for a default. Raises KeyError for an unknown key."""
        path = self.schema.path(key)
        if path is None:
            raise KeyError(key)
        if path not in self.origins and _is_of_a_service(path):
            path = (*path[:2], path[4])
        return self.origins.get(path)


def load_settings(
    etc: Path, services: Sequence[Service], detectors: Sequence[DetectorCard], instead: Mapping[Path, bytes] = NOTHING
) -> Settings:
    """Read the settings in `etc`. Raises ProblemsError with all problems of all files.

    `instead` holds files as they would be, by their paths: to try a change before it is made.
    """
    schema = schema_of(services, detectors)
    written = read_files(etc, schema, instead)
    if written.problems:
        raise ProblemsError(written.problems)
    tables = schema.root.tables
    return Settings(
        _firewall(tables["firewall"], written),
        CountrySettings(**_section(("countries",), tables["countries"], written)),
        MappingProxyType({service.id: _service(service.id, tables["services"], written) for service in services}),
        MappingProxyType({detector.id: _detector(detector, services, written) for detector in detectors}),
        IPv6Settings(**_section(("ipv6",), tables["ipv6"], written)),
        GuardSettings(**_section(("guards",), tables["guards"], written)),
        WebSettings(**_section(("web",), tables["web"], written)),
        SourceSettings(**_section(("sources",), tables["sources"], written)),
        ExemptionSettings(**_section(("exemptions",), tables["exemptions"], written)),
        MappingProxyType(
            {name: _section(("alerts", name), one, written) for name, one in tables["alerts"].tables.items()}
        ),
        schema,
        MappingProxyType(written.values),
        MappingProxyType(written.origins),
    )


def detector_settings(detector: DetectorCard, overrides: Values, services: Sequence[Service] = ()) -> DetectorSettings:
    """The settings of one detector with `overrides`, as `[detectors.ID]` would write them. Raises ProblemsError."""
    written = Written()
    document = Document(Path(f"{detector.id}.toml"), {"detectors": {detector.id: dict(overrides)}})
    read_written(document, schema_of(services, [detector]), written)
    if written.problems:
        raise ProblemsError(written.problems)
    return _detector(detector, services, written)


def _is_of_a_service(path: KeyPath) -> bool:
    return len(path) == 5 and path[0] == "detectors"


def _section(at: KeyPath, table: Table, written: Written) -> dict[str, Any]:
    return {name: written.values.get((*at, name), setting.default) for name, setting in table.settings.items()}


def _firewall(table: Table, written: Written) -> FirewallSettings:
    at = ("firewall",)
    by_name: dict[str, Any] = {
        name: _named((*at, name), written) for name, inner in table.tables.items() if ANY in inner.settings
    }
    inside = (*at, "authorised_knock")
    knock = AuthorisedKnockSettings(**_section(inside, table.tables["authorised_knock"], written))
    return FirewallSettings(**_section(at, table, written), **by_name, authorised_knock=knock)


def _named(at: KeyPath, written: Written) -> Values:
    """What is set in a table whose names the administrator gives."""
    named = {path[-1]: value for path, value in written.values.items() if path[:-1] == at and path[-1] != ANY}
    return MappingProxyType(named)


def _service(service: str, table: Table, written: Written) -> ServiceSettings:
    return ServiceSettings(**_section(("services", service), table.tables[service], written))


def _detector(detector: DetectorCard, services: Sequence[Service], written: Written) -> DetectorSettings:
    defaults = {name: setting.default for name, setting in detector.settings.items()}
    general: dict[str, Any] = {}
    cards = service_defaults(detector, services)
    own: dict[str, dict[str, Any]] = {name: {} for name in cards}
    for path, value in written.values.items():
        if path[:2] == ("detectors", detector.id):
            if len(path) == 3:
                general[path[2]] = value
            else:
                own.setdefault(path[3], {})[path[4]] = value
    by_service = {
        name: MappingProxyType({**defaults, **(cards[name].values if name in cards else {}), **general, **values})
        for name, values in own.items()
    }
    return DetectorSettings(detector.id, MappingProxyType(defaults | general), MappingProxyType(by_service))
