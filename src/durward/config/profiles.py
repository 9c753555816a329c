"""Profiles: many settings under one name. low, medium and high, the ports of each control panel, and the site's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.card import CardReader
from durward.catalog.document import Document, Problem, ProblemsError
from durward.catalog.panel_card import PORT_LISTS, PanelCard, load_panels
from durward.catalog.shelf import cards_of, directories_of
from durward.catalog.spelling import spelled
from durward.catalog.traffic import PortRange
from durward.config.changes import Change, Ground
from durward.config.reading import Written, read_written
from durward.config.schema import KeyPath, Schema
from durward.config.toml_edits import paths_of

PACKAGED = Path(__file__).with_name("profiles")
SITE = "profiles"  # the folder of the site's own ones, beside durward.toml
INSIDE = "set"  # the table of a profile that holds what durward.toml would


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `values` maps settings to what TOML holds. `origin`: "package", "site", or "panel" for its ports."""

    id: str
    title: str
    why: str
    origin: str
    values: Mapping[KeyPath, Any]


def load_profiles(etc: Path, schema: Schema) -> dict[str, Profile]:
    """All profiles by name; the site's own one stands for one of the same name. Raises ProblemsError."""
    found = {panel.id: panel_profile(panel) for panel in load_panels(directories_of("panels", etc))}
    problems: list[Problem] = []
    for path in cards_of((PACKAGED, etc / SITE)):
        try:
            found[path.stem] = read_profile(path, schema)
        except ProblemsError as error:
            problems.extend(error.problems)
    if problems:
        raise ProblemsError(problems)
    return found


def read_profile(path: Path, schema: Schema) -> Profile:
    """Read one profile; what it sets has to be right. Raises ProblemsError with everything that is wrong with it."""
    card = CardReader.open(path)
    card.only("title", "why", INSIDE)
    settings = card.inner(INSIDE)
    prefix = f"{INSIDE}."
    lines = {key.removeprefix(prefix): line for key, line in card.document.lines.items() if key.startswith(prefix)}
    written = Written(problems=card.problems)
    read_written(Document(path, dict(settings.table), lines), schema, written)
    values = MappingProxyType({key: value for key, value in paths_of(settings.table) if key in written.values})
    origin = "package" if path.parent == PACKAGED else "site"
    profile = Profile(path.stem, card.text("title"), card.text("why", ""), origin, values)
    if card.problems:
        raise ProblemsError(card.problems)
    return profile


def panel_profile(panel: PanelCard, more_tcp_in: Iterable[int] = ()) -> Profile:
    """The ports of a control panel as a profile; `more_tcp_in` are those on which it was found to listen besides."""
    values: dict[KeyPath, Any] = {}
    for name in PORT_LISTS:
        ports = getattr(panel, name)
        more = [PortRange(port, port) for port in sorted(set(more_tcp_in))] + list(panel.passive_ftp)
        more = more if name == "tcp_in" else []
        values["firewall", name] = _with(ports.ipv4, more)
        values["firewall", f"{name}_ipv6"] = "same" if ports.ipv6 is None else _with(ports.ipv6, more)
    return Profile(panel.id, f"Ports of {panel.title}", panel.why, "panel", MappingProxyType(values))


def changes_for(ground: Ground, profile: Profile) -> list[Change]:
    """What applying the profile changes: each setting that has another value now, written to durward.toml."""
    return [
        ground.change(path, value, main=True)
        for path, value in profile.values.items()
        if ground.setting(path).read(value) != ground.value(path)
    ]


def values_of(profile: Profile, schema: Schema) -> dict[KeyPath, Any]:
    """What a profile sets, spelled as everything else, so that it can be compared."""
    found = {}
    for path, value in profile.values.items():
        setting = schema.setting(".".join(path))
        if setting is not None:
            found[path] = spelled(setting.read(value), setting)
    return found


def _with(ranges: tuple[PortRange, ...], more: list[PortRange]) -> str:
    missing = [new for new in more if not any(one.first <= new.first <= new.last <= one.last for one in ranges)]
    return ",".join([*map(str, ranges), *map(str, missing)])
