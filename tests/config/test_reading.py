"""Mistakes in the settings: all of them at once, each with file, line, key and the nearest right thing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.cards import SERVICES, detectors

from durward.catalog.document import Problem, ProblemsError, parse_document
from durward.config.reading import FILES_MAX, Written, read_files, read_written
from durward.config.schema import schema_of
from durward.config.settings import load_settings

WRONG = """\
LF_SSHD = 5
[firewal]
enabled = true

[firewall]
tcp_inn = "22"
udp_in = "53,99999"
interfaces = { eth1 = "trustd" }
confirm_within = 60

[detectors.brute_force]
blockfor = "1h"
mode = "enforced"

[detectors.brute_force.services.sshdd]
count = 3

[ipv6]
block_prefix = 32
"""


def problems_of(etc: Path) -> list[Problem]:
    with pytest.raises(ProblemsError) as error:
        load_settings(etc, SERVICES, detectors())
    return error.value.problems


def test_all_mistakes_are_found_with_line_and_nearest(tmp_path: Path) -> None:
    (tmp_path / "durward.toml").write_text(WRONG)
    problems = problems_of(tmp_path)
    assert {problem.file for problem in problems} == {str(tmp_path / "durward.toml")}
    assert [(problem.line, problem.key, problem.nearest) for problem in problems] == [
        (1, "LF_SSHD", "detectors.brute_force.services.sshd.count"),
        (2, "firewal", "firewall"),
        (6, "firewall.tcp_inn", "firewall.tcp_in"),
        (7, "firewall.udp_in", ""),
        (8, "firewall.interfaces.eth1", "trusted"),
        (9, "firewall.confirm_within", ""),
        (12, "detectors.brute_force.blockfor", "detectors.brute_force.block_for"),
        (13, "detectors.brute_force.mode", "enforce"),
        (15, "detectors.brute_force.services.sshdd", "detectors.brute_force.services.sshd"),
        (19, "ipv6.block_prefix", ""),
    ]
    expected = {problem.line: problem.message for problem in problems}
    assert "1 to 65535" in expected[7]
    assert '"public", "trusted" or "ignored"' in expected[8]
    assert "a duration like" in expected[9]
    assert "from 48 to 128" in expected[19]


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("TCP_IN = '22'", "firewall.tcp_in"),
        ("tcp_in = '22'", "firewall.tcp_in"),
        ("block_prefix = 64", "ipv6.block_prefix"),
        ("LF_SSDH = 5", "detectors.brute_force.services.sshd.count"),
        ("[services.sshd]\nfile = []", "services.sshd.files"),
        ("[services.ssh]\nenabled = false", "services.sshd"),
        ("[firewall]\nLF_ALERT_TO = 'root'", "alerts.mail.to"),
        ("[alerts.mails]", "alerts.mail"),
        ("qwertzuiop = 1", ""),
    ],
)
def test_what_was_meant_is_offered(tmp_path: Path, line: str, nearest: str) -> None:
    (tmp_path / "durward.toml").write_text(line)
    (problem,) = problems_of(tmp_path)
    assert problem.nearest == nearest


def test_a_value_where_a_table_belongs(tmp_path: Path) -> None:
    (tmp_path / "durward.toml").write_text("firewall = 5\n[[services]]\n")
    assert [problem.message for problem in problems_of(tmp_path)] == [
        "a table was expected, written [firewall]",
        "a table was expected, written [services]",
    ]


def test_a_broken_file_does_not_hide_the_mistakes_of_others(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "durward.toml").write_text("a = \n")
    (tmp_path / "conf.d" / "a.toml").write_bytes(b"\n\xff = 1")
    (tmp_path / "conf.d" / "b.toml").write_text("[ipv6]\nprefix = 1")
    (tmp_path / "conf.d" / "ignored.txt").write_text("x = 1")
    assert [(Path(problem.file).name, problem.line) for problem in problems_of(tmp_path)] == [
        ("durward.toml", 1),
        ("a.toml", 2),
        ("b.toml", 2),
    ]


def test_settings_that_cannot_be_read_are_a_problem_not_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "durward.toml").symlink_to(tmp_path / "nowhere")
    assert [problem.message for problem in problems_of(tmp_path)] == ["No such file or directory"]


def test_too_many_files_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for number in range(FILES_MAX + 1):
        (tmp_path / "conf.d" / f"{number}.toml").touch()
    assert f"more than {FILES_MAX} files" in str(read_files(tmp_path, schema_of(SERVICES, [])).problems[0])


TOML = st.text("abcdef[]{}=,.\"'\n 019-_#", max_size=200)


@given(TOML)
def test_any_text_gives_values_or_problems(text: str) -> None:
    written = Written()
    try:
        document = parse_document(Path("durward.toml"), text.encode())
    except ProblemsError:
        return
    read_written(document, schema_of(SERVICES, []), written)
    assert bool(written.problems) or not document.data or all(path[0] in document.data for path in written.values)
