"""List files in CSF's grammar: every line gives an entry, nothing, or a problem with its place, and nothing else."""

import os
from ipaddress import IPv6Network, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config import lists
from durward.config.lists import FILE_BYTES_MAX, ListEntry, parse_entries, read_list, scan_list
from durward.model import EVERYTHING, Subject
from durward.model.address import text_of

FOUR = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))
SIX = st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128))


def written(directory: Path, text: str | bytes, name: str = "deny.list") -> Path:
    path = directory / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def networks(path: Path) -> list[str]:
    return [entry.network for entry in read_list(path).entries]


def mapped(network: IPv6Network) -> bool:
    return network.network_address.ipv4_mapped is not None


def messages(path: Path) -> list[str]:
    return [str(problem).replace(f"{path.parent}/", "") for problem in read_list(path).problems]


LIST = """\
# a comment, then nothing

192.0.2.4
  198.51.100.0/24 # office - Thu Jan  2 10:00:00 2025
2001:DB8:0::1 # Do Not Delete: the boss
203.0.113.77/24 host bits are masked, and this is a comment too
192.0.2.5#close
192.0.2.6 # Include /etc/passwd is a comment here
tcp|in|d=22|s=192.0.2.7 # by ssh only
tcp|out|d=25||u=99
   # indented comment
"""


def test_a_list_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, LIST)
    found = read_list(path)
    assert found.problems == []
    assert [(entry.line, entry.network, entry.comment, entry.keep) for entry in found.entries] == [
        (3, "192.0.2.4", "", False),
        (4, "198.51.100.0/24", "office - Thu Jan  2 10:00:00 2025", False),
        (5, "2001:db8::1", "Do Not Delete: the boss", True),
        (6, "203.0.113.0/24", "host bits are masked, and this is a comment too", False),
        (7, "192.0.2.5", "close", False),
        (8, "192.0.2.6", "Include /etc/passwd is a comment here", False),
        (9, "192.0.2.7", "by ssh only", False),
        (10, "", "", False),
    ]
    assert {entry.file for entry in found.entries} == {str(path)}


def test_subject_and_scope(tmp_path: Path) -> None:
    plain, *_, by_port, by_user = read_list(written(tmp_path, LIST)).entries
    assert (plain.subject, plain.scope) == (Subject("address", "192.0.2.4"), EVERYTHING)
    assert (str(by_port.subject and by_port.subject.value), str(by_port.scope)) == ("192.0.2.7", "in:22")
    assert (by_user.subject, by_user.scope) == (None, None)
    assert by_user.filter is not None
    assert by_user.filter.user == "99"


def test_an_interval_is_the_networks_in_it(tmp_path: Path) -> None:
    path = written(
        tmp_path, "192.0.2.10-192.0.2.12 # three\n2001:db8::2-2001:db8::3\ntcp|in|d=22|s=192.0.2.2-192.0.2.4\n"
    )
    assert [(entry.network, entry.comment, entry.line) for entry in read_list(path).entries] == [
        ("192.0.2.10/31", "three", 1),
        ("192.0.2.12", "three", 1),
        ("2001:db8::2/127", "", 2),
        ("192.0.2.2/31", "", 3),
        ("192.0.2.4", "", 3),
    ]
    assert [str(entry.scope) for entry in read_list(path).entries[3:]] == ["in:22", "in:22"]


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "192.0.2.1\nexample.com # no names\n192.0.2.300\n192.0.2.2-9\ntcp|in|d=22\n192.0.2.2\n")
    assert networks(path) == ["192.0.2.1", "192.0.2.2"]
    found = messages(path)
    assert [message.split(": ")[0] for message in found] == [f"deny.list:{line}" for line in (2, 3, 4, 5)]
    assert all("expected" in message for message in found)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\v", "\x85", "\u2028", "\u2029"])
