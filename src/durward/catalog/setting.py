"""One setting of a card: its kind, default, bounds and CSF names, and how a value from a TOML file becomes typed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from durward.catalog.budgets import parse_budget, parse_hours
from durward.catalog.countries import parse_places
from durward.catalog.knocking import parse_knocks
from durward.catalog.probed import parse_probed
from durward.catalog.traffic import (
    PortRange,
    Rate,
    parse_connection_limits,
    parse_port_floods,
    parse_ports,
    parse_rate,
)
from durward.model import FOREVER, InvalidDurationError, Port, duration, parse_duration

TEXT_CHARACTERS_MAX = 4096  # a longer text is refused
TEXTS_MAX = 1000  # a longer list is refused
SHOWN_CHARACTERS_MAX = 60  # of a wrong value are shown


class InvalidSettingError(ValueError):
    """A value that a setting cannot take; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What may be set: `default` is typed already; `csf` are CSF's names of it; bounds are in the unit of the kind.

    Kinds: count (int), number (float), duration (float, seconds), text (str), texts, paths and choices (tuple of str),
    boolean, choice (str), those of `durward.catalog.traffic`: ports, rate, port_floods, connection_limits; knocks;
    places; probed; and those of `durward.catalog.budgets`: budget, hours.
    """

    name: str
    kind: str
    default: Any
    why: str = ""
    csf: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        """Give the typed value of what a TOML file says. Raises InvalidSettingError, which says what was expected."""
        return READERS[self.kind](value, self)


def shown(value: object) -> str:
    """Write a wrong value for a message: as TOML writes it, cut to SHOWN_CHARACTERS_MAX."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…"


def expected(value: object, what: str) -> InvalidSettingError:
    """The error for `value` where `what` was expected."""
    return InvalidSettingError(f"{shown(value)} was given; {what} was expected")


def _read_count(value: object, setting: Setting) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected(value, "a whole number" + _bounds(setting, str))
    return int(_bounded(value, value, setting, str))


def _read_number(value: object, setting: Setting) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise expected(value, "a number" + _bounds(setting, _plain))
    return _bounded(float(value), value, setting, _plain)


def _read_duration(value: object, setting: Setting) -> float:
    if not isinstance(value, str):
        raise expected(value, 'a duration like "90s", "10m", "1h", "7d" or "forever"')
    try:
        seconds = parse_duration(value)
    except InvalidDurationError as error:
        raise InvalidSettingError(str(error)) from None
    return _bounded(seconds, value, setting, duration.text_of)


def _read_text(value: object, _setting: Setting) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX or "\0" in value:
        raise expected(value, f"a text of at most {TEXT_CHARACTERS_MAX} characters")
    return value


def _read_texts(value: object, setting: Setting) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > TEXTS_MAX or not all(isinstance(item, str) for item in value):
        raise expected(value, 'a list of texts like ["one", "two"]')
    return tuple(_read_text(item, setting) for item in value)


def _read_paths(value: object, setting: Setting) -> tuple[str, ...]:
    paths = _read_texts(value, setting)
    for path in paths:
        if not path.startswith("/"):
            raise expected(path, 'a list of full paths like ["/var/log/auth.log"]')
    return paths


def _read_boolean(value: object, _setting: Setting) -> bool:
    if not isinstance(value, bool):
        raise expected(value, "true or false")
    return value


def _read_choice(value: object, setting: Setting) -> str:
    if not isinstance(value, str) or value not in setting.choices:
        raise expected(value, _one_of(setting.choices))
    return value


def _read_choices(value: object, setting: Setting) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(item in setting.choices for item in value):
        raise expected(value, f"a list of {_one_of(setting.choices)}")
    return tuple(dict.fromkeys(value))


def _read_service_ports(value: object, _setting: Setting) -> tuple[Port, ...]:
    """The ports that a service is reached at: `22`, `110,995` or `53/udp`, empty where nobody knows."""
    if isinstance(value, str):
        try:
            return tuple(dict.fromkeys(Port.parse(port) for port in value.split(",") if port.strip()))
        except ValueError:
            pass
    raise expected(value, 'ports like "110,995" or "53/udp"')


def _read_ports(value: object, setting: Setting) -> tuple[PortRange, ...] | None:
    """Ports; None for a word of `choices`, like "same"."""
    return None if value in setting.choices else _from_traffic(parse_ports)(value, setting)


def _read_rate(value: object, setting: Setting) -> Rate | None:
    """A rate; one with a minimum cannot be off."""
    rate: Rate | None = _from_traffic(parse_rate)(value, setting)
    if rate is None and setting.minimum is not None:
        raise expected(value, 'a rate like "6/m" or "10/h burst 3"')
    return rate


def _from_traffic(parse: Callable[[object], Any]) -> Callable[[object, Setting], Any]:
    def read(value: object, _setting: Setting) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise InvalidSettingError(f"{shown(value)} was given; {error}") from None

    return read


def _bounded(number: float, value: object, setting: Setting, write: Callable[[Any], str]) -> float:
    too_small = setting.minimum is not None and number < setting.minimum
    if too_small or (setting.maximum is not None and number > setting.maximum):
        raise expected(value, f"a {setting.kind}" + _bounds(setting, write))
    return number


def _bounds(setting: Setting, write: Callable[[Any], str]) -> str:
    if setting.minimum is None and setting.maximum is None:
        return ""
    if setting.maximum is None or setting.maximum == FOREVER:
        return f" of at least {write(setting.minimum)}"
    if setting.minimum is None:
        return f" of at most {write(setting.maximum)}"
    return f" from {write(setting.minimum)} to {write(setting.maximum)}"


def _plain(number: float) -> str:
    return f"{number:g}"


def _one_of(choices: tuple[str, ...]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


READERS: Mapping[str, Callable[[object, Setting], Any]] = {
    "count": _read_count,
    "number": _read_number,
    "duration": _read_duration,
    "text": _read_text,
    "texts": _read_texts,
    "paths": _read_paths,
    "boolean": _read_boolean,
    "choice": _read_choice,
    "choices": _read_choices,
    "ports": _read_ports,
    "service_ports": _read_service_ports,
    "rate": _read_rate,
    "port_floods": _from_traffic(parse_port_floods),
    "connection_limits": _from_traffic(parse_connection_limits),
    "knocks": _from_traffic(parse_knocks),
    "budget": _from_traffic(parse_budget),
    "hours": _from_traffic(parse_hours),
    "places": _from_traffic(parse_places),
    "probed": _from_traffic(parse_probed),
}
