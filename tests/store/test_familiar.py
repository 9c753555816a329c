"""Who logged in well is kept a week by his address, and longer by his network."""

from durward.store import familiar
from durward.store.store import Store

NOW = 1_795_421_400.0
ADDRESS, NETWORK = ("203.0.113.9", b"a" * 8), ("network:203.0.113.0/24", b"b" * 8)


def test_networks_are_kept_longer_than_addresses(store: Store) -> None:
    with store.transaction():
        familiar.save(store, [(*ADDRESS, NOW), (*NETWORK, NOW)], NOW - 10, NOW - 100)
    assert familiar.load(store, NOW - 5, NOW - 50) == [(*ADDRESS, NOW), (*NETWORK, NOW)]
    assert familiar.load(store, NOW + 5, NOW - 50) == [(*NETWORK, NOW)]
    with store.transaction():
        familiar.save(store, [], NOW + 5, NOW - 50)
    assert familiar.load(store, 0.0) == [(*NETWORK, NOW)]
    with store.transaction():
        familiar.save(store, [], NOW + 5, NOW + 1)
    assert familiar.load(store, 0.0) == []
