"""Which control panel is installed here, by the marks on its card, and the ports on which it really listens."""

from collections.abc import Sequence
from pathlib import Path

from durward.catalog.panel_card import GENERIC, PanelCard, PortSource

FILE_BYTES_MAX = 256 * 1024  # of a panel's configuration; the rest is not read


def installed_panels(panels: Sequence[PanelCard], root: Path = Path("/")) -> tuple[PanelCard, ...]:
    """The panels of which a mark is there; empty where there is none. A card without marks is never found."""
    return tuple(panel for panel in panels if any(_exists(root, mark) for mark in panel.marks))


def panel_of(panels: Sequence[PanelCard], root: Path = Path("/")) -> PanelCard | None:
    """The panel of this host. Webmin stands beside others, so it counts only alone; without any it is the generic one.

    None where not even that has a card.
    """
    found = sorted(installed_panels(panels, root), key=lambda panel: (panel.id == "webmin", panel.id))
    generic = [panel for panel in panels if panel.id == GENERIC]
    return next(iter((*found, *generic)), None)


def panel_ports(panel: PanelCard, root: Path = Path("/")) -> tuple[int, ...]:
    """The TCP ports that the panel's own configuration names; empty where the card knows no file, or none is there."""
    found = {port for source in panel.listens for port in _ports_in(root / source.file.lstrip("/"), source)}
    return tuple(sorted(found))


def _exists(root: Path, mark: str) -> bool:
    try:
        return (root / mark.lstrip("/")).exists()
    except OSError:
        return False


def _ports_in(path: Path, source: PortSource) -> list[int]:
    try:
        with path.open("rb") as file:
            lines = file.read(FILE_BYTES_MAX).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    pairs = [line.strip().partition("=") for line in lines]
    values = [value.strip() for key, _, value in pairs if key.strip() == source.key]
    return [int(value) for value in values if value.isascii() and value.isdecimal() and 1 <= int(value) <= 65535]
