"""Finds the scripts in a directory that may have sent mail. The directory's name is a log's: nobody vouches for it.

It is walked one name at a time from the root, over no symlink, and only below the directories that root-owned settings
name. Only file systems of this host's own disks are entered: one that a user serves or that lies on another host could
make whoever looks wait for ever. What is opened was seen to be a regular file before, by the same descriptor.
"""

import os
import re
import stat
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

NAMES_MAX = 10_000  # in a directory and those within it are looked at; there may be more, and that is said
FILES_MAX = 200  # are read, those first that were changed last
FILE_BYTES_MAX = 64 << 10  # of each file are read, from its beginning
SECONDS_MAX = 0.5  # of reading; the rest is left out, and that is said
DEPTH_MAX = 2  # directories within the directory
CANDIDATES_MAX = 10  # are named
LOOKS_MAX, LOOKS_SECONDS = 6, 60.0  # looks within so long; a directory beyond them is not looked at, and that is said
PATH_BYTES_MAX = 1024

LOOKING = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC  # opens nothing: not a pipe, not a device, no automount
READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# Whose answers no other host and no user's program gives.
LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "tmpfs", "overlay"}
)
SCRIPT = re.compile(r"\.(?:php[0-9s]?|phtml|phar|inc|cgi|pl|pm|py|rb|sh)$", re.IGNORECASE)
# Ways to send mail. An intruder may hide them; code that is put together at run time is therefore named too.
WAYS = {
    "mail()": re.compile(rb"(?<![\w>$:])(?:mb_send_)?mail\s*\(", re.IGNORECASE),
    "sendmail": re.compile(rb"sendmail", re.IGNORECASE),
    "exim": re.compile(rb"\bexim4?\b", re.IGNORECASE),
    "SMTP": re.compile(rb"smtplib|Net::SMTP|PHPMailer|fsockopen\s*\(", re.IGNORECASE),
    "hidden code": re.compile(rb"eval\s*\(\s*(?:base64_decode|gzinflate|str_rot13|gzuncompress)\b", re.IGNORECASE),
}


class NoLookError(Exception):
    """A directory that is not looked at; the text says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A script that may have sent mail: its full path, in which ways, and when it was changed (epoch seconds)."""

    path: str
    ways: tuple[str, ...]
    changed_at: float


@dataclass(slots=True)
class Seen:
    """What was found so far: scripts as changed_at, descriptor's directory and name; `cut` where there may be more."""

    scripts: list[tuple[float, str]] = field(default_factory=list)
    names: int = 0
    cut: bool = False


class Scripts:
    """Looks below the `homes`, which root-owned settings name."""

    def __init__(self, homes: Sequence[str]) -> None:
        self._homes = [PurePath(home) for home in homes]
        self._looked_at: deque[float] = deque(maxlen=LOOKS_MAX)

    def look(self, path: str) -> tuple[list[Candidate], bool]:
        """The candidates in a directory, or beside a script, the likeliest first; and whether there may be more.

        Raises NoLookError.
        """
        now = time.monotonic()
        if len(self._looked_at) == LOOKS_MAX and now - self._looked_at[0] < LOOKS_SECONDS:
            raise NoLookError(f"{LOOKS_MAX} directories were looked at within a minute")
        home = self._home_of(path)
        self._looked_at.append(now)
        with suppress(NotADirectoryError):
            return self._candidates(path, home)
        named, more = self._candidates(str(PurePath(path).parent), home)  # PHP says which script it is
        return sorted(named, key=lambda one: one.path != path), more

    def _home_of(self, path: str) -> PurePath:
        given = PurePath(path)
        if (
            "\0" in path
            or len(os.fsencode(path)) > PATH_BYTES_MAX
            or str(given) != path.rstrip("/")
            or ".." in given.parts
        ):
            raise NoLookError("it is no full path")
        for home in self._homes:
            if home in given.parents and home != PurePath("/"):
                return home
        raise NoLookError("it lies below none of the directories in detectors.script_mail.homes")

    def _candidates(self, directory: str, home: PurePath) -> tuple[list[Candidate], bool]:
        if home not in PurePath(directory).parents:
            raise NoLookError("it lies directly in a directory that holds many homes")
        top = _entered(directory)
        try:
            seen = Seen()
            _walk(top, seen)
            return _read(top, directory.rstrip("/"), seen)
        except OSError as error:
            raise NoLookError(error.strerror or type(error).__name__) from None
        finally:
            os.close(top)


