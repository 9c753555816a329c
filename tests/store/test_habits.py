"""The habits of sources survive a restart, in the words in which they were given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from durward.store import habits
from durward.store.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "durward.db", 1_795_000_000.0)
    yield opened.store
    opened.store.close()


def test_kept_and_replaced(store: Store) -> None:
    assert habits.load(store) == {}
    for known in ({"journal": "{}"}, {"file:/var/log/\udcff.log": "[1]"}):
        with store.transaction():
            habits.save(store, known)
        assert habits.load(store) == known


def test_what_is_too_much_is_left_out(store: Store) -> None:
    known = {f"file:/{number}": "x" for number in range(habits.SOURCES_MAX + 1)}
    with store.transaction():
        habits.save(store, {"long": "x" * (habits.HABIT_CHARACTERS_MAX + 1)} | known)
    kept = habits.load(store)
    assert len(kept) == habits.SOURCES_MAX
    assert "long" not in kept


@pytest.mark.parametrize("damaged", ["", "[", "[1]", '{"a": 1}'])
def test_what_is_damaged_is_nothing(store: Store, damaged: str) -> None:
    with store.transaction():
        store.write(habits.PUT, (habits.NAME, damaged))
    assert habits.load(store) == {}
