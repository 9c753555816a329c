"""The name servers that this host asks, from resolv.conf; that of systemd-resolved names the real ones."""

from pathlib import Path

from durward.model import Address, InvalidAddressError, parse_address

PATHS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
FILE_BYTES_MAX = 64 * 1024  # of one file; the rest is not read
RESOLVERS_MAX = 32  # the rest is left out


def resolvers(paths: tuple[Path, ...] = PATHS) -> tuple[Address, ...]:
    """The addresses, in their order, each once, those of the loopback interface left out."""
    found = dict.fromkeys(address for path in paths for address in _in(path) if not address.is_loopback)
    return tuple(found)[:RESOLVERS_MAX]


def _in(path: Path) -> list[Address]:
    try:
        with path.open("rb") as file:
            lines = file.read(FILE_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for words in map(str.split, lines):
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(parse_address(words[1].partition("%")[0]))
            except InvalidAddressError:
                continue
    return found