def _entered(directory: str) -> int:
    """The directory, opened to look only. Raises NoLookError, and NotADirectoryError where its last name is a file."""
    here = os.open("/", LOOKING)
    kinds = _file_systems()
    names = [name for name in directory.split("/") if name]
    for number, name in enumerate(names, 1):
        try:
            inner = os.open(name, LOOKING, dir_fd=here)
        except OSError as error:
            raise NoLookError(f"{name!r}: {error.strerror}") from None
        finally:
            os.close(here)
        here = inner
        try:
            _refuse_unless_entered(here, name, kinds, last=number == len(names))
        except BaseException:
            os.close(here)
            raise
    return here


def _refuse_unless_entered(descriptor: int, name: str, kinds: dict[int, str], *, last: bool) -> None:
    kind = kinds.get(_mount_of(descriptor), "an unknown file system")
    if kind not in LOCAL:  # asked before the file system itself is asked anything
        raise NoLookError(f"{name!r} lies on {kind}, which is not looked into")
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISLNK(mode):
        raise NoLookError(f"{name!r} is a symlink, and is not followed")
    if last and stat.S_ISREG(mode):
        raise NotADirectoryError(name)
    if not stat.S_ISDIR(mode):
        raise NoLookError(f"{name!r} is no directory")


def _walk(top: int, seen: Seen) -> None:
    """Note the scripts in an open directory and in those within it, the nearer ones first. Raises OSError."""
    mount = _mount_of(top)
    waiting = deque([("", 0)])
    while waiting and not seen.cut:
        inner, depth = waiting.popleft()
        try:
            found = _note(top, inner, mount, seen)
        except OSError:
            if not inner:
                raise
            continue
        waiting.extend((one, depth + 1) for one in found if depth < DEPTH_MAX)


def _note(top: int, inner: str, mount: int, seen: Seen) -> list[str]:
    """Note the scripts in one directory; give the directories in it."""
    directories: list[str] = []
    descriptor = _reopened(top, inner, mount, os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if seen.names >= NAMES_MAX:
                    seen.cut = True
                    return []
                seen.names += 1
                path = f"{inner}/{entry.name}" if inner else entry.name
                if entry.is_dir(follow_symlinks=False):
                    directories.append(path)
                elif SCRIPT.search(entry.name) and entry.is_file(follow_symlinks=False):
                    seen.scripts.append((entry.stat(follow_symlinks=False).st_ctime, path))
    finally:
        os.close(descriptor)
    return directories


def _read(top: int, directory: str, seen: Seen) -> tuple[list[Candidate], bool]:
    """Read the scripts that were changed last; give those that can send mail, and whether there may be more."""
    until, mount = time.monotonic() + SECONDS_MAX, _mount_of(top)
    found: list[Candidate] = []
    for read, (changed_at, path) in enumerate(sorted(seen.scripts, reverse=True)):
        if read >= FILES_MAX or len(found) >= CANDIDATES_MAX or time.monotonic() > until:
            return found, True
        ways: tuple[str, ...] = ()
        with suppress(OSError):
            ways = _ways_in(top, path, mount)
        if ways:
            shown = os.fsencode(f"{directory}/{path}").decode("utf-8", "backslashreplace")
            found.append(Candidate(shown, ways, changed_at))
    return found, seen.cut


def _ways_in(top: int, path: str, mount: int) -> tuple[str, ...]:
    descriptor = _reopened(top, path, mount, 0)
    try:
        content = os.pread(descriptor, FILE_BYTES_MAX, 0)
    finally:
        os.close(descriptor)
    return tuple(name for name, pattern in WAYS.items() if pattern.search(content))


def _reopened(top: int, path: str, mount: int, flags: int) -> int:
    """Open what lies below an open directory for reading: a directory by O_DIRECTORY, otherwise a regular file.

    Each name on the way is looked at, then that very thing is opened. Raises OSError.
    """
    here = os.dup(top)
    try:
        for name in path.split("/") if path else ():
            inner = os.open(name, LOOKING, dir_fd=here)
            os.close(here)
            here = inner
            if _mount_of(here) != mount:
                raise OSError("another file system begins there")
        mode = os.fstat(here).st_mode
        if not (stat.S_ISDIR(mode) if flags else stat.S_ISREG(mode)):
            raise OSError("it is something else by now")
        return os.open(f"/proc/self/fd/{here}", READING | flags)
    finally:
        os.close(here)


def _mount_of(descriptor: int) -> int:
    """Which mount a descriptor lies on: the kernel says it without asking the file system."""
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("mnt_id:"):
            return int(line.split()[1])
    raise OSError("the kernel does not say which mount it is")


def _file_systems() -> dict[int, str]:
    """The kinds of file systems, by mount."""
    rows = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return {int(row[0]): row[row.index("-", 6) + 1] for row in rows}
