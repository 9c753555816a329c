"""Everything that may come to change what a path means is watched."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from durward.privileged.watches import Watches, names_of


@pytest.fixture
def watches() -> Iterator[Watches]:
    with Watches() as opened:
        yield opened


def events(watches: Watches) -> set[tuple[int, str]]:
    """(watch, name) of what happened since the last call."""
    try:
        data = os.read(watches.descriptor, 65536)
    except BlockingIOError:
        return set()
    found, position = set(), 0
    while position < len(data):
        number, _, _, length = struct.unpack_from("=iIII", data, position)
        found.add((number, data[position + 16 : position + 16 + length].rstrip(b"\0").decode()))
        position += 16 + length
    return found


def test_a_directory_has_one_watch(watches: Watches, tmp_path: Path) -> None:
    number = watches.watch(str(tmp_path))
    assert number is not None
    assert watches.watch(str(tmp_path)) == number
    assert watches.watch(str(tmp_path / "nowhere")) is None
    (tmp_path / "file").touch()
    assert watches.watch(str(tmp_path / "file")) is None


def test_writing_renaming_and_deleting_are_told(watches: Watches, tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.touch()
    (watched,) = watches.watches_of(str(path))
    assert watched[1] == "auth.log"
    for act in (
        lambda: path.write_text("line\n"),
        lambda: path.rename(tmp_path / "auth.log.1"),
        path.touch,
        path.unlink,
    ):
        assert events(watches) == set()
        act()
        assert watched in events(watches)


def test_both_ends_of_a_symlink_are_watched(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "names").mkdir()
    target, link = tmp_path / "real" / "2026.log", tmp_path / "names" / "current.log"
    target.touch()
    link.symlink_to("../real/2026.log")
    first, second = watches.watches_of(str(link))
    assert (first[1], second[1]) == ("current.log", "2026.log")
    target.write_text("line\n")
    assert events(watches) == {second}
    link.unlink()
    assert events(watches) == {first}


def test_symlinked_directories_are_watched_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "logs").symlink_to("2026")
    assert list(names_of(f"{tmp_path}/logs/./auth.log"))[-2:] == [
        (str(tmp_path), "logs"),
        (str(tmp_path / "2026"), "auth.log"),
    ]


def test_the_nearest_directory_tells_of_one_to_come(watches: Watches, tmp_path: Path) -> None:
    path = tmp_path / "app" / "logs" / "app.log"
    (waiting,) = watches.watches_of(str(path))
    assert waiting == (watches.watch(str(tmp_path)), "app")
    (tmp_path / "app").mkdir()
    assert events(watches) == {waiting}
    (waiting,) = watches.watches_of(str(path))
    assert waiting[1] == "logs"
    path.parent.mkdir()
    assert events(watches) == {waiting}
    assert [name for _, name in watches.watches_of(str(path))] == ["app.log"]


def test_a_directory_that_appears_between_two_looks_is_not_missed(
    watches: Watches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app" / "app.log"
    plain = watches.watch

    def slow(directory: str) -> int | None:
        number = plain(directory)
        if directory == str(path.parent) and number is None:
            path.parent.mkdir()
        return number

    monkeypatch.setattr(watches, "watch", slow)
    ((number, name),) = watches.watches_of(str(path))
    assert name == "app.log"
    path.touch()
    assert (number, "app.log") in events(watches)


def test_a_circle_of_symlinks_ends(watches: Watches, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert {name for _, name in watches.watches_of(str(tmp_path / "one"))} == {"one", "two"}


def test_beyond_the_bound_nothing_more_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durward.privileged.watches.WATCHES_MAX", 2)
    for name in "abc":
        (tmp_path / name).mkdir()
    with Watches() as watches:
        numbers = [watches.watch(str(tmp_path / name)) for name in "abc"]
        assert None not in numbers[:2]
        assert numbers[2] is None
        assert watches.watch(str(tmp_path / "a")) == numbers[0]
