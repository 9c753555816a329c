"""The language of patterns: what it takes, and that everything else is refused with the place."""

import pytest

from durward.scan.grammar import REPEAT_MAX, Group, Hole, PatternError, Repeat, Set, Text, parse


def test_texts_sets_holes_groups_and_repeats() -> None:
    assert parse("a{ip}") == (Text(b"a"), Hole("ip"))
    assert parse(r"\[\d") == (Text(b"["), Set(r"\d"))
    assert parse("(?:a|b)?") == (Repeat(Group(((Text(b"a"),), (Text(b"b"),))), 0, 1),)
    assert parse("[a-f]{2,3}") == (Repeat(Set("[a-f]"), 2, 3),)
    assert parse("x*y+") == (Repeat(Text(b"x"), 0, REPEAT_MAX), Repeat(Text(b"y"), 1, REPEAT_MAX))
    assert parse("a|b") == (Group(((Text(b"a"),), (Text(b"b"),))),)
    assert parse("é") == (Text("é".encode()),)
    assert parse("[][]") == (Set(r"[]\[]"),)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a)", "captures"),
        ("(?=a)", "looks around"),
        (r"(a)\1", "captures"),
        (r"a\1", r"\1"),
        (r"a\b", r"\b"),
        ("a**", "repeats a repeat"),
        ("a+?", "repeats a repeat"),
        ("a{3}{4}", "repeats a repeat"),
        ("^a", "means nothing"),
        ("a$", "means nothing"),
        ("a)", "closes a group that is not open"),
        ("(?:a", "should close the group"),
        ("[a", "should close the set"),
        ("[é]", "ASCII"),
        ("{ip", "hole"),
        ("{}", "hole"),
        ("a{5,2}", "from less to more"),
        ("a{1,9999}", "from less to more"),
        ("a{1,x}", "{n,m}"),
        ("\\", "language"),
        ("*a", "means nothing"),
        ("a" * 3000, "longer"),
    ],
)
def test_what_is_no_pattern(pattern: str, said: str) -> None:
    with pytest.raises(PatternError) as error:
        parse(pattern)
    assert said in str(error.value)
