"""durward profile: many settings at once: low, medium, high, the ports of a control panel, or the site's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from durward.commands.config import shown, tell
from durward.commands.terminal import emit, inert, quantity, table
from durward.commands.verb import Exit, fail, here, home_option, verb

if TYPE_CHECKING:
    from durward.config.changes import Ground
    from durward.config.profiles import Profile
    from durward.config.schema import KeyPath

CURRENT = "current"
THIS_PANEL = "panel"  # the panel that is installed here, whichever it is


@click.group("profile")
@home_option
def command() -> None:
    """Apply many settings at once, and take them back: low, medium, high, a control panel's ports, or your own.

    Your own are files like /etc/durward/profiles/NAME.toml: a title, and a table [set.firewall] as in durward.toml.
    """


@verb("list")
def list_(*, as_json: bool) -> None:
    """Show the profiles, how many settings each would change now, and the copies of durward.toml."""
    from durward.config.backups import backups_of
    from durward.config.changes import Ground
    from durward.config.profiles import changes_for, load_profiles

    ground = Ground.of(here())
    rows: list[tuple[str, ...]] = []
    for name, profile in load_profiles(ground.home.etc, ground.schema).items():
        changes = len(changes_for(ground, profile))
        if as_json:
            known = {"id": name, "title": profile.title, "why": profile.why, "origin": profile.origin}
            emit({"profile": known, "settings": len(profile.values), "changes": changes})
        rows.append((name, inert(profile.title), f"would change {quantity(changes, 'setting')}"))
    backups = backups_of(ground.home.etc)
    if as_json:
        for backup in backups:
            emit({"backup": {"id": backup.id, "made_at": backup.made_at.isoformat(), "file": str(backup.path)}})
        return
    click.echo(table(sorted(rows)))
    click.echo("\nTo see what one would change:  durward profile diff NAME")
    if backups:
        click.echo("\nCopies of durward.toml, for `durward profile restore`:")
        click.echo(table([(backup.id, f"{backup.made_at:%Y-%m-%d %H:%M:%S} UTC") for backup in backups], "  "))


@verb("apply")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Check and show what would change; write nothing.")
def apply(*, name: str, dry_run: bool, as_json: bool) -> None:
    """Write the settings of the profile NAME to durward.toml; its comments stay, and a copy of it is made before.

    `panel` stands for the ports of the control panel that is installed here.
    """
    from durward.config.backups import back_up
    from durward.config.changes import Ground, write_changes
    from durward.config.profiles import changes_for

    ground = Ground.of(here())
    profile = _profile(ground, name)
    changes = changes_for(ground, profile)
    write_changes(ground, changes, dry_run=True)  # a mistake ends here, before a copy is made
    if changes and not dry_run:
        back_up(ground.home.etc, f"before-{profile.id}", datetime.now(UTC))
        write_changes(ground, changes)
    tell(ground, changes, dry_run=dry_run, as_json=as_json)


@verb("diff")
@click.argument("first")
@click.argument("second", default=CURRENT)
def diff(*, first: str, second: str, as_json: bool) -> None:
    """Show where FIRST differs from SECOND: profiles, copies of durward.toml (`latest` is the newest), or `current`."""
    from durward.config.changes import Ground

    ground = Ground.of(here())
    rows = _differences(ground, first, second)
    if as_json:
        for key, one, other in rows:
            emit({"key": key, "first": one, "second": other})
        return
    if not rows:
        click.echo(f"{inert(first)} and {inert(second)} do not differ.")
        return
    head = ("setting", inert(first), inert(second))
    click.echo(table([head, *((inert(key), shown(one), shown(other)) for key, one, other in rows)]))


@verb("backup")
@click.argument("name", default="copy")
def backup(*, name: str, as_json: bool) -> None:
    """Copy durward.toml; NAME becomes a part of the copy's name. The newest hundred copies are kept."""
    from durward.config.backups import back_up

    home = here()
    made = back_up(home.etc, name, datetime.now(UTC))
    if made is None:
        fail(Exit.NO, f"there is no durward.toml in {home.etc}; everything has its default")
    if as_json:
        emit({"id": made.id, "made_at": made.made_at.isoformat(), "file": str(made.path)})
    else:
        click.echo(f"{made.path}\n  To restore it:  durward profile restore {made.id}")


