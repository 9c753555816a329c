"""The prefilter: a line that a rule could match is always among its candidates, whatever else is in the line."""

from hypothesis import given
from hypothesis import strategies as st
from tests.scan.cards import card

from durward.scan.envelope import Programs
from durward.scan.matcher import VECTOR_LITERALS_MAX, Prefilter
from durward.scan.rule import Rule, rule_of

WORDS = ("abcd", "bcde", "cdef", "abcdef", "defg", "efgabcd", "gggg", "ggggg")


def rules(*lines: str) -> list[Rule]:
    made = card(*lines)
    return [rule_of(made, made.patterns[0], line, Programs(["doord"]), "syslog") for line in lines]


RULES = rules(*(f"{word}{{ip}}" for word in WORDS))


@given(st.lists(st.text("abcdefg ", max_size=12), max_size=6).map("\n".join))
def test_every_rule_with_a_literal_in_the_line_is_tried(text: str) -> None:
    block = text.encode()
    tried: dict[int, set[str]] = {}
    for candidates in Prefilter(RULES).candidates(block):
        for line, start in zip(candidates.lines, candidates.starts, strict=True):
            assert block[start:].startswith(line)
            assert start not in tried
            tried[start] = {rule.line for rule in candidates.rules_for(start)}
    start = 0
    for line in block.split(b"\n"):
        wanted = {f"{word}{{ip}}" for word in WORDS if word.encode() in line}
        assert wanted <= tried.get(start, set())
        assert (start in tried) == bool(wanted)
        start += len(line) + 1


def test_many_literals_are_found_like_few() -> None:
    many = rules(*(f"number {number} of many {{ip}}" for number in range(VECTOR_LITERALS_MAX * 3)))
    block = b"".join(b"number %d of many x\n" % number for number in range(VECTOR_LITERALS_MAX * 3))
    for prefilter in (Prefilter(many), Prefilter(many[:10])):
        found = prefilter.candidates(block)
        assert sum(len(candidates.lines) for candidates in found) == len(prefilter.literals)
        assert all(candidates.likely[0].line.encode().startswith(candidates.lines[0][:-1]) for candidates in found)


def test_the_longest_literal_comes_first() -> None:
    prefilter = Prefilter(rules("Failed {ip}", "Failed badly {ip}"))
    (candidates,) = prefilter.candidates(b"x Failed badly y")
    assert [rule.line for rule in candidates.rules_for(0)] == ["Failed badly {ip}", "Failed {ip}"]
