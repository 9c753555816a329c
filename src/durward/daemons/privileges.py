"""How a process becomes what it may be and no more. Any doubt on the way is fatal: nothing ever goes on as root."""

import ctypes
import os
import pwd
import signal
import struct
from pathlib import Path

CAP_DAC_READ_SEARCH = 2  # linux/capability.h
CAP_NET_ADMIN = 12
CAP_LAST = 63  # more than the kernel has; dropping one that it does not know is harmless

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522

EXIT_PRIVILEGES = 78  # EX_CONFIG of sysexits.h: restarting would not help

libc = ctypes.CDLL(None, use_errno=True)


class PrivilegesError(OSError):
    """A privilege could not be given up, or is still there afterwards."""


def become(user: str, capabilities: frozenset[int] = frozenset()) -> None:
    """Become `user` with exactly `capabilities`, now and in every program started from here. Raises PrivilegesError.

    Started as that user already (by systemd), only the capabilities are checked.
    """
    if os.geteuid() == 0:
        _leave_root(account(user), capabilities)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    verify(user, capabilities)


def account(user: str) -> pwd.struct_passwd:
    """The system account of a process. Raises PrivilegesError with the command that makes it."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        advice = "./start makes it, and so does packaging/install.sh"
        raise PrivilegesError(f"there is no user {user!r}: {advice}") from None


def verify(user: str, capabilities: frozenset[int]) -> None:
    """Check with the kernel that this process is `user` and holds exactly `capabilities`. Raises PrivilegesError."""
    wanted = account(user)
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    held = {key: int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
    mask = sum(1 << capability for capability in capabilities)
    if set(status["Uid"].split()) != {str(wanted.pw_uid)} or set(status["Gid"].split()) != {str(wanted.pw_gid)}:
        raise PrivilegesError(f"this process should be {user!r} and is {status['Uid']} / {status['Gid']}")
    if held["CapEff"] != mask or held["CapPrm"] != mask or held["CapAmb"] & ~mask:
        raise PrivilegesError(f"this process should hold capabilities {mask:x} and holds {held['CapPrm']:x}")


def die_with_parent(parent: int) -> None:
    """Stop when `parent` does: a process without its supervisor would be one too many. Raises PrivilegesError."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise PrivilegesError("the supervisor is gone already")


def _leave_root(wanted: pwd.struct_passwd, capabilities: frozenset[int]) -> None:
    for capability in range(CAP_LAST + 1):
        if capability not in capabilities:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one; verified by CapPrm below
    _prctl(PR_SET_KEEPCAPS, 1)
    try:
        os.setgroups([wanted.pw_gid])
        os.setresgid(wanted.pw_gid, wanted.pw_gid, wanted.pw_gid)
        os.setresuid(wanted.pw_uid, wanted.pw_uid, wanted.pw_uid)
    except OSError as error:
        raise PrivilegesError(f"cannot become {wanted.pw_name!r}: {error.strerror}") from None
    _set_capabilities(capabilities)
    for capability in capabilities:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
    _prctl(PR_SET_KEEPCAPS, 0)


def _set_capabilities(capabilities: frozenset[int]) -> None:
    mask = sum(1 << capability for capability in capabilities)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    data = struct.pack("=6I", low, low, low, high, high, high)
    if libc.capset(header, data) != 0:
        raise PrivilegesError(f"capset: {os.strerror(ctypes.get_errno())}")


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded) != 0:
        raise PrivilegesError(f"prctl {option}: {os.strerror(ctypes.get_errno())}")
