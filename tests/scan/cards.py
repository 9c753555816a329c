"""Cards written in a few lines, for the tests of the scanner."""

from pathlib import Path

from durward.catalog.service_card import Pattern, Reads, ServiceCard

HINTED = -1


def card(
    *lines: str, name: str = "door", programs: tuple[str, ...] = ("doord",), envelope: str = "syslog"
) -> ServiceCard:
    """A card of patterns that count one hit each."""
    pattern = Pattern("auth.failure", lines, tuple(range(1, len(lines) + 1)), 1, "attempt", envelope, ())  # type: ignore[arg-type]
    reads = Reads(programs=programs)
    return ServiceCard(name, Path(f"{name}.toml"), name, name, "", (), reads, (pattern,), ())
