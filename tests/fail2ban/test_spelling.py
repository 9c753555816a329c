"""How the parts of an expression are written in our language: narrower where two repeats meet, whole at both ends."""

import pytest

from durward.fail2ban.ends import framed
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.parts import holds_wide, is_special, is_uncertain, is_wide
from durward.fail2ban.regular import Mark, Parts, read_expression
from durward.fail2ban.spelling import all_written, eased, named, outer_blanks


def parts_of(expression: str) -> Parts:
    return read_expression(expression).alternatives[0]


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (r"a.*\s+b", r"a{text}\s{1,16}b"),
        (r"a\s*.*b", r"a\s{0,16}{text}b"),
        (r"a\S+(?: \d+)?\s*b", r"a\S+(?: \d+)?\s{0,16}b"),
        (r"a<HOST>\s*b", r"a{ip}\s{0,16}b"),
        (r"a\.\(x|y{2}", r"a\.\(x"),
        (r"a[^\]\[]x{2,3}y{4,}", r"a[^\][]x{2,3}y{4,}"),
        (r"say {x} \x41\-\t", "say \\{x\\} A-\t"),
    ],
)
def test_written(expression: str, written: str) -> None:
    assert all_written(eased(parts_of(expression))[0]) == written


def test_blanks_at_the_ends_survive_a_card() -> None:
    assert outer_blanks(" a b\t") == "[ ]a b[\t]"
    assert outer_blanks("a") == "a"


def test_a_mark_cannot_be_written() -> None:
    with pytest.raises(Fail2banError):
        all_written((Mark("end"),))


def test_what_parts_can_take() -> None:
    [wide, narrow, address, option] = parts_of(r".*x{3}<HOST>(?:y.*)?")[:2] + parts_of("<HOST>(?:y.*)?")
    assert is_wide(wide)
    assert not is_wide(narrow)
    assert is_special(address)
    assert is_uncertain(option)
    assert holds_wide(option)
    assert not is_uncertain(parts_of("(?:y)?")[0])


@pytest.mark.parametrize(
    ("expression", "envelopes", "written"),
    [
        (r"^<__prefix_line>shut$", ("syslog",), "shut"),
        (r"^\s*shut", ("stamped",), "shut{text}"),
        (r"^\[\] shut$", ("stamped",), "shut"),
        (r"^shut\s*$", ("plain",), "shut"),
        (r"\s*shut\S+", ("stamped", "plain"), r"{text}shut\S{text}"),
        (r"^shut\b", ("plain",), None),
    ],
)
def test_framed(expression: str, envelopes: tuple[str, ...], written: str | None) -> None:
    found, parts, is_syslog = framed(parts_of(expression))
    assert found == envelopes
    assert is_syslog == ("syslog" in envelopes)
    assert written is None or all_written(named(parts)) == written
