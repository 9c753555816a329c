"""How the engine comes by its sources: what is there, what is not, what is refused, and an enforcer that is gone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.daemons.opener import OpeningDoor

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.opening import Opening
from durward.sources.opening import NotNowError


@pytest.fixture
def enforcer(tmp_path: Path) -> Iterator[OpeningDoor]:
    with OpeningDoor(tmp_path, [f"{tmp_path}/*.log"]) as made:
        yield made


@pytest.fixture
def opening(enforcer: OpeningDoor) -> Opening:
    return Opening(enforcer.door)


def read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_a_log_comes_as_a_descriptor_with_its_watches(opening: Opening, tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text("a line\n")
    descriptor = opening.open(str(path))
    assert descriptor is not None
    assert read(descriptor) == b"a line\n"
    assert {name for _, name in opening.watches[str(path)]} >= {b"auth.log"}
    assert opening.problems == {}


def test_a_log_that_is_not_there_is_absent_and_no_problem(opening: Opening, tmp_path: Path) -> None:
    assert opening.open(f"{tmp_path}/absent.log") is None
    assert opening.problems == {}
    assert opening.watches[f"{tmp_path}/absent.log"], "the watch tells when it comes"


def test_what_is_refused_is_kept_with_its_reason_until_it_is_right(opening: Opening, tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.mkdir()
    assert opening.open(str(path)) is None
    assert list(opening.problems) == [str(path)]
    assert opening.open("/etc/shadow") is None
    assert "not among the files" in opening.problems["/etc/shadow"]
    path.rmdir()
    path.write_text("")
    descriptor = opening.open(str(path))
    assert descriptor is not None
    os.close(descriptor)
    assert list(opening.problems) == ["/etc/shadow"]


def test_rotated_copies_come_with_their_names(opening: Opening, tmp_path: Path) -> None:
    for name in ("auth.log", "auth.log.1", "auth.log.2"):
        (tmp_path / name).write_text(name)
    found = [(name, read(descriptor)) for name, descriptor in opening.siblings(f"{tmp_path}/auth.log")]
    assert found == [("auth.log.1", b"auth.log.1"), ("auth.log.2", b"auth.log.2")]


def test_a_glob_names_more_files_than_one_answer_holds(opening: Opening, tmp_path: Path) -> None:
    names = [f"{tmp_path}/site{number:04}.log" for number in range(450)]
    for name in names:
        Path(name).touch()
    assert list(opening.matching(f"{tmp_path}/*.log")) == names


def test_the_journal_of_a_host_without_one_has_no_files(opening: Opening) -> None:
    assert opening.journal()[0] == []


def test_changes_are_told_without_waiting(opening: Opening, tmp_path: Path) -> None:
    descriptor = opening.changes()
    try:
        with pytest.raises(BlockingIOError):
            os.read(descriptor, 100)
    finally:
        os.close(descriptor)


def test_when_the_enforcer_is_gone_nothing_is_known(enforcer: OpeningDoor, opening: Opening, tmp_path: Path) -> None:
    path = f"{tmp_path}/auth.log"
    Path(path).touch()
    enforcer.close()
    for ask in (opening.open, opening.siblings):
        with pytest.raises(NotNowError):
            ask(path)
    with pytest.raises(ChannelError):
        list(opening.matching(f"{tmp_path}/*.log"))
    with pytest.raises(ChannelError):
        opening.changes()
    assert (opening.connected, opening.problems) == (False, {})


def test_before_the_enforcer_is_there_nothing_is_known_either(tmp_path: Path) -> None:
    opening = Opening(Door(tmp_path / "enforcer.sock"))
    assert not opening.connected
    with pytest.raises(NotNowError, match="not connected"):
        opening.open("/var/log/auth.log")
