"""Which journal entries are what they say. Anybody may write to the journal, under any name.

The fields that begin with an underscore are journald's own: `_UID` and `_PID` came with the message from the kernel,
`_SYSTEMD_UNIT`, `_EXE` and `_COMM` were looked up by the process number. SYSLOG_IDENTIFIER is the sender's word, and
`_COMM` is whatever the sender's file or link is called. Entries of strangers who take a service's name are read as
well, to tell of them; they are nobody's events.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from durward.scan.envelope import Programs
from durward.sources.posing import Writer

SYSTEM_UID_MAX = 999  # accounts of services; people's accounts begin above it on all distributions that we know
DYNAMIC_UIDS = range(61184, 65520)  # systemd's DynamicUser=
SYSTEM_DIRECTORIES = (b"/usr/", b"/opt/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/", b"/snap/", b"/nix/store/")
# Programs that anybody runs, and that log as root only after they have asked him who he is.
SET_UID = frozenset({b"su", b"su-l", b"sudo", b"sudo-rs", b"doas", b"opendoas", b"pkexec", b"polkit-agent-helper-1"})
HOST_BEHIND = re.compile(rb"rhost=\S|\bfrom\b")
COMM_BYTES_MAX = 15  # the kernel's name of a process is cut to this

Field = Callable[[str], bytes | None]  # the value of a field; None where it is absent


@dataclass(frozen=True, slots=True)
class Want:
    """What one service logs: from these units, under these program names; no names: any but other services' ones.

    A `*` in a name stands for any text. `uids` are accounts of people that may speak for the units all the same.
    """

    units: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    uids: frozenset[int] = frozenset()


class Trust:
    """All wants together."""

    def __init__(self, wants: Iterable[Want], ours: tuple[str, int] | None = None) -> None:
        """`ours` is what this program's own lines say that they are of, and the account that it runs as."""
        self._ours = (ours[0].encode(), str(ours[1]).encode()) if ours else None
        self._units: dict[bytes, list[Want]] = {}
        self._families: list[Programs] = []
        names: set[str] = set()
        for want in wants:
            names |= want.programs
            if want.programs:
                self._families.append(Programs(sorted(want.programs)))
            for unit in want.units:
                self._units.setdefault(unit.encode(), []).append(want)
        self._names = sorted(name.encode() for name in names)
        self._programs: Programs | frozenset[bytes] = Programs(sorted(names)) if names else frozenset()
        self._owned: dict[bytes, Programs] = {
            unit: Programs(sorted(owned))
            for unit, wants in self._units.items()
            if (owned := {program for want in wants for program in want.programs})
        }

    def matches(self, *, posing: bool = True) -> list[list[bytes]]:
        """Give what to ask libsystemd for: any of these groups; within a group, one value of each field.

        `posing`: also what anybody wrote under a service's name.
        """
        units = [b"_SYSTEMD_UNIT=" + unit for unit in sorted(self._units)]
        names = [name for name in self._names if b"*" not in name]  # those of the others come from units alone
        root = [b"_UID=0"]
        groups = [
            units,
            root + [b"_COMM=" + name[:COMM_BYTES_MAX] for name in names] if names else [],
            ([] if posing else root) + [b"SYSLOG_IDENTIFIER=" + name for name in names] if names else [],
            [b"_TRANSPORT=kernel"] if b"kernel" in self._programs else [],
        ]
        if self._ours:
            groups.append([b"SYSLOG_IDENTIFIER=" + self._ours[0], b"_UID=" + self._ours[1]])
        return [group for group in groups if group]

    def admits(self, name: bytes, field: Field) -> bool:
        """Tell whether an entry is of who it says it is, by `name`; `field` gives its other fields."""
        if self._ours and name == self._ours[0]:
            return field("_UID") == self._ours[1]
        unit = field("_SYSTEMD_UNIT")
        if unit in self._units:
            return self._speaks_for(unit, name, field)
        if name not in self._programs:
            return False
        if name in SET_UID:
            return self._is_set_uid(name, field)
        if name == b"kernel" and field("_TRANSPORT") == name:
            return True
        return field("_UID") == b"0" and self._is_program(name, unit, field)

    def poser(self, name: bytes, field: Field) -> Writer | None:
        """Who wrote an entry that is not admitted, where it bears a service's name; None where it bears no such name.

        A program that is called as the service's, and lies where root alone installs, may well be genuine: `kindred`.
        """
        if name not in self._programs:
            return None
        program, unit = field("_COMM") or b"", field("_SYSTEMD_UNIT") or b""
        return Writer(_number(field("_UID") or b""), name, program, unit, self._is_kindred(name, field("_EXE") or b""))

    def _speaks_for(self, unit: bytes, name: bytes, field: Field) -> bool:
        """Whether an entry from a wanted unit is the service's own.

        Where no logind is, people's shells run inside `ssh.service`, and their jobs inside `cron.service`; and a web
        application inside `apache2.service` may not speak as sshd.
        """
        wants = self._units[unit]
        uid = _number(field("_UID") or b"")
        known = 0 <= uid <= SYSTEM_UID_MAX or uid in DYNAMIC_UIDS or any(uid in want.uids for want in wants)
        if name in self._owned.get(unit, ()):
            return known
        return known and name not in self._programs and any(not want.programs for want in wants)

    def _is_program(self, name: bytes, unit: bytes | None, field: Field) -> bool:
        """Whether root's entry from another unit, or from none, is the program's: a login's own scope, no systemd.

        A link to a set-uid program may be called sshd; the file that really runs may not. Journald finds nothing at
        all about a process that ended at once; then the kernel's word that it was root's has to do.
        """
        executable = field("_EXE")
        if executable is None:
            return unit is None and field("_COMM") is None
        return self._is_kindred(name, executable)

    def _is_set_uid(self, name: bytes, field: Field) -> bool:
        """Whether su or the like wrote an entry, which counts as written by whoever runs it.

        He may write it himself and become su before journald looks, so it must not name a host that is then blamed.
        """
        executable = field("_EXE")
        if executable is None:
            return field("_UID") == b"0" and field("_SYSTEMD_UNIT") is None and field("_COMM") is None
        return self._is_kindred(name, executable) and not HOST_BEHIND.search(field("MESSAGE") or b"")

    def _is_kindred(self, name: bytes, executable: bytes) -> bool:
        directory, _, base = executable.rpartition(b"/")
        related = base == name.rpartition(b"/")[2]
        related = related or any(name in family and base in family for family in self._families)
        return related and (directory + b"/").startswith(SYSTEM_DIRECTORIES)


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= 10 else -1
