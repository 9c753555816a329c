"""Runs a function in a process of its own: what gives up privileges cannot be done where other tests follow."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path


def forked(act: Callable[[], object]) -> str:
    """Run `act` in a child and give what it returned, as text. An exception there is an AssertionError here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            said, status = str(act()), 0
        except BaseException:  # noqa: BLE001 — whatever happens, the child must not go on as a second test run
            said, status = traceback.format_exc(), 1
        os.write(writing, said.encode()[:60_000])
        sys.stderr.flush()
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0, said
    return said


def let_everybody_in(directory: Path) -> None:
    """Let other users into a test's directory, and into those around it that are pytest's."""
    top = Path(tempfile.gettempdir())
    for place in (directory, *directory.parents):
        if place in (top, *top.parents):
            return
        place.chmod(0o755)
