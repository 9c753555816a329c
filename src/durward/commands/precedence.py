"""How `why` tells which of several entries decides: in the order in which the kernel asks, and what overrules what."""

from collections.abc import Sequence
from typing import Any

from durward.commands.terminal import inert, lasting, table


def precedence_lines(entries: Sequence[dict[str, Any]]) -> list[str]:
    """The entries, the one that decides first at the top; nothing where a block alone has been told of already."""
    if not entries or (len(entries) == 1 and entries[0]["rank"].startswith("block")):
        return []
    return ["", "  What is said of it, the first that fits decides", table([_row(one) for one in entries], "    ")]


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    traffic = "" if entry["traffic"] == "all" else inert(entry["traffic"])
    overruled = f"overruled by {inert(entry['overruled_by'])}" if entry["overruled_by"] else lasting(entry["until"])
    return (entry["says"], traffic, f"{inert(entry['by'])} ({inert(entry['subject'])})", overruled)
