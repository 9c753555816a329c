"""Who is logged in from where, after the system has let them in: from utmp and from systemd-logind's session files."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from durward.model import Address, InvalidAddressError, parse_address

UTMP_PATH = Path("/run/utmp")
SESSIONS_PATH = Path("/run/systemd/sessions")
UTMP_BYTES_MAX = 1 << 20  # the rest is not read
SESSIONS_MAX = 1000  # session files; the rest is not read
SESSION_BYTES_MAX = 8192
USER_PROCESS = 7
# type, process, line, id, user, host, exit status, session, seconds, microseconds, address, reserved
UTMP_32 = struct.Struct("=hxxi32s4s32s256s4siii16s20s")
UTMP_64 = struct.Struct("=hxxi32s4s32s256s4sqqq16s20s4x")  # where the C library never had another one
MACHINES_64 = frozenset({"aarch64", "riscv64", "loongarch64"})


@dataclass(frozen=True, slots=True)
class Login:
    """One session that began at `address`; `process` is the id of the process that leads it."""

    user: str
    address: Address
    process: int

    def __str__(self) -> str:
        return f"{self.user}, pid {self.process}"


def logins(utmp_path: Path = UTMP_PATH, sessions_path: Path = SESSIONS_PATH) -> list[Login]:
    """The sessions from other hosts whose leading process is alive. What cannot be read has none.

    A connection that has not logged in is in neither place.
    """
    found = dict.fromkeys((*_of_logind(sessions_path), *_of_utmp(utmp_path)))
    return [login for login in found if _is_alive(login.process)]


def _of_utmp(path: Path) -> Iterator[Login]:
    layout = UTMP_64 if os.uname().machine in MACHINES_64 else UTMP_32
    data = _read(path, UTMP_BYTES_MAX)
    for record in layout.iter_unpack(data[: len(data) // layout.size * layout.size]):
        kind, process, _, _, user, host, _, _, _, _, packed, _ = record
        address = _address_of(packed, _text_of(host)) if kind == USER_PROCESS else None
        if address is not None:
            yield Login(_text_of(user), address, process)


def _of_logind(directory: Path) -> Iterator[Login]:
    try:
        with os.scandir(directory) as entries:
            paths = [Path(entry.path) for entry in islice(entries, SESSIONS_MAX) if "." not in entry.name]
    except OSError:
        return
    for path in paths:
        lines = _read(path, SESSION_BYTES_MAX).decode("utf-8", "replace").splitlines()
        fields = dict(line.split("=", 1) for line in lines if "=" in line)
        address = _parsed(fields.get("REMOTE_HOST", ""))
        leader = fields.get("LEADER", "")
        if address is not None and leader.isdecimal() and fields.get("STATE") != "closing":
            yield Login(fields.get("USER", "?"), address, int(leader))


def _address_of(packed: bytes, host: str) -> Address | None:
    if any(packed):
        text = ".".join(map(str, packed[:4])) if not any(packed[4:]) else _six(packed)
        return _parsed(text)
    return _parsed(host)


def _six(packed: bytes) -> str:
    return ":".join(packed[place : place + 2].hex() for place in range(0, 16, 2))


def _parsed(text: str) -> Address | None:
    try:
        return parse_address(text)
    except InvalidAddressError:
        return None


def _text_of(field: bytes) -> str:
    shown = field.partition(b"\0")[0].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in shown)


def _is_alive(process: int) -> bool:
    if not 0 < process < 1 << 22:
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # somebody else's
    except OSError:
        return False
    return True


def _read(path: Path, size: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, size)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
