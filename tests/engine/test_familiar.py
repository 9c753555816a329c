"""Who logged in well of late: pairs, how long they last, what is kept, and that nobody can read it."""

import pytest
from tests.engine.samples import NOW, SUBJECT

from durward.engine import familiar
from durward.engine.familiar import FAMILIAR_SECONDS, NOTE_SECONDS, Familiar, Login
from durward.model import Subject

OTHER = Subject("address", "198.51.100.7")


def test_a_pair_is_known_and_its_source_familiar() -> None:
    known = Familiar(b"secret")
    known.note(SUBJECT, "bob", NOW)
    assert known.knows(SUBJECT, "bob", NOW)
    assert known.knows(SUBJECT, "BOB", NOW), "mail programs write an account as they like"
    assert not known.knows(SUBJECT, "ann", NOW)
    assert not known.knows(SUBJECT, None, NOW)
    assert not known.knows(OTHER, "bob", NOW)
    assert known.is_familiar(SUBJECT, NOW)
    assert not known.is_familiar(OTHER, NOW)
    assert (known.accounts(SUBJECT, NOW), known.accounts(OTHER, NOW)) == (1, 0)


def test_it_lasts_a_week() -> None:
    known = Familiar()
    known.note(SUBJECT, "bob", NOW)
    assert known.knows(SUBJECT, "bob", NOW + FAMILIAR_SECONDS)
    assert not known.knows(SUBJECT, "bob", NOW + FAMILIAR_SECONDS + 1)
    assert not known.is_familiar(SUBJECT, NOW + FAMILIAR_SECONDS + 1)


def test_what_is_kept_is_given_once_and_not_for_every_login() -> None:
    known = Familiar(b"secret")
    for minute in range(50):
        known.note(SUBJECT, "bob", NOW + 60 * minute)
    (kept,) = known.changed()
    assert (kept.source, kept.at) == (SUBJECT.value, NOW)
    assert known.changed() == []
    known.note(SUBJECT, "bob", NOW + NOTE_SECONDS)
    assert [login.at for login in known.changed()] == [NOW + NOTE_SECONDS]


def test_the_next_engine_knows_what_was_kept() -> None:
    first = Familiar(b"secret")
    first.note(SUBJECT, "bob", NOW)
    later = Familiar(b"secret", first.changed())
    assert later.knows(SUBJECT, "bob", NOW)
    assert later.changed() == []
    stranger = Familiar(b"another", [Login(SUBJECT.value, first.name_of(SUBJECT, "bob"), NOW)])
    assert not stranger.knows(SUBJECT, "bob", NOW), "with another secret the hashes mean nothing"


def test_a_kept_login_tells_neither_the_account_nor_that_two_sources_share_it() -> None:
    known = Familiar(b"secret")
    known.note(SUBJECT, "bob", NOW)
    known.note(OTHER, "bob", NOW)
    one, other = known.changed()
    assert b"bob" not in one.account
    assert one.account != other.account


def test_the_pairs_noted_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Familiar()
    monkeypatch.setattr(familiar, "PAIRS_MAX", 3)
    for number in range(5):
        known.note(SUBJECT, f"user{number}", NOW + number)
    assert len(known) == 3
    assert [known.knows(SUBJECT, f"user{number}", NOW + 5) for number in range(5)] == [False, False, True, True, True]
    assert len(known.changed()) == 3


def test_a_network_is_known_by_its_accounts_and_makes_no_source_familiar() -> None:
    known = Familiar(b"secret")
    assert not known.arrive(SUBJECT, "bob", NOW)
    assert known.arrive(Subject("address", "203.0.113.77"), "BOB", NOW + 1)
    assert not known.arrive(SUBJECT, "anna", NOW + 2)
    assert not known.arrive(OTHER, "bob", NOW + 3)
    assert not known.is_familiar(SUBJECT, NOW + 4), "to be told of is not to be trusted"
    assert not known.knows(SUBJECT, "bob", NOW + 4)
    later = Familiar(b"secret", known.changed())
    assert later.arrive(SUBJECT, "bob", NOW + familiar.NETWORK_SECONDS)
    assert not later.arrive(SUBJECT, "anna", NOW + 3 + familiar.NETWORK_SECONDS)


def test_an_ipv6_network_is_a_customer() -> None:
    known = Familiar()
    assert not known.arrive(Subject("network", "2001:db8:0:1::/64"), "bob", NOW)
    assert known.arrive(Subject("network", "2001:db8:0:2::/64"), "bob", NOW)
    assert not known.arrive(Subject("network", "2001:db8:1::/64"), "bob", NOW)
