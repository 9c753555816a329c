"""A nonce is used once: also after a restart, with a clock that was set back, and however many there are."""

from pathlib import Path

import pytest
from tests.store.samples import opened

from durward.store import nonces
from durward.store.errors import StoreError
from durward.store.nonces import Spent, spend
from durward.store.store import Store

NOW = 1_795_421_400_000  # milliseconds
WINDOW = 120_000


def spent(store: Store, nonce: bytes, sent_at: int = NOW, now: int = NOW) -> Spent:
    with store.durable_transaction():
        return spend(store, nonce, sent_at, now - WINDOW)


def test_a_nonce_is_new_once(store: Store) -> None:
    assert [spent(store, b"a" * 16), spent(store, b"b" * 16), spent(store, b"a" * 16)] == ["new", "new", "used"]


def test_it_is_used_after_a_restart_too(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert spent(store, b"a" * 16) == "new"
    with opened(tmp_path) as store:
        assert spent(store, b"a" * 16) == "used"


def test_what_is_old_is_forgotten_and_never_new_again(store: Store) -> None:
    assert spent(store, b"a" * 16) == "new"
    assert spent(store, b"b" * 16, NOW + WINDOW + 1, NOW + WINDOW + 1) == "new"
    assert store.read("SELECT nonce FROM knock_nonce") == [(b"b" * 16,)]
    # The clock is set back, and the first knock lies within the window again.
    assert spent(store, b"a" * 16, NOW, NOW) == "used"
    assert spent(store, b"c" * 16, NOW + 1, NOW) == "new"


def test_while_there_are_too_many_none_is_taken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "NONCES_MAX", 2)
    found = [spent(store, bytes([number]) * 16, NOW + number) for number in range(3)]
    assert found == ["new", "new", "full"]
    assert spent(store, b"d" * 16, NOW + WINDOW + 9, NOW + WINDOW + 9) == "new"


def test_a_durable_transaction_is_synchronous_and_others_are_not(store: Store) -> None:
    with store.durable_transaction():
        assert store.read("PRAGMA synchronous") == [(2,)]
    assert store.read("PRAGMA synchronous") == [(1,)]
    with pytest.raises(StoreError), store.durable_transaction():
        store.write("INSERT INTO meta (name, value) VALUES ('a', 'b'), ('c', NULL)")
    assert store.read("PRAGMA synchronous") == [(1,)]
    assert store.read("SELECT name FROM meta WHERE name = 'a'") == []