@verb("restore")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
def restore_(*, name: str, dry_run: bool, as_json: bool) -> None:
    """Put the copy NAME (`latest` is the newest) in the place of durward.toml, of which a copy is made before."""
    from durward.config.backups import backup_named, restore
    from durward.config.changes import Ground

    ground = Ground.of(here())
    wanted = backup_named(ground.home.etc, name)
    rows = _differences(ground, wanted.id, CURRENT)
    copied = None if dry_run else restore(ground, wanted, datetime.now(UTC))
    if as_json:
        changes = [{"key": key, "before": now, "after": then} for key, then, now in rows]
        emit({"restored": wanted.id, "written": not dry_run, "kept": copied.id if copied else None, "changes": changes})
        return
    if rows:
        cells = ((inert(key), shown(now), shown(then)) for key, then, now in rows)
        click.echo(table([("setting", "before", "after"), *cells]))
    click.echo("Nothing was written." if dry_run else f"{wanted.id} is in place.  What was there: {_id(copied)}")


for _verb in (list_, apply, diff, backup, restore_):
    command.add_command(_verb)


def _id(copied: Any) -> str:
    return copied.id if copied else "nothing"


def _profile(ground: "Ground", name: str) -> "Profile":
    """The profile of that name; a panel's with the ports on which it listens here. An unknown one ends the verb."""
    from difflib import get_close_matches

    from durward.catalog.panel_card import load_panels
    from durward.catalog.shelf import directories_of
    from durward.config.profiles import load_profiles, panel_profile
    from durward.facts.panel import panel_of, panel_ports

    profiles = load_profiles(ground.home.etc, ground.schema)
    panels = {panel.id: panel for panel in load_panels(directories_of("panels", ground.home.etc))}
    if name == THIS_PANEL and name not in profiles and (here_installed := panel_of(list(panels.values()))):
        name = here_installed.id
    if name not in profiles:
        close = get_close_matches(name, profiles, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        fail(Exit.WRONG, f"there is no profile {name!r}{hint} `durward profile list` shows them")
    if profiles[name].origin == "panel":
        return panel_profile(panels[name], panel_ports(panels[name]))
    return profiles[name]


def _differences(ground: "Ground", first: str, second: str) -> list[tuple[str, Any, Any]]:
    """Key, and both values, where they differ. A profile says nothing of what it does not set: that is left out."""
    one, other = _side(ground, first), _side(ground, second)
    rows = []
    for path in dict.fromkeys([*one.values, *other.values]):
        if one.says(path) and other.says(path):
            values = one.value(path), other.value(path)
            rows += [(".".join(path), *values)] if values[0] != values[1] else []
    return rows


@dataclass(frozen=True, slots=True)
class _Side:
    """What is compared: `values` as TOML holds them; a whole configuration has the defaults besides."""

    ground: "Ground"
    values: "Mapping[KeyPath, Any]"
    is_whole: bool

    def says(self, path: "KeyPath") -> bool:
        return self.is_whole or path in self.values

    def value(self, path: "KeyPath") -> Any:
        from durward.catalog.spelling import spelled
        from durward.config.changes import general_of

        for one in (path, general_of(path)):
            if one in self.values:
                return self.values[one]
        return spelled(self.ground.default(path), self.ground.setting(path))


def _side(ground: "Ground", name: str) -> _Side:
    """What `name` stands for: `current`, a profile, or a copy, with which conf.d would go on to hold."""
    from durward.catalog.spelling import spelled
    from durward.config.backups import backup_named, backups_of, values_in
    from durward.config.profiles import values_of
    from durward.config.reading import MAIN_FILE

    written = {path: spelled(value, ground.setting(path)) for path, value in ground.written.values.items()}
    if name == CURRENT:
        return _Side(ground, written, is_whole=True)
    if name == "latest" or any(name in (one.id, one.path.name) for one in backups_of(ground.home.etc)):
        main = str(ground.home.etc / MAIN_FILE)
        elsewhere = {path: value for path, value in written.items() if ground.written.origins[path].file != main}
        return _Side(ground, {**values_in(backup_named(ground.home.etc, name), ground), **elsewhere}, is_whole=True)
    return _Side(ground, values_of(_profile(ground, name), ground.schema), is_whole=False)
