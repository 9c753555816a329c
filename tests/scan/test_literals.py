"""The needles of a pattern: each line that it matches has to contain one, or the line would never be looked at."""

import pytest

from durward.scan.grammar import PatternError, parse
from durward.scan.literals import ending_of, literals_of


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("Failed {word} for {user} from {ip}", {b"Failed "}),
        ("(?:Invalid|Illegal) user {user} from {ip}", {b"Invalid user ", b"Illegal user "}),
        ("(?:error: )?Received disconnect from {ip}", {b"Received disconnect from "}),
        ("[aA]uthentication failure for {user}", {b"authentication failure for ", b"Authentication failure for "}),
        ("{ip} was here for a long time", {b"was here for a long time"}),
        ("a(?: very long optional part)? {ip} short", {b"short"}),
    ],
)
def test_the_best_literals_are_found(pattern: str, literals: set[bytes]) -> None:
    assert literals_of(parse(pattern)) == literals


@pytest.mark.parametrize("pattern", ["{ip} {user}", "ab {ip} cd", "(?:long enough)? {ip}", "(?:long enough|no) {ip}"])
def test_a_pattern_without_a_fixed_text_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError) as error:
        literals_of(parse(pattern))
    assert "fixed text" in str(error.value)


def test_the_last_fixed_text() -> None:
    assert ending_of(parse(r"a {ip}(?: port {port})? \[preauth\]")) == b" [preauth]"
    assert ending_of(parse("from {ip}(?: port)?")) == b""
    assert ending_of(parse("{ip}")) == b""
    assert ending_of(parse("only text")) == b"only text"
