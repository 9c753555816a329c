"""The prefilter: a line that a rule could match is always among its candidates, whatever else is in the line."""

from hypothesis import given
from hypothesis import strategies as st
from tests.scan.cards import card

from durward.scan.envelope import Programs
from durward.scan.matcher import KNOWN_MAX, Groups, Prefilter
from durward.scan.rule import Rule, rules_of
from durward.scan.sieve import VECTOR_TEXTS_MAX

WORDS = ("abcd", "bcde", "cdef", "abcdef", "defg", "efgabcd", "gggg", "ggggg")


def rules(*lines: str) -> list[Rule]:
    made = card(*lines)
    return [rule for line in lines for rule in rules_of(made, made.patterns[0], line, Programs(["doord"]))]


RULES = rules(*(f"{word}{{ip}}" for word in WORDS))


@given(st.text("abcdefg ", max_size=24))
def test_the_rules_in_a_line_are_those_of_which_a_literal_is_in_it(line: str) -> None:
    found = Prefilter(RULES).rules_in(line.encode())
    assert found == [rule for rule in RULES if any(literal in line.encode() for literal in rule.literals)]


@given(st.lists(st.text("abcdefg ", max_size=12), max_size=6).map("\n".join))
def test_every_rule_with_a_literal_in_the_line_is_tried(text: str) -> None:
    block = text.encode()
    tried: dict[int, set[str]] = {}
    for candidates in Prefilter(RULES).candidates(block):
        for line, start in zip(candidates.lines, candidates.starts, strict=True):
            assert block[start:].startswith(line)
            assert start not in tried
            tried[start] = {rule.line for rule in candidates.rules}
    start = 0
    for line in block.split(b"\n"):
        wanted = {f"{word}{{ip}}" for word in WORDS if word.encode() in line}
        assert wanted <= tried.get(start, set())
        assert (start in tried) == bool(wanted)
        start += len(line) + 1


def test_many_literals_are_found_like_few() -> None:
    many = rules(*(f"number {number} of many {{ip}}" for number in range(VECTOR_TEXTS_MAX * 3)))
    block = b"".join(b"number %d of many x\n" % number for number in range(VECTOR_TEXTS_MAX * 3))
    for prefilter in (Prefilter(many), Prefilter(many[:10])):
        found = prefilter.candidates(block)
        assert sum(len(candidates.lines) for candidates in found) == len(prefilter.literals)
        assert all(candidates.likely[0].line.encode().startswith(candidates.lines[0][:-1]) for candidates in found)


def test_the_longest_literal_comes_first() -> None:
    prefilter = Prefilter(rules("Failed {ip}", "Failed badly {ip}"))
    (candidates,) = prefilter.candidates(b"x Failed badly y")
    assert [rule.line for rule in candidates.rules] == ["Failed badly {ip}", "Failed {ip}"]


def test_a_line_that_is_too_long_is_nobody_s_whatever_else_is_in_it() -> None:
    short = b"gggg"
    given = Prefilter(RULES, line_bytes_max=8).candidates(b"abcd abcd gggg\n" + short + b"\nabcdef gggg")
    assert [(one.lines, one.starts) for one in given] == [([short], [15])]


def test_groups_of_literals_are_forgotten_when_they_are_too_many() -> None:
    words = [f"w{number:03}" for number in range(60)]
    prefilter = Prefilter(rules(*(f"{word}{{ip}}" for word in words)))
    for first in words:
        pairs = "\n".join(f"{first} {second}" for second in words)
        assert sum(len(one.lines) for one in prefilter.candidates(pairs.encode())) == len(words)
    assert len(prefilter._groups.sets) <= KNOWN_MAX + 2 * len(words)


def test_the_order_of_literals_in_a_line_does_not_matter() -> None:
    groups = Groups(3)
    assert groups[groups[0, 2], 1] == groups[groups[1, 0], 2]
    assert groups[0, 0] == 0
