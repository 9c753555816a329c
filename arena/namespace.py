"""One network namespace: make it, remove it, and run programs, functions and sockets inside it."""

import contextlib
import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from arena.errors import ArenaError
from arena.processes import end_processes_in, identity_of, run

FOLDER = Path("/run/netns")  # where `ip netns` keeps the names
CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


def add_namespace(name: str) -> None:
    """Make a network namespace with nothing in it but a loopback that is up. Raises ArenaError."""
    run(["ip", "netns", "add", name], check=True)
    configure(name, ["link set lo up"])


def remove_namespace(name: str) -> None:
    """End what still runs in a namespace and remove it; one that is gone already is no error."""
    with contextlib.suppress(FileNotFoundError):
        end_processes_in("net", identity_of(FOLDER / name))
    run(["ip", "netns", "del", name])


def remove_stale_namespaces(prefixes: Iterable[str]) -> None:
    """Remove namespaces named PREFIX-PID-NUMBER whose maker is dead: what an arena that was killed left behind."""
    names = [path.name for path in FOLDER.iterdir()] if FOLDER.is_dir() else []
    for name in names:
        prefix, _, rest = name.rpartition("-")[0].rpartition("-")
        if prefix in prefixes and rest.isdigit() and not Path(f"/proc/{rest}").exists():
            remove_namespace(name)


def configure(name: str, lines: Iterable[str]) -> None:
    """Carry out `ip` commands inside a namespace, all or an ArenaError."""
    run(["ip", "-n", name, "-batch", "-"], input="\n".join(lines) + "\n", check=True)


def entering(name: str, argv: Sequence[str | Path]) -> list[str | Path]:
    """Give the command that runs `argv` inside a network namespace."""
    return ["nsenter", f"--net={FOLDER / name}", "--", *argv]


def inside(name: str, act: Callable[[], Result]) -> Result:
    """Call `act` inside a namespace and give its result; what it raises is raised here.

    It runs in a thread that ends right afterwards, so no thread of the caller is ever left in a foreign namespace.
    """
    results: list[Result] = []
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            _move_this_thread(name)
            results.append(act())
        except BaseException as failure:  # noqa: BLE001 (raised again in the thread that asked)
            failures.append(failure)

    thread = threading.Thread(target=enter, name=f"in {name}")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def open_socket(name: str, family: socket.AddressFamily, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
    """Open a socket that lives in a namespace; it can be used from any thread and the caller closes it."""
    return inside(name, lambda: socket.socket(family, kind, protocol))


def write_sysctl(name: str, settings: dict[str, Any]) -> None:
    """Set kernel settings of a namespace; keys are paths below /proc/sys/net, as in `ipv6/conf/all/forwarding`."""

    def write() -> None:
        for key, value in settings.items():
            Path("/proc/sys/net", key).write_text(str(value), encoding="ascii")

    inside(name, write)


def _move_this_thread(name: str) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    try:
        descriptor = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ArenaError(f"there is no network namespace {name}") from None
    try:
        if library.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}")
    finally:
        os.close(descriptor)
