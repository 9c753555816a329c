"""A control panel's card: how it is recognised, and the ports that a server with it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from durward.catalog.card import ID, CardReader
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.traffic import PortRange, parse_ports

CARD = "panel.toml"
CARDS_MAX = 200  # more are refused, all of them
PORT_LISTS = ("tcp_in", "tcp_out", "udp_in", "udp_out")
PASSIVE_FTP = "passive_ftp"
GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class PortSource:
    """A file of the panel that says where it really listens: the number behind `key=` is a TCP port."""

    file: str
    key: str


@dataclass(frozen=True, slots=True)
class PanelPorts:
    """The ports of one direction and protocol; `ipv6` is None where it is as IPv4."""

    ipv4: tuple[PortRange, ...]
    ipv6: tuple[PortRange, ...] | None = None


@dataclass(frozen=True, slots=True)
class PanelCard:
    """One control panel. Any of the `marks`, which are full paths, shows that it is installed.

    `passive_ftp` are the ports that its FTP server offers for data, where the panel's maker says so.
    """

    id: str
    title: str
    why: str
    marks: tuple[str, ...]
    tcp_in: PanelPorts
    tcp_out: PanelPorts
    udp_in: PanelPorts
    udp_out: PanelPorts
    listens: tuple[PortSource, ...] = ()
    passive_ftp: tuple[PortRange, ...] = ()


def load_panels(directories: Sequence[Path]) -> list[PanelCard]:
    """Read `NAME/panel.toml` in these directories, by name; one in a later directory stands for an earlier one.

    A directory that does not exist is empty. Raises ProblemsError with all problems of all cards.
    """
    paths = {path.parent.name: path for directory in directories for path in directory.glob(f"*/{CARD}")}
    if len(paths) > CARDS_MAX:
        raise ProblemsError([Problem(str(directories[-1]), 1, "", f"there are more than {CARDS_MAX} panels")])
    cards, problems = [], []
    for _, path in sorted(paths.items()):
        try:
            cards.append(read_panel(path))
        except ProblemsError as error:
            problems.extend(error.problems)
    if problems:
        raise ProblemsError(problems)
    return cards


def read_panel(path: Path) -> PanelCard:
    """Read one card. Raises ProblemsError with everything that is wrong with it."""
    card = CardReader.open(path)
    name = path.parent.name
    card.only("title", "why", "marks", "listens", PASSIVE_FTP, *PORT_LISTS, *(f"{ports}_ipv6" for ports in PORT_LISTS))
    if not ID.fullmatch(name):
        card.problem("", f"{name!r} is no id; the folder's name must be small letters, digits, _ and -")
    panel = PanelCard(
        name,
        card.text("title"),
        card.text("why", ""),
        _marks(card, name),
        _ports(card, "tcp_in"),
        _ports(card, "tcp_out"),
        _ports(card, "udp_in"),
        _ports(card, "udp_out"),
        tuple(_source(reader) for reader in card.each("listens")),
        _parsed(card, PASSIVE_FTP) if PASSIVE_FTP in card.table else (),
    )
    if card.problems:
        raise ProblemsError(card.problems)
    return panel


def _marks(card: CardReader, name: str) -> tuple[str, ...]:
    marks = card.texts("marks")
    if not marks and name != GENERIC:
        card.problem("marks", 'paths that show that the panel is installed were expected, like ["/usr/local/cpanel"]')
    for mark in marks:
        _full_path(card, "marks", mark)
    return marks


def _source(reader: CardReader) -> PortSource:
    reader.only("file", "key")
    source = PortSource(reader.text("file"), reader.text("key"))
    _full_path(reader, "file", source.file)
    return source


def _full_path(card: CardReader, key: str, path: str) -> None:
    if path and (not path.startswith("/") or ".." in path.split("/")):
        card.problem(key, f"{path!r} is no full path")


def _ports(card: CardReader, key: str) -> PanelPorts:
    if key not in card.table:
        card.problem(key, f'{key} is missing; ports like "22,80,443" were expected')
        return PanelPorts(())
    ipv6 = f"{key}_ipv6"
    return PanelPorts(_parsed(card, key), _parsed(card, ipv6) if ipv6 in card.table else None)


def _parsed(card: CardReader, key: str) -> tuple[PortRange, ...]:
    try:
        return parse_ports(card.table[key])
    except ValueError as error:
        card.problem(key, str(error))
        return ()
