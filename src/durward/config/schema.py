"""Every key that durward.toml may hold, as a tree, and the keys that CSF's names stand for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from durward.catalog.card import CardReader
from durward.catalog.detector_card import DetectorCard, ServiceDefault
from durward.catalog.document import ProblemsError
from durward.catalog.setting import Setting
from durward.catalog.shelf import load_alerts
from durward.model import Port

CORE = tuple(Path(__file__).with_name(name) for name in ("core.toml", "sources.toml"))  # no table is in two of them
KeyPath = tuple[str, ...]  # one element a table, the name last
ANY = "*"  # in a table: whatever name the administrator gives


class Reads(Protocol):
    """Where a service's lines are."""

    @property
    def files(self) -> Sequence[str]:
        """Log files, full paths."""

    @property
    def journal(self) -> Sequence[str]:
        """Systemd units."""


class Service(Protocol):
    """What settings need to know of a service's card."""

    @property
    def id(self) -> str:
        """The card's file name."""

    @property
    def csf(self) -> Sequence[str]:
        """The CSF options that it stands for."""

    @property
    def ports(self) -> Sequence[Port]:
        """The ports that it is reached at."""

    @property
    def reads(self) -> Reads:
        """Where its lines are."""


@dataclass(frozen=True, slots=True)
class Table:
    """The settings of one table, and the tables in it."""

    settings: Mapping[str, Setting] = field(default_factory=dict)
    tables: Mapping[str, "Table"] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Everything that may stand in this table."""
        return (*self.settings, *self.tables)

    def all_keys(self, at: str = "") -> Iterator[str]:
        """The dotted keys of all settings below."""
        yield from (join(at, name) for name in self.settings)
        for name, table in self.tables.items():
            yield from table.all_keys(join(at, name))


@dataclass(frozen=True, slots=True)
class Schema:
    """All known keys. `csf` maps each CSF name to the keys that it stands for; several where CSF lumped services."""

    root: Table
    csf: Mapping[str, tuple[str, ...]]

    def path(self, key: str) -> KeyPath | None:
        """Where the setting of a dotted key stands, None for an unknown one. The name of an interface may hold dots."""
        tables: list[str] = []
        table, rest = self.root, key
        while rest.partition(".")[0] in table.tables and "." in rest:
            name, _, rest = rest.partition(".")
            tables.append(name)
            table = table.tables[name]
        return (*tables, rest) if rest in table.settings or ANY in table.settings else None

    def setting(self, key: str) -> Setting | None:
        """The setting at a dotted key; None for an unknown one."""
        path = self.path(key)
        if path is None:
            return None
        table = self.root
        for name in path[:-1]:
            table = table.tables[name]
        return table.settings.get(path[-1]) or table.settings[ANY]

    def lookup(self, name: str) -> tuple[str, ...]:
        """The dotted keys that `name` stands for: itself, or those of a CSF name; empty where it is not known."""
        return (name,) if self.setting(name) else self.csf.get(name.upper(), ())

    def nearest(self, at: str, name: str, table: Table) -> str:
        """The known key that may have been meant by `name` in the table `at`; empty where nothing is near."""
        if name.upper() in self.csf:
            return self.csf[name.upper()][0]
        if close := get_close_matches(name, table.names(), n=1):
            return join(at, close[0])
        if name.isupper() and (close := get_close_matches(name, self.csf, n=1)):
            return self.csf[close[0]][0]
        elsewhere: dict[str, str] = {}
        for key in self.root.all_keys():
            elsewhere.setdefault(key.rpartition(".")[2], key)
        close = get_close_matches(name, elsewhere, n=1, cutoff=0.8)
        return elsewhere[close[0]] if close else ""


def join(at: str, name: str) -> str:
    """The dotted key of `name` in the table `at`."""
    return f"{at}.{name}" if at else name


def schema_of(services: Sequence[Service], detectors: Sequence[DetectorCard]) -> Schema:
    """Gather the keys of the core and of these cards."""
    core = _core()
    tables = {
        **core.tables,
        "services": Table(tables={service.id: _service(service) for service in services}),
        "detectors": Table(tables={detector.id: _detector(detector, services) for detector in detectors}),
        "alerts": Table(tables={card.id: Table(card.settings) for card in load_alerts()}),
    }
    root = Table(core.settings, tables)
    csf = _csf_of(core, "")
    _add_csf(csf, _csf_of(tables["alerts"], "alerts"))
    _add_csf(csf, _csf_of(tables["services"], "services"))
    for detector in detectors:
        _add_csf(csf, _csf_of(Table(detector.settings), f"detectors.{detector.id}"))
        _add_csf(csf, _csf_of_services(detector, services))
    return Schema(root, MappingProxyType({name: tuple(keys) for name, keys in csf.items()}))


def service_defaults(detector: DetectorCard, services: Sequence[Service]) -> dict[str, ServiceDefault]:
    """What the detector's card sets otherwise by service.

    A service that it does not name, a site's own one, is treated like those that stand for the same CSF option.
    """
    defaults = dict(detector.services)
    by_csf = {name: default for default in detector.services.values() for name in default.csf}
    for service in services:
        alike = [by_csf[name] for name in service.csf if name in by_csf]
        if alike:
            defaults.setdefault(service.id, alike[0])
    return defaults


def _core() -> Table:
    tables: dict[str, Table] = {}
    for path in CORE:
        reader = CardReader.open(path)
        tables |= _declared(reader).tables
        if reader.problems:
            raise ProblemsError(reader.problems)
    return Table({}, tables)


def _declared(reader: CardReader) -> Table:
    inner = {name: reader.inner(name) for name in reader.table}
    tables = {name: _declared(table) for name, table in inner.items() if "kind" not in table.table}
    leaves = {name: table.table for name, table in inner.items() if "kind" in table.table}
    settings = CardReader(reader.document, leaves, reader.at, reader.problems).settings()
    return Table({setting.name: setting for setting in settings}, tables)


def _service(service: Service) -> Table:
    settings = (
        Setting("enabled", "boolean", True, "false: none of this service's lines are read."),
        Setting(
            "files",
            "paths",
            tuple(service.reads.files),
            "The log files that it writes; patterns with * may stand here.",
        ),
        Setting(
            "journal",
            "texts",
            tuple(service.reads.journal),
            'Systemd units whose journal holds its lines; "*": root\'s programs in any unit, "kernel": the kernel.',
        ),
        Setting(
            "ports",
            "service_ports",
            tuple(service.ports),
            "The ports that it is reached at, for blocks of nothing else.",
            csf=tuple(name for name in service.csf if name.startswith("PORTS_")),
        ),
    )
    return Table({setting.name: setting for setting in settings})


def _detector(detector: DetectorCard, services: Sequence[Service]) -> Table:
    names = {service.id for service in services} | set(detector.services)
    by_service = dict.fromkeys(sorted(names), Table(detector.settings))
    return Table(detector.settings, {"services": Table(tables=by_service)})


def _csf_of(table: Table, at: str) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for setting in table.settings.values():
        _add_csf(names, {name: [join(at, setting.name)] for name in setting.csf})
    for name, inner in table.tables.items():
        _add_csf(names, _csf_of(inner, join(at, name)))
    return names


def _csf_of_services(detector: DetectorCard, services: Sequence[Service]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for service, default in service_defaults(detector, services).items():
        for name, setting in default.csf.items():
            _add_csf(names, {name: [f"detectors.{detector.id}.services.{service}.{setting}"]})
    return names


def _add_csf(names: dict[str, list[str]], more: Mapping[str, list[str]]) -> None:
    for name, keys in more.items():
        names.setdefault(name.upper(), []).extend(keys)  # CSF's own PORTS_sshd is not all in capitals
