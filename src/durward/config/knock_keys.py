"""`knock_keys`: whose authorised knocks are obeyed, one key a line, as OpenSSH writes its public keys."""

import base64
import binascii
import hashlib
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from durward.catalog.document import Problem
from durward.config.reading import MAIN_FILE
from durward.config.settings import Settings
from durward.model.knock import KEY_BYTES, host_name, key_id_of

FILE_NAME = "knock_keys"
FILE_BYTES_MAX = 64 * 1024  # a larger file gives no key at all
KEYS_MAX = 200  # further ones are a problem
COMMENT_CHARACTERS_MAX = 100  # the rest is cut off
KIND = "ssh-ed25519"
FOR_OTHERS = "opens-for-others"
OPTIONS = (FOR_OTHERS,)
WANTED = f"{KIND} AAAA… comment, perhaps with {FOR_OTHERS} before it, was expected"


@dataclass(frozen=True, slots=True)
class KnockKey:
    """One key. `public` is its 32 bytes; with `opens_for_others` it may knock for addresses that are not its own."""

    public: bytes
    comment: str
    opens_for_others: bool = False

    @property
    def id(self) -> bytes:
        """By which a knock names it."""
        return key_id_of(self.public)

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it."""
        return fingerprint_of(self.public)


@dataclass(frozen=True, slots=True)
class KnockKeys:
    """What a file of keys holds. A line with a problem gives no key; all others do."""

    keys: tuple[KnockKey, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_knock_keys(path: Path) -> KnockKeys:
    """Read a file of keys; one that is not there holds none, and one that others may write to is not believed."""
    try:
        data = _bytes_of(path)
    except FileNotFoundError:
        return KnockKeys()
    except PermissionError:
        advice = f"durward may not read it; no key counts: chgrp durward {path}; chmod 640 {path}"
        return KnockKeys((), (Problem(str(path), 1, "", advice),))
    except OSError as error:
        return KnockKeys((), (Problem(str(path), 1, "", error.strerror or str(error)),))
    keys: dict[bytes, KnockKey] = {}
    problems = []
    for number, line in enumerate(data.decode(errors="backslashreplace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            _add(keys, parse_line(line))
        except ValueError as error:
            problems.append(Problem(str(path), number, "", str(error)))
    return KnockKeys(tuple(keys.values()), tuple(problems))


def _add(keys: dict[bytes, KnockKey], key: KnockKey) -> None:
    if key.id in keys:
        raise ValueError("this key stands in an earlier line")
    if len(keys) >= KEYS_MAX:
        raise ValueError(f"at most {KEYS_MAX} keys were expected; this one is left out")
    keys[key.id] = key


def problems_of(settings: Settings) -> list[Problem]:
    """What is wrong with `[firewall.authorised_knock]` beyond what its values tell by themselves."""
    firewall, at = settings.firewall, "firewall.authorised_knock"
    wanted = firewall.authorised_knock
    found = []
    for name in wanted.names:
        try:
            host_name(name)
        except ValueError as error:
            found.append((f"{at}.names", str(error)))
    is_open = (*firewall.udp_in, *(firewall.udp_in_ipv6 or ()))
    if any(ports.first <= wanted.port <= ports.last for ports in is_open):
        found.append((f"{at}.port", f"udp_in opens port {wanted.port} to everybody; take a closed one"))
    places = ((key, message, settings.origin(key)) for key, message in found)
    return [
        Problem(origin.file if origin else MAIN_FILE, origin.line if origin else 1, key, message)
        for key, message, origin in places
    ]


def parse_line(line: str) -> KnockKey:
    """Read one line. Raises ValueError, which says what was expected."""
    fields = line.split(None, 3)
    options: set[str] = set()
    if fields and not fields[0].startswith(("ssh-", "ecdsa-", "sk-")):
        options = set(_options(fields.pop(0)))
    else:
        fields = line.split(None, 2)
    if len(fields) < 2:
        raise ValueError(WANTED)
    if fields[0] != KIND:
        raise ValueError(f"a key of kind {fields[0][:40]!r} cannot knock; `ssh-keygen -t ed25519` makes one that can")
    public = public_key_of(fields[1])
    text = line.partition(fields[1])[2].strip()
    comment = "".join(char for char in text if char.isprintable())[:COMMENT_CHARACTERS_MAX]
    return KnockKey(public, comment or fingerprint_of(public), FOR_OTHERS in options)


def public_key_of(text: str) -> bytes:
    """The 32 bytes in the base64 part of a public key. Raises ValueError."""
    try:
        return public_key_in(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise ValueError("the key is damaged: it is no base64") from None


def public_key_in(blob: bytes) -> bytes:
    """The 32 bytes in a public key as SSH sends it (RFC 8709). Raises ValueError."""
    if blob != blob_of(blob[-KEY_BYTES:]) or len(blob) < KEY_BYTES:
        raise ValueError(f"the key is damaged: it is no key of {KIND}")
    return blob[-KEY_BYTES:]


def blob_of(public: bytes) -> bytes:
    """A public key as SSH sends it."""
    return struct.pack(">I", len(KIND)) + KIND.encode() + struct.pack(">I", len(public)) + public


def fingerprint_of(public: bytes) -> str:
    """As `ssh-keygen -l` writes it."""
    digest = hashlib.sha256(blob_of(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _options(text: str) -> Iterator[str]:
    for option in text.split(","):
        if option not in OPTIONS:
            near = get_close_matches(option, OPTIONS, n=1)
            raise ValueError(
                f"{option[:40]!r} is no option" + (f"; did you mean {near[0]}?" if near else f"; {WANTED}")
            )
        yield option


def _bytes_of(path: Path) -> bytes:
    """The content of a file that only root writes. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is no regular file")
        if status.st_uid != 0 or status.st_mode & 0o022:
            raise OSError(0, f"others than root may write to it; no key counts: chown root {path}; chmod go-w {path}")
        data = os.read(descriptor, FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(data) > FILE_BYTES_MAX:
        raise OSError(0, f"is larger than {FILE_BYTES_MAX} bytes; no key counts")
    return data
