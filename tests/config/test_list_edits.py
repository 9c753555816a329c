"""Edits of lists: only the meant lines change, and the file is the old one or the new one at every moment."""

import os
import stat
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.document import ProblemsError
from durward.config.list_edits import Removal, append_entry, clear_entries, remove_entries
from durward.config.lists import read_list
from durward.model import Subject

ADDRESS = Subject.parse("192.0.2.4")
DATE = "Thu Jan  2 10:00:00 2025"


def test_an_entry_is_appended_once(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    assert append_entry(path, ADDRESS, "tries too often", DATE)
    assert not append_entry(path, ADDRESS, "again", DATE)
    assert path.read_text() == "192.0.2.4 # tries too often - Thu Jan 2 10:00:00 2025\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_without_an_end_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    path.write_text("192.0.2.1 # last")
    append_entry(path, ADDRESS, "x", "y")
    assert path.read_text() == "192.0.2.1 # last\n192.0.2.4 # x - y\n"


@given(st.text(max_size=700))
def test_no_comment_makes_a_second_line(tmp_path_factory: pytest.TempPathFactory, comment: str) -> None:
    path = tmp_path_factory.getbasetemp() / "comment.list"
    path.unlink(missing_ok=True)
    append_entry(path, ADDRESS, comment, DATE)
    found = read_list(path)
    assert ([entry.network for entry in found.entries], found.problems) == (["192.0.2.4"], [])


def test_only_the_meant_lines_go(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    lines = [
        b"# 192.0.2.4 in a comment\r\n",
        b"192.0.2.4\n",
        b"192.0.2.40\n",
        b"\xff\xfe no text\n",
        b"  192.0.2.4/32 # the same\r\n",
        b"192.0.2.0/24\n",
        b"192.0.2.4 # do not delete\n",
        b"tcp|in|d=22|s=192.0.2.4\n",
        b"Include /etc/other.list",
    ]
    path.write_bytes(b"".join(lines))
    assert remove_entries(path, ADDRESS) == (2, 1, 0)
    assert path.read_bytes() == b"".join(lines[index] for index in (0, 2, 3, 5, 6, 7, 8))
    assert remove_entries(path, ADDRESS, filters=True) == (1, 1, 0)
    assert remove_entries(path, ADDRESS) == (0, 1, 0)


def test_mode_owner_and_links_stay(tmp_path: Path) -> None:
    path = tmp_path / "real.list"
    path.write_text("192.0.2.4\n192.0.2.5\n")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12346)
    before = path.stat()
    link = tmp_path / "deny.list"
    link.symlink_to(path)
    assert remove_entries(link, ADDRESS).removed == 1
    after = path.stat()
    assert link.is_symlink()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino, "replaced, not written over"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["deny.list", "real.list"]


def test_nothing_to_do_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    assert remove_entries(path, ADDRESS) == (0, 0, 0)
    assert not path.exists()
    path.write_text("192.0.2.5\n")
    before = path.stat()
    remove_entries(path, ADDRESS)
    assert path.stat().st_ino == before.st_ino


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deny.list"
    path.write_text("192.0.2.4\n")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProblemsError, match="No space left"):
        remove_entries(path, ADDRESS)
    assert path.read_text() == "192.0.2.4\n"
    assert [file.name for file in tmp_path.iterdir()] == ["deny.list"]


def test_a_missing_directory_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="No such file"):
        append_entry(tmp_path / "missing" / "deny.list", ADDRESS, "x", DATE)


def append_many(path: Path, first: int) -> None:
    for number in range(first, first + 20):
        append_entry(path, Subject.parse(f"192.0.2.{number}"), "x", DATE)


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    context = get_context("spawn")
    writers = [context.Process(target=append_many, args=(path, first)) for first in (1, 101)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(read_list(path).entries) == 40


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 5))
def test_what_was_removed_is_gone_and_the_rest_is_not(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], gone: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "some.list"
    path.write_text("".join(f"192.0.2.{number}\n" for number in numbers))
    assert remove_entries(path, Subject.parse(f"192.0.2.{gone}")).removed == numbers.count(gone)
    assert path.read_text() == "".join(f"192.0.2.{number}\n" for number in numbers if number != gone)


def test_all_but_what_must_not_be_deleted_is_cleared(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    path.write_text(
        "# head\n192.0.2.1\n192.0.2.2 # Do Not Delete\n192.0.2.4-192.0.2.6 # do not delete\n192.0.2.10-192.0.2.12\n"
        "tcp|in|d=22|s=192.0.2.3\nicmp|in|d=ping|s=192.0.2.3\nInclude /etc/durward/more.list\nno entry\n"
    )
    assert clear_entries(path) == Removal(4, 2, 1)
    assert path.read_text() == (
        "# head\n192.0.2.2 # Do Not Delete\n192.0.2.4-192.0.2.6 # do not delete\n"
        "Include /etc/durward/more.list\nno entry\n"
    )


def test_a_part_of_an_interval_is_no_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "deny.list"
    path.write_text("192.0.2.10-192.0.2.12\nicmp|in|d=ping|s=192.0.2.12\n")
    assert remove_entries(path, Subject.parse("192.0.2.12"), filters=True) == Removal(1, 0, 1)
    assert path.read_text() == "192.0.2.10-192.0.2.12\n"
