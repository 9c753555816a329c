"""Values come back from columns as they went in, and what we cannot have written is damage."""

import pytest

from durward.model import Port, Scope, Subject, parse_network
from durward.store.columns import canonical, containing, network_of, scope_of, stored, subject_of
from durward.store.errors import StoreCorruptError


def test_what_is_no_unicode_is_shown_as_escapes() -> None:
    assert stored("a\udcffb") == "a\\udcffb"
    assert stored("ключ") == "ключ"
    assert stored("abcdef", 3) == "abc"


def test_all_networks_around_an_address() -> None:
    around = containing(parse_network("203.0.113.9"))
    assert around[:3] == ["203.0.113.9", "203.0.113.8/31", "203.0.113.8/30"]
    assert around[-1] == "0.0.0.0/0"
    assert len(around) == 33
    assert len(containing(parse_network("2001:db8::/64"))) == 65


def test_only_addresses_and_networks_have_a_network() -> None:
    assert network_of(Subject("user", "root")) is None
    assert network_of(Subject.parse("203.0.113.0/24")) == parse_network("203.0.113.0/24")


def test_two_ways_to_write_a_scope_are_one() -> None:
    one = Scope((Port(80), Port(53, "udp"), Port(80)), "out")
    assert canonical(one) == canonical(Scope((Port(53, "udp"), Port(80)), "out")) == scope_of("out:53/udp,80")


@pytest.mark.parametrize(("kind", "value"), [("address", "203.0.113.999"), ("planet", "Mars"), ("address", None)])
def test_a_subject_that_cannot_be_is_damage(kind: str, value: str) -> None:
    with pytest.raises(StoreCorruptError):
        subject_of(kind, value)


def test_a_scope_that_cannot_be_is_damage() -> None:
    with pytest.raises(StoreCorruptError):
        scope_of("sideways:22")
