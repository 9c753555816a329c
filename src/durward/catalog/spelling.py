"""Writes typed values as a TOML file would hold them, so that what `Setting.read` gave can be shown and kept."""

from collections.abc import Callable, Mapping
from typing import Any

from durward.catalog.probed import Probed
from durward.catalog.setting import Setting
from durward.catalog.traffic import ConnectionLimit, PortFlood
from durward.model import duration


def spelled(value: Any, setting: Setting) -> Any:
    """The value as TOML holds it: `setting.read(spelled(value, setting))` gives it again."""
    return SPELLINGS.get(setting.kind, _same)(value, setting)


def _same(value: Any, _setting: Setting) -> Any:
    return value


def _number(value: float, _setting: Setting) -> float:
    return int(value) if value == int(value) else value


def _duration(value: float, _setting: Setting) -> str:
    return duration.text_of(value)


def _texts(value: tuple[str, ...], _setting: Setting) -> list[str]:
    return list(value)


def _each(value: tuple[Any, ...], _setting: Setting) -> list[str]:
    return [str(item) for item in value]


def _ports(value: tuple[Any, ...] | None, setting: Setting) -> str:
    return setting.choices[0] if value is None else ",".join(str(ports) for ports in value)


def _probed(value: Probed, _setting: Setting) -> list[str]:
    return value.items()


def _rate(value: object | None, _setting: Setting) -> str:
    return "off" if value is None else str(value)


def _hours(value: object | None, _setting: Setting) -> str:
    return "never" if value is None else str(value)


def _floods(value: tuple[PortFlood, ...], _setting: Setting) -> list[str]:
    return [
        f"{flood.port.number}/{flood.port.protocol} {flood.hits}/{duration.text_of(flood.within_seconds)}"
        for flood in value
    ]


def _limits(value: tuple[ConnectionLimit, ...], _setting: Setting) -> list[str]:
    return [f"{limit.port.number} {limit.connections}" for limit in value]


SPELLINGS: Mapping[str, Callable[[Any, Setting], Any]] = {
    "budget": _rate,
    "hours": _hours,
    "number": _number,
    "duration": _duration,
    "texts": _texts,
    "paths": _texts,
    "choices": _texts,
    "ports": _ports,
    "service_ports": _ports,
    "rate": _rate,
    "port_floods": _floods,
    "connection_limits": _limits,
    "knocks": _each,
    "places": _texts,
    "probed": _probed,
}
