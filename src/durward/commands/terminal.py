"""How answers look on a terminal: aligned, short, and safe, whatever an attacker wrote into them."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
BIDIRECTIONAL = {
    code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F)
}
INERT = CONTROL | BIDIRECTIONAL


def inert(text: str) -> str:
    """The text without anything that a terminal would obey: control characters and direction marks become escapes."""
    return text.translate(INERT)


def emit(value: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")


def table(rows: Sequence[tuple[str, ...]], indent: str = "") -> str:
    """Rows as aligned columns; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(indent + line for line in lines)


def bold(text: str) -> str:
    """The text in bold where the terminal can."""
    return click.style(text, bold=True)


def moment(at: str | None) -> str:
    """An ISO time as people read it: `08:10:00` today, with the date otherwise; `never` for None."""
    if at is None:
        return "never"
    local = datetime.fromisoformat(at).astimezone()
    if local.date() == datetime.now(UTC).astimezone().date():
        return f"{local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M:%S}"


def lasting(until: str | None) -> str:
    """How long something holds: `until 08:10:00`, or `for ever`."""
    return "for ever" if until is None else f"until {moment(until)}"


def span(seconds: float) -> str:
    """A length of time in its two largest units: `2 h 5 min`."""
    whole = max(0, round(seconds))
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if whole >= size:
            parts.append(f"{whole // size} {name}")
            whole %= size
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"


def quantity(count: int, noun: str) -> str:
    """`1 line`, `2 lines`, `12,345 packets`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
