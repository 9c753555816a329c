"""Which ports the FTP server here offers for data: passive FTP, as its own configuration says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from durward.catalog.traffic import PortRange

FILE_BYTES_MAX = 256 * 1024  # of a configuration; the rest is not read
# Pure-FTPd and ProFTPD name both ends on one line; Debian gives each setting of Pure-FTPd a file of its own.
RANGES = (
    ("etc/pure-ftpd.conf", re.compile(r"^\s*PassivePortRange\s+(\d+)\s+(\d+)", re.MULTILINE)),
    ("etc/pure-ftpd/pure-ftpd.conf", re.compile(r"^\s*PassivePortRange\s+(\d+)\s+(\d+)", re.MULTILINE)),
    ("etc/pure-ftpd/conf/PassivePortRange", re.compile(r"^\s*(\d+)\s+(\d+)", re.MULTILINE)),
    ("etc/proftpd.conf", re.compile(r"^\s*PassivePorts\s+(\d+)\s+(\d+)", re.MULTILINE)),
    ("etc/proftpd/proftpd.conf", re.compile(r"^\s*PassivePorts\s+(\d+)\s+(\d+)", re.MULTILINE)),
)
VSFTPD = ("etc/vsftpd.conf", "etc/vsftpd/vsftpd.conf")
VSFTPD_FIRST = re.compile(r"^pasv_min_port=(\d+)\s*$", re.MULTILINE)
VSFTPD_LAST = re.compile(r"^pasv_max_port=(\d+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PassivePorts:
    """The ports, and the file that says so."""

    ports: PortRange
    file: str


def passive_ports(root: Path = Path("/")) -> PassivePorts | None:
    """What the first FTP server's configuration found says; None where there is none, or it names no ports."""
    return next(_configured(root), None)


def _configured(root: Path) -> Iterator[PassivePorts]:
    for path, pattern in RANGES:
        if found := pattern.search(_text(root / path)):
            yield from _ports(found[1], found[2], path)
    for path in VSFTPD:
        text = _text(root / path)
        first, last = VSFTPD_FIRST.search(text), VSFTPD_LAST.search(text)
        if first and last:
            yield from _ports(first[1], last[1], path)


def _ports(first: str, last: str, path: str) -> Iterator[PassivePorts]:
    try:
        yield PassivePorts(PortRange(int(first), int(last)), f"/{path}")
    except ValueError:
        return  # no ports, whatever it is


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""
