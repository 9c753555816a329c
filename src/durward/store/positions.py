"""Question: how far was each source read?

What a position is made of is the source's business: the store keeps the text that the source writes (a file's, inode,
offset and marks, as JSON; the journal's cursor) and gives it back.
"""

from collections.abc import Iterable, Mapping

from durward.store.errors import StoreError
from durward.store.store import Store

TEXT_MAX = 64 << 10  # characters of one position; a longer one is refused
CODEC = ("utf-8", "surrogatepass")  # a path that is no UTF-8 comes back as it was
SAVE = "INSERT OR REPLACE INTO source_position (source, position) VALUES (?, ?)"


def load(store: Store) -> dict[str, str]:
    """The saved position of every source, by the source's name. Raises StoreError."""
    rows = store.read("SELECT source, position FROM source_position")
    return {name.decode(*CODEC): position for name, position in rows}


def save(store: Store, positions: Mapping[str, str]) -> None:
    """Save positions by source, each in place of the last one; there are as many as the settings name sources.

    Call inside a transaction. Raises StoreError.
    """
    for source, position in positions.items():
        if len(position) > TEXT_MAX:
            raise StoreError(f"the position of {source!r} is longer than {TEXT_MAX} characters")
    store.write_many(SAVE, ((source.encode(*CODEC), position) for source, position in positions.items()))


def forget(store: Store, sources: Iterable[str]) -> None:
    """Forget sources that the settings no longer name. Call inside a transaction. Raises StoreError."""
    store.write_many("DELETE FROM source_position WHERE source = ?", ((source.encode(*CODEC),) for source in sources))
