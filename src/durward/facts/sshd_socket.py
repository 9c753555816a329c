"""Which ports systemd listens on for sshd: ssh.socket and its drop-ins, as systemd would put them together."""

import os
from collections.abc import Iterator
from pathlib import Path

# As systemd searches them; what stands in an earlier one replaces a file of the same name in a later one.
DIRECTORIES = (
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
UNITS = ("ssh.socket", "sshd.socket")
FILE_BYTES_MAX = 64 * 1024  # of one unit file; the rest is not read
DROP_INS_MAX = 64  # the rest is not read


def socket_ports(root: Path = Path("/")) -> list[tuple[int, str]]:
    """The ports of the sockets that are switched on, and where each was learnt; empty without socket activation."""
    found = []
    for unit in UNITS:
        if _is_wanted(root, unit):
            found += [(port, f"{unit} ({file})") for port, file in _streams(root, unit)]
    return found


def _is_wanted(root: Path, unit: str) -> bool:
    """Whether some unit wants or requires it: that is how `systemctl enable` switches it on."""
    patterns = [f"{directory}/*.{kind}" for directory in DIRECTORIES for kind in ("wants", "requires")]
    # The link counts, wherever it leads: below another root it leads nowhere.
    return any(os.path.lexists(folder / unit) for pattern in patterns for folder in root.glob(pattern))


def _streams(root: Path, unit: str) -> list[tuple[int, str]]:
    """The ports of `ListenStream=`, in the order that systemd reads the files; an empty one forgets those before."""
    ports: list[tuple[int, str]] = []
    for path in _files(root, unit):
        for value in _values(path):
            port = value.rpartition(":")[2]
            if not value:
                ports = []
            elif port.isdecimal() and 1 <= int(port) <= 65535 and not value.startswith(("127.", "[::1]", "vsock:")):
                ports.append((int(port), f"/{path.relative_to(root)}"))
    return ports


def _files(root: Path, unit: str) -> Iterator[Path]:
    units = [root / directory / unit for directory in DIRECTORIES]
    yield from [path for path in units if path.is_file()][:1]
    drop_ins: dict[str, Path] = {}
    for directory in DIRECTORIES:
        for path in (root / directory / f"{unit}.d").glob("*.conf"):
            drop_ins.setdefault(path.name, path)
    yield from [drop_ins[name] for name in sorted(drop_ins)[:DROP_INS_MAX]]


def _values(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            lines = file.read(FILE_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        key, equals, value = line.strip().partition("=")
        if equals and key.strip() == "ListenStream":
            yield value.strip()
