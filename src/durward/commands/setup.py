"""durward setup: a first configuration, from what is really there."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from durward.commands.terminal import bold, emit, inert, quantity
from durward.commands.verb import Exit, fail, here, verb
from durward.config.home import Home

if TYPE_CHECKING:
    from durward.config.beginning import Found
    from durward.facts.installed import Installed

ROOT = Path("/")
LISTS = {
    "allow.list": "# Who always passes: an address, a network, or a filter such as tcp|in|d=22|s=192.0.2.4.\n",
    "deny.list": "# Who never passes. `durward block` needs no entry here.\n",
    "ignore.list": "# Whose log lines are not counted. They do not pass what is closed to everybody.\n",
}
NEXT = "durward check"


@verb("setup")
def command(*, as_json: bool) -> None:
    """Write a first configuration from what is there: the ports that listen, the control panel, who is logged in.

    What is configured already is left as it is.
    """
    if os.geteuid() != 0:
        fail(Exit.WRONG, "`durward setup` needs root. Try: sudo durward setup")
    home, found = here(), look(ROOT)
    written = _write(home, found)
    services = _services(home)
    if as_json:
        emit(
            {
                "written": [str(path) for path in written],
                "panel": found.panel.id if found.panel else None,
                "tcp_in": found.tcp_in,
                "udp_in": found.udp_in,
                "administrator": found.administrator or None,
                "exposed": sorted(found.exposed),
                "services": [{"id": one.card.id, "mark": one.mark, "logs": list(one.logs)} for one in services],
                "next": NEXT,
            }
        )
        return
    lines = page(home, found, written)
    for line in [*lines[:-1], *(known(services) if written else []), lines[-1]]:
        click.echo(line)


def page(home: Home, found: "Found", written: list[Path]) -> list[str]:
    """What was found, what was written, and what comes next."""
    if not written:
        return [f"{home.etc} is configured already; nothing was changed."]
    lines = []
    if home.etc / "durward.toml" in written:
        panel = found.panel.title if found.panel is not None else "No control panel"
        counts = f"{quantity(len(found.tcp), 'TCP port')} and {quantity(len(found.udp), 'UDP port')} that listen"
        lines.append(f"Found: {inert(panel)}; {counts}.")
        lines.append(f"  open to everybody: TCP {found.tcp_in or 'none'}; UDP {found.udp_in or 'none'}")
        lines += [
            f"  {bold('look at')} {port} ({name}): it is open because it listens; better take it out of tcp_in"
            for port, name in found.exposed.items()
        ]
    if found.administrator and home.etc / "allow.list" in written:
        lines.append(f"  you are logged in from {found.administrator}: it is never blocked (allow.list)")
    return [*lines, *(f"wrote {path}" for path in written), f"Next:  {bold(NEXT)}"]


def known(services: "list[Installed]") -> list[str]:
    """The services that are installed, with their logs."""
    lines = []
    for one in services:
        said = inert(", ".join(one.logs) or f"; looked for in {one.looked_for}")
        lines.append(f"  reads {inert(one.card.title)}: {'' if one.logs else bold('no log is there')}{said}")
    return lines


def _services(home: Home) -> "list[Installed]":
    from durward.catalog.document import ProblemsError
    from durward.config.loading import load_cards
    from durward.facts.installed import installed

    try:
        return installed(load_cards(home)[0], ROOT)
    except ProblemsError:  # `durward check`, which comes next, says it
        return []


def look(root: Path) -> "Found":
    """Everything that the first configuration is made of."""
    from durward.catalog.panel_card import load_panels
    from durward.catalog.shelf import directories_of
    from durward.config.beginning import Found
    from durward.facts.ftp import passive_ports
    from durward.facts.listeners import listeners, owners
    from durward.facts.panel import panel_of, panel_ports
    from durward.facts.sshd import ssh_ports

    listening = listeners()
    names = owners(one.inode for one in listening)
    ports: dict[str, dict[int, str]] = {"tcp": {}, "udp": {}}
    for one in listening:
        ports[one.protocol].setdefault(one.port, inert(" ".join(sorted(names.get(one.inode, ())))))
    panel, passive = panel_of(load_panels(directories_of("panels")), root), passive_ports(root)
    return Found(
        ports["tcp"],
        ports["udp"],
        panel,
        panel_ports(panel, root) if panel is not None else (),
        passive.ports if passive else None,
        passive.file if passive else "",
        ssh_ports(),
        _own_address(),
    )


def _write(home: Home, found: "Found") -> list[Path]:
    from durward.config.assertions import FILE_NAME
    from durward.config.beginning import assertions_text, settings_text

    home.etc.mkdir(parents=True, exist_ok=True)
    texts = {"durward.toml": settings_text(found), **LISTS, FILE_NAME: assertions_text(found)}
    texts["allow.list"] += _allowing(found.administrator)
    return [path for name, text in texts.items() if (path := _write_new(home.etc / name, text))]


def _allowing(address: str) -> str:
    """The line that keeps the administrator's own address from ever being blocked, where it is known."""
    if not address:
        return ""
    return f"{address} # you were logged in from here when durward was set up - {datetime.now(UTC):%a %b %d %Y}\n"


def _own_address() -> str:
    """Where this SSH session comes from; empty where there is none."""
    from durward.commands.gate import connection_name
    from durward.model import InvalidAddressError, parse_address

    try:
        return str(parse_address(connection_name().split()[0]))
    except (IndexError, InvalidAddressError):
        return ""


def _write_new(path: Path, text: str) -> Path | None:
    try:
        with path.open("x") as file:
            path.chmod(0o640)
            file.write(text)
    except FileExistsError:
        return None
    return path
