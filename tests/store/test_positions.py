"""Positions come back as their sources wrote them."""

import pytest

from durward.store import positions
from durward.store.errors import StoreError
from durward.store.store import Store


def test_the_last_position_of_each_source_is_kept(store: Store) -> None:
    with store.transaction():
        positions.save(store, {"file:/var/log/auth.log": '{"offset": 1}', "journal": "s=1"})
    with store.transaction():
        positions.save(store, {"file:/var/log/auth.log": '{"offset": 2}'})
    assert positions.load(store) == {"file:/var/log/auth.log": '{"offset": 2}', "journal": "s=1"}
    with store.transaction():
        positions.forget(store, ["journal", "never seen"])
    assert list(positions.load(store)) == ["file:/var/log/auth.log"]


def test_a_position_that_is_too_long_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="journal"), store.transaction():
        positions.save(store, {"journal": "x" * (positions.TEXT_MAX + 1)})
    assert positions.load(store) == {}
