"""durward reload: have the daemons that run begin again, with the settings as they are now."""

import os
import signal
import time
from typing import Any

import click

from durward.commands.terminal import emit
from durward.commands.verb import Exit, ask_engine, fail, here, verb
from durward.control.requests import NoAnswerError, ask_one

WAIT_SECONDS = 20.0  # for both to answer again; systemd pauses a second before it starts them
LOOK_SECONDS = 0.1


@verb("reload")
def command(*, as_json: bool) -> None:
    """Have the daemons begin again with the settings, lists and cards as they are now.

    Settings with a mistake change nothing (exit status 2). Blocks hold meanwhile, and no log line is lost: it is read
    afterwards. The firewall's own settings are put into the kernel by `durward apply`.
    """
    from durward.config.loading import load

    if os.geteuid() != 0:
        fail(Exit.WRONG, "`durward reload` needs root. Try: sudo durward reload")
    load(here())
    before = _processes(ask_engine("status"))
    for process in (name for name in ("enforcer", "engine") if name in before):
        os.kill(before[process], signal.SIGHUP)
    after = _await_others(before)
    if as_json:
        emit({"reloaded": True, "processes": [{"name": name, "pid": pid} for name, pid in after.items()]})
        return
    names = " and ".join(f"{name} (process {pid})" for name, pid in after.items())
    click.echo(f"Running with the settings as they are now: {names}.")


def _await_others(before: dict[str, int]) -> dict[str, int]:
    """Wait until other processes answer in the place of those before; give them."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        try:
            after = _processes(ask_one(here().engine_socket, "status"))
        except NoAnswerError:
            continue
        if after.keys() >= before.keys() and not set(after.values()) & set(before.values()):
            return after
    raise NoAnswerError(f"the daemons were told to begin again and did not within {WAIT_SECONDS:.0f} s")


def _processes(status: dict[str, Any]) -> dict[str, int]:
    return {one["name"]: int(one["pid"]) for one in status["processes"] if one["pid"]}
