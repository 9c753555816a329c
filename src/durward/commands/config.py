"""durward config: look at settings and change them, by our names or by CSF's."""

from typing import TYPE_CHECKING, Any

import click

from durward.commands.terminal import bold, emit, inert, table
from durward.commands.verb import Exit, fail, here, home_option, verb

if TYPE_CHECKING:
    from durward.config.changes import Change, Ground
    from durward.config.schema import KeyPath

SHOWN_CHARACTERS_MAX = 100  # of a value in a table; --json gives all of it
APPLIED = frozenset({"firewall", "countries"})  # tables of settings that are about the rules in the kernel


@click.group("config")
@home_option
def command() -> None:
    """Look at settings and change them. CSF's names work as well as ours: `durward config get LF_SSHD`."""


@verb("get")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def get(*, names: tuple[str, ...], as_json: bool) -> None:
    """Show the value of each NAME, and where it is set.

    A name of CSF may stand for several settings: each has its line.
    """
    from durward.config.changes import Ground, paths_for
    from durward.config.csf_values import to_csf

    ground = _sound(Ground.of(here()))
    for name in names:
        for path in _spread(ground, paths_for(ground, name)):
            found = entry(ground, path)
            if name.upper() in found["csf"]:
                found["csf_value"] = to_csf(name.upper(), ground.value(path), ground.setting(path))
            if as_json:
                emit(found)
            else:
                click.echo(f"{found['key']} = {shown(found['value'])}   # {found['origin'] or 'default'}")


@verb("set")
@click.argument("assignments", nargs=-1, required=True, metavar="NAME=VALUE...")
@click.option("--dry-run", is_flag=True, help="Check and show what would change; write nothing.")
def set_(*, assignments: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Set each NAME to its VALUE in the file that sets it already, else in durward.toml.

    Comments and everything else in the file stay. A CSF name takes CSF's values: LF_SSHD_PERM=1 is for ever. Nothing
    is written unless all settings are right afterwards.
    """
    from durward.config.changes import Ground, changes_of, write_changes

    wanted: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            fail(Exit.WRONG, f"{assignment!r} sets nothing; NAME=VALUE was expected")
        wanted[name.strip()] = value
    ground = Ground.of(here())
    changes = changes_of(ground, wanted)
    write_changes(ground, changes, dry_run=dry_run)
    tell(ground, changes, dry_run=dry_run, as_json=as_json)


@verb("unset")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--dry-run", is_flag=True, help="Check and show what would change; write nothing.")
def unset(*, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Take each NAME out of the files that set it: then its default holds again.

    Comments and everything else in the files stay. A NAME that no file sets changes nothing.
    """
    from durward.config.changes import Ground
    from durward.config.unsetting import removals_of, write_removals

    ground = Ground.of(here())
    removals = removals_of(ground, names)
    write_removals(ground, removals, dry_run=dry_run)
    tell(ground, removals, dry_run=dry_run, as_json=as_json, removed=True)


@verb("list")
@click.option("--all", "everything", is_flag=True, help="Show the settings at their defaults too.")
def list_(*, everything: bool, as_json: bool) -> None:
    """Show what is set, and in which file and line."""
    from durward.config.changes import Ground

    ground = _sound(Ground.of(here()))
    paths = list(ground.written.values)
    if everything:
        known = (ground.schema.path(key) for key in ground.schema.root.all_keys() if not key.endswith(".*"))
        paths = list(dict.fromkeys([*(path for path in known if path), *paths]))
    _print([entry(ground, path) for path in paths], ("key", "value", "origin"), as_json=as_json, none="Nothing is set.")


@verb("diff")
def diff(*, as_json: bool) -> None:
    """Show the settings that differ from their defaults."""
    from durward.config.changes import Ground

    ground = _sound(Ground.of(here()))
    entries = [entry(ground, path) for path in ground.written.values]
    entries = [one for one in entries if one["value"] != one["default"]]
    _print(entries, ("key", "default", "value"), as_json=as_json, none="Every setting has its default.")


for _verb in (get, set_, unset, list_, diff):
    command.add_command(_verb)


def entry(ground: "Ground", path: "KeyPath") -> dict[str, Any]:
    """A setting as JSON gives it: value and default as durward.toml would hold them."""
    from durward.catalog.spelling import spelled

    setting = ground.setting(path)
    key = ".".join(path)
    origin = ground.origin(path)
    return {
        "key": key,
        "value": spelled(ground.value(path), setting),
        "default": spelled(ground.default(path), setting),
        "origin": str(origin) if origin else None,
        "csf": [name for name, keys in ground.schema.csf.items() if key in keys],
    }


def shown(value: Any) -> str:
    """A value as durward.toml would hold it, safe for a terminal, and not too long."""
    from durward.config.toml_edits import toml_of

    text = inert(toml_of(value)) if value is not None else "-"
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…"


def tell(ground: "Ground", changes: "list[Change]", *, dry_run: bool, as_json: bool, removed: bool = False) -> None:
    """Say what was changed, or would be, what else says otherwise, and what makes it hold."""
    held = [one for one in changes if not removed and _overridden(ground, one)]
    if as_json:
        rows = [
            {"key": one.key, "before": one.before, "after": one.after, "file": str(one.file), "holds": one not in held}
            for one in changes
        ]
        emit({"written": bool(changes) and not dry_run, "changes": rows})
        return
    if not changes:
        click.echo("Nothing to change: everything is as it would be.")
        return
    rows_shown = [("setting", "before", "after")]
    rows_shown += [(inert(one.key), shown(one.before), shown(one.after)) for one in changes]
    click.echo(table(list(dict.fromkeys(rows_shown))))
    for one in held:
        click.echo(f"  {bold('does not hold')}: {inert(one.key)} is set again at {ground.origin(one.path)}")
    files = ", ".join(dict.fromkeys(str(one.file) for one in changes))
    if dry_run:
        click.echo(f"Nothing was written. Without --dry-run, this goes to {files}.")
        return
    click.echo(f"Written to {files}.")
    for line in living(changes):
        click.echo(line)


def living(changes: "list[Change]") -> list[str]:
    """Which commands make the changes hold where durward runs already."""
    lines = []
    if any(one.path[0] in APPLIED for one in changes):
        lines.append("  To put it into the kernel:    durward apply")
    if any(one.path[0] not in APPLIED for one in changes):
        lines.append("  For the daemons that run:     durward reload")
    return lines


def _overridden(ground: "Ground", change: "Change") -> bool:
    from durward.config.reading import MAIN_FILE

    origin = ground.written.origins.get(change.path)
    return change.file.name == MAIN_FILE and origin is not None and origin.file != str(change.file)


def _sound(ground: "Ground") -> "Ground":
    """The same, where the settings are right; wrong ones end the verb."""
    from durward.catalog.document import ProblemsError

    if ground.written.problems:
        raise ProblemsError(ground.written.problems)
    return ground


def _spread(ground: "Ground", paths: "list[KeyPath]") -> "list[KeyPath]":
    """The same, with the names that were given in place of `*`."""
    spread: list[KeyPath] = []
    for path in paths:
        named = [one for one in ground.written.values if one[:-1] == path[:-1]]
        spread += named if path[-1] == "*" else [path]
    return spread


def _print(entries: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool, none: str) -> None:
    if as_json:
        for one in entries:
            emit(one)
        return
    if not entries:
        click.echo(none)
        return
    rows: list[tuple[str, ...]] = [columns]
    for one in entries:
        cells = (
            shown(one[name]) if name in ("value", "default") else inert(one[name] or "default") for name in columns
        )
        rows.append(tuple(cells))
    click.echo(table(rows))
