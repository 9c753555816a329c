"""durward run: all processes in the foreground, under one supervisor."""

import os
import sys

import click

from durward.commands.verb import Exit, fail, here, verb


@verb("run")
def command(*, as_json: bool) -> None:
    """Protect this host: start the enforcer and the engine in the foreground, and keep them alive.

    Stops cleanly on Ctrl-C or SIGTERM; the blocks stay in the kernel until they expire. SIGHUP reads the lists again.
    """
    from durward.config.loading import load

    if os.geteuid() != 0:
        fail(Exit.WRONG, "`durward run` needs root; it gives up what it does not need. Try: sudo durward run")
    home = here()
    load(home)  # a mistake is shown here once, with file and line, before anything is started
    if not as_json:
        click.echo(f"durward: settings in {home.etc}, state in {home.lib}; Ctrl-C stops", err=True)
    places = ["--etc", str(home.etc), "--lib", str(home.lib), "--run", str(home.run)]
    os.execv(sys.executable, [sys.executable, "-I", "-m", "durward.daemons.supervisor", *places])  # noqa: S606 - no shell
