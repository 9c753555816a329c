"""policy.assert: every line that is right is read, every other one is named with what was expected."""

from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.config.assertions import (
    ASSERTIONS_MAX,
    FILE_BYTES_MAX,
    Assertion,
    InvalidAssertionError,
    parse_assertion,
    read_assertions,
)

FIVE, SIX = ip_address("203.0.113.5"), ip_address("2001:db8::5")
RIGHT = {
    "anyone reaches 443": ("anyone", True, "tcp", 443, None),
    "Anyone  Reaches 53/UDP": ("anyone", True, "udp", 53, None),
    "nobody reaches 3306": ("anyone", False, "tcp", 3306, None),
    "anyone does not reach 3306": ("anyone", False, "tcp", 3306, None),
    "anyone reaches ping": ("anyone", True, "icmp", 0, None),
    "198.51.100.7 reaches 22/tcp": (ip_network("198.51.100.7/32"), True, "tcp", 22, None),
    "198.51.100.0/24 does not reach 25": (ip_network("198.51.100.0/24"), False, "tcp", 25, None),
    "2001:db8::/64 reaches 22": (ip_network("2001:db8::/64"), True, "tcp", 22, None),
    "this host reaches 203.0.113.5:25": ("this host", True, "tcp", 25, FIVE),
    "this host does not reach [2001:db8::5]:53/udp": ("this host", False, "udp", 53, SIX),
    "this host reaches 203.0.113.5:ping": ("this host", True, "icmp", 0, FIVE),
}
WRONG = {
    "anyone reachs 443": "no assertion",
    "anyone reaches": "no assertion",
    "anyone reaches 443 80": "no assertion",
    "everyone reaches 443": "not an IPv4 or IPv6 address",
    "198.51.100.1/24 reaches 22": "198.51.100.0/24",
    "anyone reaches 0": "1 to 65535",
    "anyone reaches 99999": "1 to 65535",
    "anyone reaches https": "22/tcp",
    "anyone reaches 22/sctp": "22/tcp",
    "nobody does not reach 22": "anyone reaches",
    "this host reaches 25": "this host reaches 203.0.113.5:25",
    "this host reaches 2001:db8::5:25": "this host reaches 203.0.113.5:25",
    "this host reaches [nowhere]:25": "not an IPv4 or IPv6 address",
}


@pytest.mark.parametrize("line", RIGHT)
def test_lines_that_are_right(line: str) -> None:
    found = parse_assertion(line, "policy.assert", 3)
    assert (found.who, found.reaches, found.protocol, found.port, found.destination) == RIGHT[line]
    assert str(found) == f"policy.assert:3: {line}"


@pytest.mark.parametrize("line", WRONG)
def test_lines_that_are_none_say_what_was_expected(line: str) -> None:
    with pytest.raises(InvalidAssertionError) as caught:
        parse_assertion(line)
    assert WRONG[line] in str(caught.value)
    assert "expected" in str(caught.value)


@given(some.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(line: str) -> None:
    with suppress(InvalidAssertionError):
        assert isinstance(parse_assertion(line), Assertion)


def test_a_file_gives_what_is_right_and_names_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "policy.assert"
    path.write_text("# wanted\n\nanyone reaches 443  # the site\nwhat?\nnobody reaches 3306\r\nanyone reaches 0\n")
    found = read_assertions(path)
    assert [(one.line, one.text) for one in found.entries] == [(3, "anyone reaches 443"), (5, "nobody reaches 3306")]
    assert [(one.file, one.line) for one in found.problems] == [(str(path), 4), (str(path), 6)]


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    found = read_assertions(tmp_path / "policy.assert")
    assert (found.entries, found.problems) == ([], [])


@pytest.mark.parametrize("content", [b"\xff\xfe\xfd", b"#" * (FILE_BYTES_MAX + 1)])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.assert"
    path.write_bytes(content)
    assert [one.line for one in read_assertions(path).problems] == [1]
    path.unlink()
    path.mkdir()
    assert [one.line for one in read_assertions(path).problems] == [1]


def test_there_is_an_end_to_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.assert"
    path.write_text("anyone reaches 443\n" * (ASSERTIONS_MAX + 5))
    found = read_assertions(path)
    assert len(found.entries) == ASSERTIONS_MAX
    assert [one.line for one in found.problems] == [ASSERTIONS_MAX + 1]
