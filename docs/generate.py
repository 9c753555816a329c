"""Writes docs/reference/ from the program itself: its verbs, its settings and its cards. `just reference` runs it."""  # noqa: INP001

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.commands.main import durward
from durward.config.schema import CORE

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->"
SERVICE = """\
| setting | what |
|---|---|
| `enabled` | false: none of its lines are read |
| `files` | the files that it writes; `*` may stand in them |
| `journal` | the units whose journal holds its lines |"""


def verbs() -> dict[str, click.Command]:
    """Every verb of the command line by its name, verbs of verbs (`config get`) included."""
    return dict(_below(durward, ()))


def _below(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name="durward")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"{name!r} is listed and cannot be found")
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from _below(command, (*path, name))


def commands_page() -> str:
    """Each verb with its help, as the program prints it."""
    parts = [NOTE, "# Commands", "Exit status: 0 done or yes; 1 no, not found, blocked; 2 wrong usage or settings; "]
    parts[-1] += "3 refused by a guard; 4 the daemon does not answer."
    for name, command in verbs().items():
        context = click.Context(command, info_name=f"durward {name}", terminal_width=100, max_content_width=100)
        parts += [f"## durward {name}", f"```\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Each setting with its kind, default, CSF names and reason."""
    parts = [NOTE, "# Settings", "In `/etc/durward/durward.toml`, then `conf.d/*.toml`. Everything has a default."]
    core = tomllib.loads(CORE.read_text())
    for name, table in core.items():
        parts += [f"## [{name}]", _table(_leaves(table, ""))]
    parts += ["## [services.NAME]", "For each service of [the list](services.md).", SERVICE]
    for card in load_detectors(directories_of("detectors")):
        settings = tomllib.loads(_card("detectors", card.id).read_text())["settings"]
        parts += [f"## [detectors.{card.id}]", f"{card.title}. {card.why.strip()}", _table(_leaves(settings, ""))]
        parts.append(f"`[detectors.{card.id}.services.NAME]` takes the same settings for one service.")
    return "\n\n".join(parts) + "\n"


def services_page() -> str:
    """Each service with what it reads and what it can say."""
    rows = ["| name | service | files | journal | events |", "|---|---|---|---|---|"]
    for card in load_services(directories_of("services")):
        kinds = dict.fromkeys(pattern.event for pattern in card.patterns)
        columns = [_quoted(names) for names in (card.reads.files, card.reads.journal, kinds)]
        rows.append(f"| `{card.id}` | {card.title} | {' | '.join(columns)} |")
    parts = [NOTE, "# Services", "Whose logs are read. Each is a card in `src/durward/services/`.", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _card(shelf: str, card: str) -> Path:
    return directories_of(shelf)[0] / f"{card}.toml"


def _leaves(table: dict[str, Any], at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in table.items():
        key = f"{at}{name if name != '*' else 'NAME'}"
        if "kind" in value:
            yield key, value
        else:
            yield from _leaves(value, f"{key}.")


def _table(leaves: Iterator[tuple[str, dict[str, Any]]]) -> str:
    rows = ["| setting | kind | default | CSF | what |", "|---|---|---|---|---|"]
    for key, leaf in leaves:
        kind = " \\| ".join(leaf["choices"]) if leaf["kind"] == "choice" else leaf["kind"].replace("_", " ")
        default = json.dumps(leaf.get("default"), ensure_ascii=False)
        names = _quoted(leaf.get("csf", []))
        why = " ".join(leaf.get("why", "").split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {kind} | `{default}` | {names} | {why} |")
    return "\n".join(rows)


PAGES = {"commands.md": commands_page, "settings.md": settings_page, "services.md": services_page}


def main() -> int:
    """Write every page; say which changed."""
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
