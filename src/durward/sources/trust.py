"""Which journal entries are what they say. Anybody may write to the journal, under any name.

The fields that begin with an underscore are journald's own: `_UID` and `_PID` came with the message from the kernel,
`_SYSTEMD_UNIT`, `_EXE` and `_COMM` were looked up by the process number. SYSLOG_IDENTIFIER is the sender's word, and
`_COMM` is whatever the sender's file or link is called.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

SYSTEM_UID_MAX = 999  # accounts of services; people's accounts begin above it on all distributions that we know
DYNAMIC_UIDS = range(61184, 65520)  # systemd's DynamicUser=
SYSTEM_DIRECTORIES = (b"/usr/", b"/opt/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/", b"/snap/", b"/nix/store/")
COMM_BYTES_MAX = 15  # the kernel's name of a process is cut to this

Field = Callable[[str], bytes | None]  # the value of a field; None where it is absent


@dataclass(frozen=True, slots=True)
class Want:
    """What one service logs: from these units, under these program names; no names: any but other services' ones.

    `uids` are accounts of people that may speak for the units all the same.
    """

    units: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    uids: frozenset[int] = frozenset()


class Trust:
    """All wants together."""

    def __init__(self, wants: Iterable[Want]) -> None:
        self._units: dict[bytes, list[Want]] = {}
        self._families: list[frozenset[bytes]] = []
        for want in wants:
            self._families.append(frozenset(program.encode() for program in want.programs))
            for unit in want.units:
                self._units.setdefault(unit.encode(), []).append(want)
        self._programs = frozenset[bytes]().union(*self._families)
        self._owned: dict[bytes, set[bytes]] = {
            unit: {program.encode() for want in wants for program in want.programs}
            for unit, wants in self._units.items()
        }

    def matches(self) -> list[list[bytes]]:
        """Give what to ask libsystemd for: any of these groups; within a group, one value of each field."""
        units = [b"_SYSTEMD_UNIT=" + unit for unit in sorted(self._units)]
        names = sorted(self._programs)
        root = [b"_UID=0"]
        groups = [
            units,
            root + [b"_COMM=" + name[:COMM_BYTES_MAX] for name in names] if names else [],
            root + [b"SYSLOG_IDENTIFIER=" + name for name in names] if names else [],
            [b"_TRANSPORT=kernel"] if b"kernel" in self._programs else [],
        ]
        return [group for group in groups if group]

    def admits(self, name: bytes, field: Field) -> bool:
        """Tell whether an entry is of who it says it is, by `name`; `field` gives its other fields."""
        unit = field("_SYSTEMD_UNIT")
        if unit in self._units:
            return self._speaks_for(unit, name, field)
        if name not in self._programs:
            return False
        if name == b"kernel" and field("_TRANSPORT") == name:
            return True
        return field("_UID") == b"0" and self._is_program(name, unit, field)

    def _speaks_for(self, unit: bytes, name: bytes, field: Field) -> bool:
        """Whether an entry from a wanted unit is the service's own.

        Where no logind is, people's shells run inside `ssh.service`, and their jobs inside `cron.service`; and a web
        application inside `apache2.service` may not speak as sshd.
        """
        wants = self._units[unit]
        uid = _number(field("_UID") or b"")
        known = 0 <= uid <= SYSTEM_UID_MAX or uid in DYNAMIC_UIDS or any(uid in want.uids for want in wants)
        if name in self._owned[unit]:
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
        directory, _, base = executable.rpartition(b"/")
        related = any(name in family and base in family for family in self._families)
        return related and (directory + b"/").startswith(SYSTEM_DIRECTORIES)


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= 10 else -1
