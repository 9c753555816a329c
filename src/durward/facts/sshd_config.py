"""Reads sshd's configuration files for its ports, for when `sshd -T` cannot be asked."""

import shlex
from collections.abc import Iterator
from pathlib import Path

MAIN_FILE = "etc/ssh/sshd_config"
FILE_BYTES_MAX = 1 << 20  # of one file; the rest is not read
FILES_MAX = 64  # that include each other; the rest is not read


def configured_ports(root: Path = Path("/")) -> list[tuple[int, str]]:
    """The ports that the files below `root` name, and which file did. Empty where sshd is not configured here.

    `ListenAddress` with a port says where sshd listens; one without, or none, leaves it to `Port`, which is 22.
    """
    main = root / MAIN_FILE
    if not main.is_file():
        return []
    plain: list[tuple[int, str]] = []
    addressed: list[tuple[int, str]] = []
    has_bare_address = False
    for keyword, value, file in _directives(main, root, [FILES_MAX]):
        if keyword == "port" and value.isdecimal():
            plain.append((int(value), file))
        elif keyword == "listenaddress":
            port = _port_of(value)
            has_bare_address |= port is None
            addressed += [(port, file)] if port else []
    if has_bare_address or not addressed:
        addressed += plain or [(22, f"/{MAIN_FILE}")]
    return [(port, file) for port, file in addressed if 1 <= port <= 65535]


def _directives(path: Path, root: Path, left: list[int]) -> Iterator[tuple[str, str, str]]:
    """Keyword, value and file of each line before the first Match block, of included files too."""
    left[0] -= 1
    for line in _lines(path):
        words = _words(line)
        if len(words) < 2:
            continue
        keyword = words[0].lower()
        if keyword == "match":
            return
        if keyword == "include":
            for pattern in words[1:]:
                for file in _included(pattern, root):
                    if left[0] > 0:
                        yield from _directives(file, root, left)
        else:
            yield keyword, words[1], f"/{path.relative_to(root)}"


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []
    name, equals, value = words[0].partition("=") if words else ("", "", "")
    return [name, *([value] if value else []), *words[1:]] if equals else [word for word in words if word != "="]


def _included(pattern: str, root: Path) -> list[Path]:
    relative = pattern.lstrip("/") if pattern.startswith("/") else f"etc/ssh/{pattern}"
    return [file for file in sorted(root.glob(relative)) if file.is_file()]


def _port_of(value: str) -> int | None:
    """The port of `host:port` or `[address]:port`; None for an address alone."""
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.endswith("]")):
        return None
    return int(port)
