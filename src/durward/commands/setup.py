"""durward setup: a first configuration, from what is really there."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from durward.commands.terminal import emit
from durward.commands.verb import Exit, fail, here, verb
from durward.config.home import Home

PAGE = """\
# durward's settings. An empty file protects: everything has a default, and `durward check` names every mistake.
# All settings: docs/reference/settings.md. The lists beside this file take CSF's lines.

[firewall]
# Found listening when this file was written:
tcp_in = "{tcp}"
udp_in = "{udp}"

[detectors.brute_force]
mode = "enforce"  # "shadow" decides and records, and blocks nobody
"""
LISTS = {
    "allow.list": "# Who always passes: an address, a network, or a filter such as tcp|in|d=22|s=192.0.2.4.\n",
    "deny.list": "# Who never passes. `durward block` needs no entry here.\n",
    "ignore.list": "# Whose log lines are not counted. They do not pass what is closed to everybody.\n",
}


@verb("setup")
def command(*, as_json: bool) -> None:
    """Write a first configuration from what is there: the ports that listen, the address you are logged in from.

    What is configured already is left as it is.
    """
    if os.geteuid() != 0:
        fail(Exit.WRONG, "`durward setup` needs root. Try: sudo durward setup")
    home = here()
    written = _write(home)
    if as_json:
        emit({"written": [str(path) for path in written]})
    else:
        for path in written:
            click.echo(f"wrote {path}")
        if not written:
            click.echo(f"{home.etc} is configured already; nothing was changed.")


def _write(home: Home) -> list[Path]:
    from durward.facts.listeners import listeners

    home.etc.mkdir(parents=True, exist_ok=True)
    ports: dict[str, list[str]] = {"tcp": [], "udp": []}
    for listener in listeners():
        if str(listener.port) not in ports[listener.protocol]:
            ports[listener.protocol].append(str(listener.port))
    settings = PAGE.format(tcp=",".join(ports["tcp"]) or "22", udp=",".join(ports["udp"]))
    written = [path for path in [_write_new(home.etc / "durward.toml", settings)] if path]
    for name, text in LISTS.items():
        entry = _own_address() if name == "allow.list" else ""
        written += [path for path in [_write_new(home.etc / name, text + entry)] if path]
    return written


def _own_address() -> str:
    """The line that keeps the administrator's own address from ever being blocked, where it is known."""
    from durward.model import InvalidAddressError, parse_address

    words = os.environ.get("SSH_CONNECTION", "").split()
    try:
        address = parse_address(words[0])
    except (IndexError, InvalidAddressError):
        return ""
    return f"{address} # you were logged in from here when durward was set up - {datetime.now(UTC):%a %b %d %Y}\n"


def _write_new(path: Path, text: str) -> Path | None:
    try:
        with path.open("x") as file:
            path.chmod(0o640)
            file.write(text)
    except FileExistsError:
        return None
    return path
