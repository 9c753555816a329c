"""Names of blocked sources: kept with their decisions, and gone with them."""

from tests.store.samples import decision, recorded

from durward.store import source_names
from durward.store.store import Store


def test_a_name_is_kept_with_its_decision_and_goes_with_it(store: Store) -> None:
    first, second = recorded(store, [decision("203.0.113.9"), decision("203.0.113.10")])
    with store.transaction():
        source_names.keep(store, {first.id: "mail.example.com", 99_999: "nobody.example.com"})
    assert source_names.of(store, first.id) == "mail.example.com"
    assert source_names.of(store, second.id) == ""
    assert source_names.of(store, 99_999) == ""
    with store.transaction():
        source_names.keep(store, {first.id: "other.example.com"})
        store.write("DELETE FROM standing")
    assert source_names.of(store, first.id) == "other.example.com"
    with store.transaction():
        store.write("DELETE FROM decision WHERE id = ?", (first.id,))
    assert store.read("SELECT count(*) FROM source_name")[0][0] == 0
