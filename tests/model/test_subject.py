"""Subjects: one spelling for each, and an invalid one cannot be constructed."""

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.model import InvalidAddressError, Subject, parse_address, parse_network


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("address", "192.0.2.1/32"), ("address", "192.0.2.0/24"), ("network", "192.0.2.1"), ("address", "")),
        *(("network", "192.0.2.7/24"), ("network", "192.0.2.0/024"), ("address", "2001:DB8::1"), ("address", "root")),
        *(("address", "2001:db8:0:0::1"), ("address", "::ffff:192.0.2.1"), ("network", "::ffff:192.0.2.0/120")),
    ],
)
def test_a_subject_in_another_spelling_cannot_be_constructed(kind: str, value: str) -> None:
    with pytest.raises(InvalidAddressError):
        Subject(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["user", "process", "file"])
def test_a_subject_without_a_name_cannot_be_constructed(kind: str) -> None:
    assert Subject(kind, "bob").value == "bob"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a name"):
        Subject(kind, "")  # type: ignore[arg-type]


def test_all_spellings_of_one_network_are_one_subject() -> None:
    assert Subject.parse("::ffff:192.0.2.1") == Subject.parse("192.0.2.1/32") == Subject("address", "192.0.2.1")
    assert Subject.parse("2001:DB8:0::/64") == Subject("network", "2001:db8::/64")
    assert len({Subject.parse("192.0.2.1"), Subject.parse("192.0.2.1/32")}) == 1


@given(some.one_of(some.ip_addresses(v=4), some.ip_addresses(v=6)), some.integers(1, 128))
def test_the_subject_around_an_address_holds_it(address: object, prefix: int) -> None:
    parsed = parse_address(str(address))
    subject = Subject.around(parsed, prefix)
    assert parsed in subject.network
    assert subject == Subject.parse(subject.value)
    assert subject.network.prefixlen == (32 if parsed.version == 4 else prefix)


@given(some.lists(some.sampled_from([0, 1, 0xA0, 0xFFFF]), min_size=8, max_size=8))
def test_the_half_of_an_address_is_written_as_everywhere_else(groups: list[int]) -> None:
    address = IPv6Address(":".join(f"{group:x}" for group in groups))
    subject = Subject.around(address, 64)
    assert subject == Subject("network", str(ip_network((address, 64), strict=False)))
    assert hash(subject) == hash(Subject.parse(subject.value))
    assert subject.network == ip_network(subject.value)


def test_a_user_covers_no_addresses() -> None:
    with pytest.raises(InvalidAddressError):
        _ = Subject("user", "bob").network
    assert Subject.of(parse_network("192.0.2.0/24")).network.num_addresses == 256
