"""A process's own view of the machine, when it is started by `durward run`: what systemd's units do with directives."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from durward.config.home import Home
from durward.daemons.privileges import PrivilegesError, account, libc

CLONE_NEWNS = 0x00020000  # linux/sched.h
CLONE_NEWNET = 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32  # linux/mount.h
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
ROOM = Path("/mnt")  # exists on every system (FHS 3.12) and is ours alone in a mount namespace of our own


def leave_network() -> None:
    """Live in a network namespace without any interface from now on. Raises PrivilegesError."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise PrivilegesError(f"cannot leave the network: {os.strerror(ctypes.get_errno())}")


def reach_home(home: Home, user: str) -> Home:
    """Give the paths by which `user` can reach `home`: the same, or mounts of them where a parent bars the way.

    Raises PrivilegesError.
    """
    uid = account(user).pw_uid
    places = (home.etc, home.lib, home.run)
    if all(_may_pass(directory, uid) for directory in places):
        return home
    if libc.unshare(CLONE_NEWNS) != 0:
        raise PrivilegesError(f"cannot have mounts of its own: {os.strerror(ctypes.get_errno())}")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    moved = Home.below(ROOM)
    descriptors = [os.open(place, os.O_PATH) for place in places]
    _mount("tmpfs", str(ROOM), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    ROOM.chmod(0o755)
    for descriptor, target in zip(descriptors, (moved.etc, moved.lib, moved.run), strict=True):
        target.mkdir()
        _mount(f"/proc/self/fd/{descriptor}", str(target), None, MS_BIND)
        os.close(descriptor)
    return moved


def look_only(home: Home) -> None:
    """See settings and sockets and write neither, and see nothing of the state, from now on. Raises PrivilegesError."""
    _narrow(readable=(home.etc, home.run), hidden=(home.lib,))


def meet_only(home: Home) -> None:
    """See the sockets and write nothing, and see neither settings nor state, from now on. Raises PrivilegesError."""
    _narrow(readable=(home.run,), hidden=(home.etc, home.lib))


def _narrow(*, readable: Iterable[Path], hidden: Iterable[Path]) -> None:
    if libc.unshare(CLONE_NEWNS) != 0:
        raise PrivilegesError(f"cannot have mounts of its own: {os.strerror(ctypes.get_errno())}")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    for place in readable:
        _mount(str(place), str(place), None, MS_BIND)
        _mount("none", str(place), None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    for place in hidden:
        _mount("tmpfs", str(place), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _may_pass(directory: Path, uid: int) -> bool:
    for parent in directory.resolve().parents:
        status = parent.stat()
        if not (status.st_mode & 0o001 or (status.st_uid == uid and status.st_mode & 0o100)):
            return False
    return True


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    encoded = kind.encode() if kind else None
    if libc.mount(source.encode(), target.encode(), encoded, ctypes.c_ulong(flags), None) != 0:
        raise PrivilegesError(f"cannot mount {source} on {target}: {os.strerror(ctypes.get_errno())}")
