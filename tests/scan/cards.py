"""Cards written in a few lines, for the tests of the scanner."""

from pathlib import Path

from durward.catalog.service_card import Pattern, Reads, ServiceCard, Where, where_text

HINTED = -1


def card(
    *lines: str, name: str = "door", programs: tuple[str, ...] = ("doord",), envelope: str = "syslog"
) -> ServiceCard:
    """A card of patterns that count one hit each."""
    pattern = Pattern("auth.failure", lines, tuple(range(1, len(lines) + 1)), 1, "attempt", (envelope,), ())  # type: ignore[arg-type]
    reads = Reads(programs=programs)
    return ServiceCard(name, Path(f"{name}.toml"), name, name, "", (), reads, (pattern,), ())


def records(
    *wheres: dict[str, str], envelope: str = "access", kind: str = "http.unauthorized", about: str = ""
) -> ServiceCard:
    """A card whose patterns are for fields of records."""
    read: tuple[Where, ...] = tuple(tuple(where.items()) for where in wheres)
    lines, places = tuple(map(where_text, read)), tuple(range(1, len(read) + 1))
    pattern = Pattern(kind, lines, places, 1, "attempt", (envelope,), (), read, about=about)  # type: ignore[arg-type]
    return ServiceCard("web", Path("web.toml"), "web", "web", "", (), Reads(), (pattern,), ())