def test_every_line_end_of_csf(tmp_path: Path, end: str) -> None:
    path = written(tmp_path, end.join(["192.0.2.1 # one", "# two", "192.0.2.3", "192.0.2.4"]))
    assert networks(path) == ["192.0.2.1", "192.0.2.3", "192.0.2.4"]


def test_a_byte_order_mark_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf192.0.2.1 # \xff\xfe\n\xff\n192.0.2.2\x00\n192.0.2.3")
    assert networks(path) == ["192.0.2.1", "192.0.2.3"]
    assert [problem.line for problem in read_list(path).problems] == [2, 3]
    str(read_list(path)).encode()


def test_a_missing_list_is_empty_and_an_unreadable_one_is_a_problem(tmp_path: Path) -> None:
    assert read_list(tmp_path / "missing") == lists.ListFile()
    (tmp_path / "deny.list").mkdir()
    assert messages(tmp_path / "deny.list") == [
        f"deny.list:1: {tmp_path}/deny.list: is no regular file".replace(f"{tmp_path}/", "")
    ]
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file" in messages(tmp_path / "pipe")[0]


def test_includes_come_where_they_stand(tmp_path: Path) -> None:
    inner = written(tmp_path, "192.0.2.2\nbad\n", "inner.list")
    path = written(tmp_path, f"192.0.2.1\nInclude {inner}   # with a comment\n192.0.2.3\n")
    assert [(entry.network, Path(entry.file).name, entry.line) for entry in read_list(path).entries] == [
        ("192.0.2.1", "deny.list", 1),
        ("192.0.2.2", "inner.list", 1),
        ("192.0.2.3", "deny.list", 3),
    ]
    assert messages(path)[0].startswith("inner.list:2: ")


def test_an_include_that_cannot_be_read_is_a_problem_at_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, f"\nInclude {tmp_path}/missing\nInclude other.list\nInclude\n192.0.2.1\n")
    assert messages(path) == [
        "deny.list:2: Include: missing: No such file or directory",
        "deny.list:3: Include: 'other.list' is no full path; Include /full/path was expected",
        "deny.list:4: Include: '' is no full path; Include /full/path was expected",
    ]
    assert networks(path) == ["192.0.2.1"]


def test_loops_end(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    written(tmp_path, f"192.0.2.1\nInclude {two}\n", "one")
    written(tmp_path, f"192.0.2.2\nInclude {one}\nInclude {two}\n", "two")
    assert networks(one) == ["192.0.2.1", "192.0.2.2"]
    assert messages(one) == [
        "two:2: Include: one includes itself; this time it is left out",
        "two:3: Include: two includes itself; this time it is left out",
    ]


def test_a_file_that_is_included_twice_is_read_once(tmp_path: Path) -> None:
    inner = written(tmp_path, "192.0.2.2\n", "inner")
    path = written(tmp_path, f"Include {inner}\nInclude {inner}\n")
    assert networks(path) == ["192.0.2.2"]
    assert messages(path) == []


def test_a_chain_of_includes_ends(tmp_path: Path) -> None:
    for number in range(12):
        written(tmp_path, f"192.0.2.{number}\nInclude {tmp_path}/{number + 1}\n", str(number))
    assert len(networks(tmp_path / "0")) == lists.INCLUDE_DEPTH_MAX + 1
    assert "include each other" in messages(tmp_path / "0")[0]


def test_the_number_of_includes_is_bounded(tmp_path: Path) -> None:
    count = lists.INCLUDES_MAX + 5
    for number in range(count):
        written(tmp_path, "", f"inner{number}")
    path = written(tmp_path, "".join(f"Include {tmp_path}/inner{number}\n" for number in range(count)))
    assert len(messages(path)) == 5
    assert "more than 256 files are included" in messages(path)[0]


def test_bounds_of_entries_problems_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "ENTRIES_MAX", 3)
    monkeypatch.setattr(lists, "PROBLEMS_MAX", 2)
    path = written(tmp_path, "192.0.2.1\n" * 5)
    assert len(networks(path)) == 3
    assert "more than 3 entries" in messages(path)[0]
    assert len(messages(written(tmp_path, "x\n" * 3))) == 3
    long = written(tmp_path, "192.0.2.1 # " + "x" * 5000 + "\n192.0.2.2")
    assert networks(long) == ["192.0.2.2"]
    assert "longer than 4096" in messages(long)[0]


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, "192.0.2.1\n")
    os.truncate(path, FILE_BYTES_MAX + 1)
    assert networks(path) == []
    assert "is larger than" in messages(path)[0]


