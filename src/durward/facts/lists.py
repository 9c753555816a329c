"""From settings and files to merged lists: who is denied, or alone let in; and which line lists an address."""

import mmap
import os
import socket
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from durward.catalog.countries import FEED_FILE, file_of
from durward.catalog.document import Problem
from durward.catalog.traffic import PortRange
from durward.config.lists import SYNCED_MAX, ListFile, scan_list
from durward.config.settings import Settings
from durward.facts.complaints import Complaints
from durward.model import Address
from durward.model.address import text_of
from durward.ruleset.matching import EVERY_PORT
from durward.ruleset.policy import DENY_LIST, MergedList

FEEDS = "feed-*.txt"
MAPPED_BITS = 96  # before an IPv4 address within IPv6
LINE_BYTES_MAX = 256  # a longer line is no network
LISTED_MAX = 100  # lines that list one address; the rest is not told


class Listed(NamedTuple):
    """A line that lists an address: the network there, as it is meant, and where the line is."""

    network: str
    file: str
    line: int


def merged_lists(
    settings: Settings, deny: ListFile, library: Path | None, complaints: Complaints
) -> tuple[MergedList, ...]:
    """The merged lists that the settings ask for, and those whose files are there. `library` is their directory."""
    countries = settings.countries
    lists = [
        _of_places("countriesdeny", "deny", countries.deny),
        _of_places("countriesonly", "allow_only", countries.allow_only),
        _of_places("countriesallow", "allow_ports", countries.allow, EVERY_PORT, EVERY_PORT),
        _of_places(
            "countriesopen",
            "allow_ports",
            countries.allow_ports,
            countries.allow_ports_tcp,
            countries.allow_ports_udp,
        ),
        _of_places(
            "countriesclosed", "deny_ports", countries.deny_ports, countries.deny_ports_tcp, countries.deny_ports_udp
        ),
    ]
    complain(settings, library, complaints)
    if library is not None and any(FEED_FILE.fullmatch(name) for name in _names(library) or ()):
        lists.append(MergedList("feeds", "deny", early=True, files=(FEEDS,)))
    if deny.further:
        lists.append(MergedList("denied", "deny", early=True, files=(DENY_LIST,)))
    return tuple(one for one in lists if one is not None)


def complain(settings: Settings, library: Path | None, complaints: Complaints) -> None:
    """Note the countries whose files are not there, and those without a port where there must be one."""
    countries = settings.countries
    present = _names(library) if library is not None else None
    for name in ("deny", "allow_only", "allow", "allow_ports", "deny_ports"):
        key, places = f"countries.{name}", getattr(countries, name)
        for place in places:
            if library is not None and present is not None and file_of(place) not in present:
                file = library / file_of(place)
                complaints.about(key, f"{file} is not there; the networks of {place}, one a line, were expected in it")
        if places and name.endswith("_ports"):
            tcp, udp = getattr(countries, f"{name}_tcp"), getattr(countries, f"{name}_udp")
            if not tcp and not udp:
                complaints.about(key, f"{name}_tcp or {name}_udp was expected beside it: at no port it does nothing")


def listed_in(merged: MergedList, library: Path, deny_list: Path, address: Address) -> list[Listed]:
    """The lines by which a merged list holds an address; at most LISTED_MAX. A file that is gone lists nobody."""
    found: list[Listed] = []
    for name in merged.files:
        if name == DENY_LIST:
            found += _denied(deny_list, address)
        elif "*" in name:
            for one in sorted(one for one in _names(library) or () if FEED_FILE.fullmatch(one)):
                found += lines_of(library / one, address)
        else:
            found += lines_of(library / name, address)
    return found[:LISTED_MAX]


def lines_of(path: Path, address: Address) -> list[Listed]:
    """The lines of a file of networks that hold an address."""
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return []
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = list(_candidates(content, address))
                return [
                    Listed(network, str(path), content[:begin].count(b"\n") + 1)
                    for begin, network in found[:LISTED_MAX]
                ]
    except OSError:
        return []


def _of_places(
    name: str,
    mode: str,
    places: tuple[str, ...],
    tcp: tuple[PortRange, ...] = (),
    udp: tuple[PortRange, ...] = (),
) -> MergedList | None:
    if not places or (mode.endswith("_ports") and not tcp and not udp):
        return None
    files = tuple(sorted(file_of(place) for place in places))
    return MergedList(name, mode, tcp, udp, files=files)  # type: ignore[arg-type]


def _names(library: Path) -> frozenset[str] | None:
    """What is in the directory of lists, if it is there; None where it is not for us to see."""
    try:
        return frozenset(path.name for path in library.iterdir())
    except PermissionError:
        return None
    except OSError:
        return frozenset()


def _denied(deny_list: Path, address: Address) -> Iterator[Listed]:
    """The lines of deny.list behind those that become decisions."""
    count = 0
    for item in scan_list(deny_list) if deny_list.exists() else ():
        if isinstance(item, Problem):
            continue
        count += 1
        if count > SYNCED_MAX and item.filter is None and (network := _held(item.network, address)):
            yield Listed(network, item.file, item.line)


def _candidates(content: mmap.mmap, address: Address) -> Iterator[tuple[int, str]]:
    """Where the lines begin that hold an address, and the networks there.

    Only lines with its first number can be, for no network of a list is wider, and those that are written unusually.
    """
    first = address.packed[0] if address.version == 4 else int.from_bytes(address.packed[:2])
    begins = {b" ", b"\t", b"::"} | (
        {b"%d." % first} if address.version == 4 else {b"%x:" % first, b"%X:" % first, b"0"}
    )
    for begin in sorted({place for one in begins for place in _beginning(content, one)}):
        end = content.find(b"\n", begin)
        text = content[begin : min(end if end >= 0 else len(content), begin + LINE_BYTES_MAX)]
        if network := _held(text.strip().decode("ascii", "replace"), address):
            yield begin, network


def _beginning(content: mmap.mmap, text: bytes) -> Iterator[int]:
    """Where lines begin that begin with `text`."""
    if content[: len(text)] == text:
        yield 0
    place = content.find(b"\n" + text)
    while place >= 0:
        yield place + 1
        place = content.find(b"\n" + text, place + 1)


def _held(text: str, address: Address) -> str:
    """The network that a text means, if it holds the address; empty otherwise."""
    base, slash, length_text = text.partition("/")
    family, bits = (socket.AF_INET6, 128) if ":" in base else (socket.AF_INET, 32)
    try:
        length = int(length_text) if slash else bits
        number = int.from_bytes(socket.inet_pton(family, base))
    except (OSError, ValueError):
        return ""
    if bits == 128 and number >> 32 == 0xFFFF and length >= MAPPED_BITS:
        number, bits, length = number & 0xFFFFFFFF, 32, length - MAPPED_BITS
    if bits != address.max_prefixlen or not 0 <= length <= bits or (number ^ int(address)) >> (bits - length):
        return ""
    return text_of(ip_network(f"{address}/{length}", strict=False))
