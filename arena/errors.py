"""What can go wrong while an arena is built: one exception, and the packages that a missing program comes from."""

import os
import shutil
from collections.abc import Iterable

# Debian and Ubuntu keep some of these where only root's PATH looks.
PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "ssh": "openssh-client",
    "sshpass": "sshpass",
    "rsyslogd": "rsyslog",
    "/usr/lib/systemd/systemd-journald": "systemd",
}


class ArenaError(RuntimeError):
    """The arena cannot be built or has broken; the message says what to do about it."""


def require_programs(programs: Iterable[str]) -> None:
    """Raise ArenaError, with the one command that helps, unless we are root and every program is installed."""
    if os.geteuid() != 0:
        raise ArenaError("only root may make network namespaces: run this with sudo")
    missing = [program for program in programs if shutil.which(program, path=PROGRAM_PATH) is None]
    if missing:
        packages = sorted({PACKAGES.get(program, program) for program in missing})
        raise ArenaError(f"missing: {', '.join(missing)}; install with: apt-get install {' '.join(packages)}")
