"""The redirect list, in the grammar of csf.redirect and for both versions of IP."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.facts.redirects import parse_redirect, read_redirects
from durward.ruleset.policy import Redirect


@pytest.mark.parametrize(
    ("text", "redirect"),
    [
        ("*|666|*|25|tcp", Redirect("tcp", None, 666, None, 25)),
        ("192.0.2.4|666|*|25|UDP", Redirect("udp", "192.0.2.4", 666, None, 25)),
        ("192.0.2.4|666|10.0.0.1|25|tcp", Redirect("tcp", "192.0.2.4", 666, "10.0.0.1", 25)),
        ("192.0.2.4|*|10.0.0.1|*|tcp", Redirect("tcp", "192.0.2.4", None, "10.0.0.1", None)),
        ("2001:db8::1 | 80 | 2001:db8:0::2 | 8080 | tcp", Redirect("tcp", "2001:db8::1", 80, "2001:db8::2", 8080)),
    ],
)
def test_right_lines(text: str, redirect: Redirect) -> None:
    assert parse_redirect(text) == redirect


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no redirect"),
        ("*|666|*|25", "no redirect"),
        ("*|666|*|25|icmp", "no redirect"),
        ("*|*|*|*|tcp", "nowhere"),
        ("*|666|*|*|tcp", "one port"),
        ("*|0|*|25|tcp", "no port"),
        ("*|99999|*|25|tcp", "no port"),
        ("*|666|10.0.0.1|25|tcp", "another host"),
        ("192.0.2.4|666|2001:db8::1|25|tcp", "version of IP"),
        ("192.0.2.300|666|*|25|tcp", "not an IPv4"),
    ],
)
def test_wrong_lines(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_redirect(text)


def test_a_file_names_each_wrong_line(tmp_path: Path) -> None:
    path = tmp_path / "redirect.list"
    assert read_redirects(path) == ()
    path.write_text("# mine\n\n*|666|*|25|tcp # mail\n")
    assert read_redirects(path) == (Redirect("tcp", None, 666, None, 25),)
    path.write_text("*|666|*|25|tcp\n*|x|*|25|tcp\n\n*|1|*|2\n")
    with pytest.raises(ProblemsError) as raised:
        read_redirects(path)
    assert [problem.line for problem in raised.value.problems] == [2, 4]
    with pytest.raises(ProblemsError, match="director"):
        read_redirects(tmp_path)
