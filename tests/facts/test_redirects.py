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


def test_a_line_without_effect_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "redirect.list"
    path.write_text("*|666|*|25|tcp\n*|666|*|25|tcp\n*|666|*|26|tcp\n*|666|*|26|udp\n")
    with pytest.raises(ProblemsError) as raised:
        read_redirects(path)
    (problem,) = raised.value.problems
    assert (problem.line, problem.message) == (3, "line 1 leads the same elsewhere already, so this one has no effect")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("*|666|*|25|tcp", "192.0.2.4|666|*|26|tcp"),
        ("*|666|*|25|tcp", "2001:db8::4|666|*|26|tcp"),
        ("192.0.2.4|*|10.0.0.1|*|tcp", "192.0.2.4|80|10.0.0.2|80|tcp"),
    ],
)
def test_a_narrower_line_stands_before_a_wider_one(tmp_path: Path, first: str, second: str) -> None:
    path = tmp_path / "redirect.list"
    path.write_text(f"{second}\n{first}\n")
    assert len(read_redirects(path)) == 2
    path.write_text(f"{first}\n{second}\n")
    with pytest.raises(ProblemsError, match=r"redirect.list:2: line 1 leads the same"):
        read_redirects(path)


@pytest.mark.parametrize(("version", "setting"), [(4, "net.ipv4.ip_forward"), (6, "net.ipv6.conf.all.forwarding")])
def test_another_machine_is_reached_only_by_a_host_that_forwards(tmp_path: Path, version: int, setting: str) -> None:
    path = tmp_path / "redirect.list"
    path.write_text("192.0.2.4|80|203.0.113.4|80|tcp\n2001:db8::4|80|2001:db8:1::4|80|tcp\n*|666|*|25|tcp\n")
    assert len(read_redirects(path)) == 3
    with pytest.raises(ProblemsError) as raised:
        read_redirects(path, {4, 6} - {version})
    (problem,) = raised.value.problems
    assert problem.line == (1 if version == 4 else 2)
    assert f"does not forward IPv{version}: set {setting} = 1" in problem.message
