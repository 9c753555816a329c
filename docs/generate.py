"""Writes docs/reference/ and the man page from the program itself: its verbs, its settings and its cards."""  # noqa: INP001

import json
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from durward.catalog.detector_card import COMMON
from durward.catalog.service_card import load_services
from durward.catalog.setting import Setting
from durward.catalog.shelf import directories_of, load_alerts, load_detectors
from durward.catalog.spelling import spelled
from durward.commands.main import durward
from durward.config.schema import CORE

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
MAN = DOCS.parent / "packaging" / "man" / "durward.8"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->"
STATUSES = (
    "0 done or yes; 1 no, not found, blocked; 2 wrong usage or settings; 3 refused by a guard; "
    "4 the daemon does not answer."
)
SERVICE = """\
| setting | what |
|---|---|
| `enabled` | false: none of its lines are read |
| `files` | the files that it writes; `*` may stand in them |
| `journal` | the units whose journal holds its lines |
| `ports` | the ports that it is reached at, such as `110,995`, for blocks of nothing else |"""
EVERY_DETECTOR = """\
Every detector has these; below stands what is otherwise with one of them, and what it has alone.
`[detectors.NAME.services.SERVICE]` takes the same settings for one service."""


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
    parts = [NOTE, "# Commands", f"Exit status: {STATUSES}"]
    for name, command in verbs().items():
        context = click.Context(command, info_name=f"durward {name}", terminal_width=100, **durward.context_settings)
        parts += [f"## durward {name}", f"```\n{command.get_help(context)}\n```"]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Each setting with its kind, default, CSF names and reason."""
    parts = [NOTE, "# Settings", "In `/etc/durward/durward.toml`, then `conf.d/*.toml`. Everything has a default."]
    core = {name: table for path in CORE for name, table in tomllib.loads(path.read_text()).items()}
    for name, table in core.items():
        parts += [f"## [{name}]", _table(_leaves(table, ""))]
    parts += ["## [alerts]", "How people are told; nobody is, until a channel is switched on."]
    for alert_card in load_alerts():
        leaves = _as_leaves(alert_card.id, alert_card.settings)
        parts += [f"### [alerts.{alert_card.id}]", f"{alert_card.title}. {alert_card.why}", _table(leaves)]
    parts += ["## [services.NAME]", "For each service of [the list](services.md).", SERVICE]
    parts += ["## [detectors.NAME]", EVERY_DETECTOR, _table(_leaves(tomllib.loads(COMMON.read_text()), ""))]
    for card in load_detectors(directories_of("detectors")):
        own = tomllib.loads(_card("detectors", card.id).read_text()).get("settings", {})
        leaves = _as_leaves("", {name: card.settings[name] for name in own})
        parts += [f"### [detectors.{card.id}]", f"{card.title}. {card.why.strip()}"]
        parts += [_table(leaves)] if own else []
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


def _as_leaves(name: str, settings: Mapping[str, Setting]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Settings as a TOML file would declare them."""
    for setting in settings.values():
        default, choices = spelled(setting.default, setting), list(setting.choices)
        leaf = {"kind": setting.kind, "default": default, "csf": setting.csf, "why": setting.why, "choices": choices}
        yield f"{name}.{setting.name}".removeprefix("."), leaf


def _table(leaves: Iterator[tuple[str, dict[str, Any]]]) -> str:
    rows = ["| setting | kind | default | CSF | what |", "|---|---|---|---|---|"]
    for key, leaf in leaves:
        kind = " \\| ".join(leaf["choices"]) if leaf["kind"] == "choice" else leaf["kind"].replace("_", " ")
        default = json.dumps(leaf.get("default"), ensure_ascii=False)
        names = _quoted(leaf.get("csf", []))
        why = " ".join(leaf.get("why", "").split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {kind} | `{default}` | {names} | {why} |")
    return "\n".join(rows)


def man_page() -> str:
    """The man page: what each verb is for, and its options."""
    parts = [
        '.TH DURWARD 8 "" durward "System administration"',
        ".SH NAME\ndurward \\- keep the door of this server: stop who misbehaves, say why, take it back",
        ".SH SYNOPSIS\n.B durward\n.I VERB\n[\\fIoptions\\fR] [\\-\\-json] [\\-\\-home \\fIDIR\\fR]",
        ".SH VERBS",
    ]
    for name, command in verbs().items():
        context = click.Context(command, info_name=name)
        usage = " ".join(command.collect_usage_pieces(context))
        parts.append(f".SS {name} {_roff(usage)}\n{_roff(command.help or '')}")
        records = (option.get_help_record(context) for option in command.params if isinstance(option, click.Option))
        parts += [f".TP\n.B {_roff(record[0])}\n{_roff(record[1])}" for record in records if record]
    parts += [
        ".SH FILES\n.I /etc/durward\nsettings, lists and the site's own cards",
        ".br\n.I /var/lib/durward\nstate\n.br\n.I /run/durward\nsockets",
        f".SH EXIT STATUS\n{STATUSES}",
        ".SH SEE ALSO\n.BR nft (8),\n.BR sshd (8)",
    ]
    return "\n".join(parts) + "\n"


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("\b", "")
    return "\n".join(
        f"\\&{line.strip()}" if line.strip()[:1] in (".", "'") else line.strip() for line in escaped.splitlines()
    )


PAGES = {
    REFERENCE / "commands.md": commands_page,
    REFERENCE / "settings.md": settings_page,
    REFERENCE / "services.md": services_page,
    MAN: man_page,
}


def main() -> int:
    """Write every page; say which changed."""
    for path, page in PAGES.items():
        text = page()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            sys.stdout.write(f"{path} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
