"""Promises are kept until they are done, and one promise is never made twice."""

import pytest
from tests.store.samples import NOW

from durward.store import errands
from durward.store.errands import Errand
from durward.store.errors import StoreError
from durward.store.store import Store


def promise(store: Store, made: list[Errand]) -> None:
    with store.transaction():
        errands.promise(store, made)


def test_an_errand_is_due_until_it_is_done(store: Store) -> None:
    promise(store, [Errand("mail:2", "{}", NOW + 5), Errand("mail:1", "{}", NOW)])
    promise(store, [Errand("mail:1", '{"again": true}', NOW - 5)])
    assert errands.due(store, NOW) == [Errand("mail:1", "{}", NOW)]
    with store.transaction():
        errands.postpone(store, "mail:1", NOW + 9)
    assert errands.due(store, NOW + 9) == [Errand("mail:2", "{}", NOW + 5), Errand("mail:1", "{}", NOW + 9, tries=1)]
    assert len(errands.due(store, NOW + 9, limit=1)) == 1
    with store.transaction():
        errands.done(store, ["mail:1", "mail:2"])
    assert errands.due(store, NOW + 9) == []


def test_a_payload_that_is_too_long_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="longer"):
        promise(store, [Errand("mail:1", "x" * (errands.PAYLOAD_MAX + 1), NOW)])


def test_of_too_many_those_due_last_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "ERRANDS_MAX", 2)
    promise(store, [Errand(f"mail:{place}", "{}", NOW + place) for place in range(4)])
    assert [errand.key for errand in errands.due(store, NOW + 9)] == ["mail:0", "mail:1"]
