"""Question: how often did each source give events, and what of it was not understood?

What a habit is made of is the engine's business: the store keeps the texts and gives them back.
"""

import json
from collections.abc import Mapping

from durward.store.store import Store

NAME = "habits"  # in `meta`
SOURCES_MAX = 500  # of which habits are kept; those beyond it begin anew after a restart
HABIT_CHARACTERS_MAX = 8000  # of one source; a longer one is left out
PUT = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"


def load(store: Store) -> dict[str, str]:
    """The habit of each source, by its name; what is damaged is left out. Raises StoreError."""
    rows = store.read("SELECT value FROM meta WHERE name = ?", (NAME,))
    try:
        found = json.loads(rows[0][0]) if rows else {}
    except (ValueError, TypeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {source: text for source, text in found.items() if isinstance(text, str)}


def save(store: Store, habits: Mapping[str, str]) -> None:
    """Keep the habits in place of those before. Call inside a transaction. Raises StoreError."""
    short = [(source, text) for source, text in habits.items() if len(text) <= HABIT_CHARACTERS_MAX]
    store.write(PUT, (NAME, json.dumps(dict(short[:SOURCES_MAX]))))
