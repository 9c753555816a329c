"""The names of ICMP types, and what is said of one that is none."""

import pytest

from durward.catalog.icmp_types import NAMES_V4, NAMES_V6, UnknownIcmpTypeError, icmp_type, versions_with


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("ping", 4, (8, None)),
        ("ping", 6, (128, None)),
        ("port-unreachable", 6, (1, 4)),
        ("3/1", 4, (3, 1)),
        ("255", 6, (255, None)),
        ("any", 4, None),
    ],
)
def test_a_type_by_name_or_number(text: str, version: int, expected: object) -> None:
    assert icmp_type(text, version) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        ("packet-too-big", 4, "is no type of ICMP, but of ICMPv6"),
        ("source-quench", 6, "is no type of ICMPv6, but of ICMP"),
        ("ecko-reply", 4, "did you mean echo-reply?"),
        ("256", 4, "0 to 255"),
        ("3/256", 4, "no type of ICMP"),
        ("3/", 4, "no type of ICMP"),
        ("\N{ARABIC-INDIC DIGIT ONE}", 4, "no type of ICMP"),
    ],
)
def test_what_is_no_type_is_named(text: str, version: int, said: str) -> None:
    with pytest.raises(UnknownIcmpTypeError) as error:
        icmp_type(text, version)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_which_families_know_a_type() -> None:
    assert [versions_with(text) for text in ("ping", "source-quench", "packet-too-big", "nonsense")] == [
        (4, 6),
        (4,),
        (6,),
        (),
    ]
    for names in (NAMES_V4, NAMES_V6):
        assert all(name == name.lower() and 0 <= kind <= 255 for name, (kind, _) in names.items())
