"""Who exists on the door: passwd, shadow and group made from the host's names, with passwords that are known.

The host's own shadow file is never read: accounts that are not ours get no password at all.
"""

import ctypes
import os
import threading
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "correct-horse-9"  # what every account of the arena lets in with
SALT = "$5$rounds=1000$durwardarena"  # SHA-256 with few rounds: a guess should cost sshd little
NOLOGIN = "/usr/sbin/nologin"
PEOPLE = range(1000, 60_000)  # account numbers
DURWARD_GROUP = 64100
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Account:
    """One line of passwd. `password` None means that nobody can log in as this account."""

    name: str
    user: int
    group: int
    shell: str = "/bin/sh"
    password: str | None = None

    @property
    def home(self) -> str:
        """Where it lives: a private place, so that nothing of the host runs at log-in."""
        return f"/run/home/{self.name}"


ACCOUNTS = (
    Account("root", 0, 0, password=PASSWORD),
    Account("alice", 64201, 64201, password=PASSWORD),
    Account("durward-enforcer", 64101, DURWARD_GROUP, shell=NOLOGIN),
    Account("durward-engine", 64102, DURWARD_GROUP, shell=NOLOGIN),
    Account("durward-alerter", 64103, DURWARD_GROUP, shell=NOLOGIN),
    Account("durward-herald", 64104, DURWARD_GROUP, shell=NOLOGIN),
)
GROUPS = {"durward": DURWARD_GROUP, "alice": 64201}


def write_accounts(folder: Path, accounts: tuple[Account, ...] = ACCOUNTS, *, host: Path = Path("/etc")) -> None:
    """Write passwd, shadow and group into `folder`: the host's names, with ours in the place of equal ones."""
    ours = {account.name for account in accounts}
    passwd = [line for line in _lines(host / "passwd") if line.split(":", 1)[0] not in ours and not _is_person(line)]
    groups = [line for line in _lines(host / "group") if line.split(":", 1)[0] not in GROUPS]
    shadow = [f"{line.split(':', 1)[0]}:*:19000:0:99999:7:::" for line in passwd]
    for account in accounts:
        secret = "*" if account.password is None else _hash(account.password)
        passwd.insert(0, f"{account.name}:x:{account.user}:{account.group}::{account.home}:{account.shell}")
        shadow.insert(0, f"{account.name}:{secret}:19000:0:99999:7:::")
    groups += [f"{name}:x:{number}:" for name, number in GROUPS.items()]
    _write(folder / "passwd", passwd, 0o644)
    _write(folder / "shadow", shadow, 0o600)
    _write(folder / "group", groups, 0o644)


def make_homes(folder: Path, accounts: tuple[Account, ...] = ACCOUNTS) -> None:
    """Make an empty home, with no greeting, for everyone who can log in."""
    for account in accounts:
        if account.password is None:
            continue
        home = folder / account.name
        home.mkdir(mode=0o700)
        (home / ".hushlogin").touch()
        for path in (home, home / ".hushlogin"):
            os.chown(path, account.user, account.group)


def _is_person(line: str) -> bool:
    """Whether a line of passwd is of a person on the host: whoever that is does not live on the door."""
    return int(line.split(":")[2]) in PEOPLE


def _hash(password: str) -> str:
    """Hash as shadow wants it. Python's own `crypt` is gone from 3.13 on; PAM needs this library anyway."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    with _ONE_AT_A_TIME:  # its answer is in the library's own memory
        hashed: bytes = library.crypt(password.encode(), SALT.encode())
        return hashed.decode("ascii")


def _lines(path: Path) -> list[str]:
    """Give the lines that have a name; those of NIS (`+::::::`) would ask a network that the door has not."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in "+-#"]


def _write(path: Path, lines: list[str], mode: int) -> None:
    path.touch(mode=mode)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