@given(st.binary(max_size=300))
def test_any_bytes_give_entries_or_problems(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), raw, "any.list")
    for item in scan_list(path):
        assert 1 <= item.line <= raw.count(b"\n") + raw.count(b"\r") + 1
        str(item).encode()


@given(st.text("0123456789abcdf.:/|=_,-*# \tudsgtinpco", max_size=80))
def test_any_line_gives_a_canonical_entry_or_is_refused(text: str) -> None:
    try:
        entries = parse_entries(text, "x", 1)
    except lists.InvalidLineError:
        return
    for entry in entries:
        assert entry.network or (entry.filter and (entry.filter.user or entry.filter.group))
        assert not entry.network or (entry.subject and entry.subject.value == entry.network)


@given(st.lists(st.one_of(FOUR, SIX), max_size=20))
def test_networks_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[int, int]]
) -> None:
    given_networks = [ip_network((number, length), strict=False) for number, length in numbers]
    plain = [text_of(network) for network in given_networks if network.version == 4 or not mapped(network)]
    path = written(tmp_path_factory.getbasetemp(), "".join(f"{text} # x\n" for text in plain), "round.list")
    assert networks(path) == plain


def test_the_quick_way_gives_what_the_careful_way_gives(tmp_path: Path) -> None:
    for text in (
        "192.0.2.1",
        "0.0.0.0",
        "255.255.255.255",
        "192.0.2.01",
        "192.0.2.256",
        "192.0.2.1.",
        "192.0.2.\N{ARABIC-INDIC DIGIT ONE}",
    ):
        try:
            careful = parse_entries(text, "x", 1)
        except lists.InvalidLineError:
            careful = []
        quick = read_list(written(tmp_path, text)).entries
        assert [entry.network for entry in quick] == [entry.network for entry in careful]


def test_a_long_list_is_read_whole(tmp_path: Path) -> None:
    addresses = [f"10.0.{number >> 8}.{number & 255}" for number in range(65536)]
    entries = read_list(written(tmp_path, "\n".join(addresses))).entries
    assert [entry.network for entry in entries] == addresses
    assert entries[-1] == ListEntry("10.0.255.255", None, "", False, str(tmp_path / "deny.list"), 65536)


def test_of_a_long_list_only_the_beginning_and_filters_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "192.0.2.1\n192.0.2.2\n192.0.2.3\ntcp|in|d=22|s=192.0.2.4\n192.0.2.5\n")
    found = read_list(path, 2)
    assert [(entry.network, entry.line) for entry in found.entries] == [
        ("192.0.2.1", 1),
        ("192.0.2.2", 2),
        ("192.0.2.4", 4),
    ]
    assert (found.further, found.is_whole) == (2, True)


def test_more_filters_than_packets_should_pay_for_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FILTERS_MAX", 1)
    path = written(tmp_path, "192.0.2.1\n" + "tcp|in|d=22|s=192.0.2.4\n" * 3)
    found = read_list(path, 1)
    assert (len(found.entries), [one.line for one in found.problems]) == (2, [3, 4])


def test_what_cannot_be_read_makes_a_list_not_whole(tmp_path: Path) -> None:
    path = written(tmp_path, f"192.0.2.1\nInclude {tmp_path}/gone.list\nnonsense\n")
    assert not read_list(path).is_whole
    assert read_list(written(tmp_path, "nonsense\n")).is_whole
