"""Files of networks: read a line at a time, only where root alone writes; a change is noticed."""

import os
from pathlib import Path

import pytest

from durward.privileged import lists
from durward.privileged.failure import OpeningError
from durward.privileged.lists import ListFiles
from durward.ruleset.policy import DENY_LIST


@pytest.fixture
def files(tmp_path: Path) -> ListFiles:
    (tmp_path / "lists").mkdir(mode=0o750)
    return ListFiles(tmp_path / "lists", tmp_path / DENY_LIST)


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / "lists" / name
    path.write_text(text)
    return path


def test_lines_come_without_comments(files: ListFiles, tmp_path: Path) -> None:
    write(tmp_path, "country-nl.txt", "# so\n 192.0.2.0/24 \r\n\n; so\nnonsense\n2001:db8::/32")
    found = [text for text in files.texts(["country-nl.txt"]) if text]
    assert found == ["192.0.2.0/24", "nonsense", "2001:db8::/32"]


def test_a_line_without_an_end_takes_no_memory(files: ListFiles, tmp_path: Path) -> None:
    write(tmp_path, "country-nl.txt", "1" * 1_000_000)
    assert max(map(len, files.texts(["country-nl.txt"]))) <= lists.LINE_CHARACTERS_MAX


def test_patterns_take_what_is_there(files: ListFiles, tmp_path: Path) -> None:
    assert list(files.texts(["feed-*.txt"])) == []
    for name in ("feed-b.txt", "feed-a.txt", "feed-c.txt.new"):
        write(tmp_path, name, name)
    assert list(files.texts(["feed-*.txt"])) == ["feed-a.txt", "feed-b.txt"]


def test_a_change_is_noticed(files: ListFiles, tmp_path: Path) -> None:
    path = write(tmp_path, "feed-a.txt", "192.0.2.1\n")
    names = ("feed-*.txt", DENY_LIST)
    signatures = [files.signature(names)]
    assert files.signature(names) == signatures[0]
    os.utime(path, ns=(1, 1))
    signatures.append(files.signature(names))
    write(tmp_path, "feed-b.txt", "")
    signatures.append(files.signature(names))
    (tmp_path / DENY_LIST).write_text("192.0.2.1\n")
    signatures.append(files.signature(names))
    assert len(set(signatures)) == len(signatures)


def refusal(files: ListFiles, name: str = "country-nl.txt") -> str:
    with pytest.raises(OpeningError) as raised:
        list(files.texts([name]))
    with pytest.raises(OpeningError):
        files.signature([name])
    return str(raised.value)


def test_what_root_did_not_write_alone_is_refused(files: ListFiles, tmp_path: Path) -> None:
    assert "is not there" in refusal(files)
    path = write(tmp_path, "country-nl.txt", "192.0.2.1\n")
    path.chmod(0o620)
    assert "root alone" in refusal(files)
    path.unlink()
    path.symlink_to(tmp_path / DENY_LIST)
    assert "country-nl.txt" in refusal(files)
    path.unlink()
    os.mkfifo(path)
    assert "root alone" in refusal(files)
    path.unlink()
    write(tmp_path, "country-nl.txt", "192.0.2.1\n")
    (tmp_path / "lists").chmod(0o1770)
    assert "root alone" in refusal(files)


def test_there_are_bounds(files: ListFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LIST_BYTES_MAX", 5)
    write(tmp_path, "country-nl.txt", "192.0.2.1\n")
    assert "larger than 5 bytes" in refusal(files)
    monkeypatch.setattr(lists, "FILES_MAX", 0)
    write(tmp_path, "feed-a.txt", "")
    assert "more than 0 files" in refusal(files, "feed-*.txt")


def test_deny_list_gives_what_is_too_much_for_decisions(
    files: ListFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "SYNCED_MAX", 2)
    assert list(files.texts([DENY_LIST])) == []
    more = tmp_path / "more.list"
    more.write_text("192.0.2.5\n")
    (tmp_path / DENY_LIST).write_text(
        f"192.0.2.1\n192.0.2.2\n192.0.2.3 # by hand\ntcp|in|d=22|s=192.0.2.4\nInclude {more}\n"
    )
    assert [text for text in files.texts([DENY_LIST]) if text] == ["192.0.2.3", "192.0.2.5"]
    before = files.signature([DENY_LIST])
    more.write_text("192.0.2.6, by mistake\n")
    assert files.signature([DENY_LIST]) != before
    with pytest.raises(OpeningError, match=r"more\.list:1"):
        list(files.texts([DENY_LIST]))
