"""Every way of rotating a log while it is read: nothing lost, nothing twice."""

import gzip
import os
import shutil

import pytest
from tests.sources.following import Following

from durward.sources import succession
from durward.sources.logfile import DRAIN_SECONDS


@pytest.fixture(autouse=True)
def followed(following: Following) -> None:
    following.append(b"one\n")
    following.start()
    assert following.lines() == []


def rename(following: Following) -> None:
    for number in range(4, 0, -1):
        if following.rotated(number).exists():
            following.rotated(number).rename(following.rotated(number + 1))
    following.log.rename(following.rotated())


def copytruncate(following: Following) -> None:
    shutil.copyfile(following.log, following.rotated())
    os.truncate(following.log, 0)


def test_a_daemon_writes_on_into_the_renamed_file(following: Following) -> None:
    following.append(b"two\n")
    rename(following)
    following.append(b"three\n", "app.log.1")
    following.append(b"four\n")
    assert following.reopened() == [b"two", b"three", b"four"]
    assert following.file.restless(following.now)
    following.append(b"late\n", "app.log.1")
    assert following.lines(seconds=DRAIN_SECONDS - 1) == [b"late"]
    following.append(b"later, and no line", "app.log.1")
    assert following.lines(seconds=DRAIN_SECONDS - 1) == []
    assert following.lines(seconds=DRAIN_SECONDS) == [b"later, and no line"]
    assert not following.file.restless(following.now)
    assert following.file.rotations == 1


def test_a_restart_while_a_renamed_file_is_drained(following: Following) -> None:
    rename(following)
    following.append(b"new\n")
    assert following.reopened() == [b"new"]
    following.stop()
    following.append(b"late\n", "app.log.1")
    following.append(b"newer\n")
    following.start(following.saved)
    assert following.lines() == [b"late", b"newer"]
    following.append(b"later\n", "app.log.1")
    assert following.lines(seconds=1) == [b"later"]


def test_the_file_is_absent_for_a_while(following: Following) -> None:
    following.append(b"two\n")
    rename(following)
    assert following.reopened() == [b"two"]
    following.append(b"three\n", "app.log.1")
    assert following.lines(seconds=1) == [b"three"]
    following.append(b"four\n", "app.log.1")
    assert following.lines(seconds=DRAIN_SECONDS + 1) == [b"four"]
    following.append(b"new\n")
    assert following.reopened() == [b"new"]


def test_the_file_is_renamed_back(following: Following) -> None:
    rename(following)
    following.append(b"two\n", "app.log.1")
    assert following.reopened() == [b"two"]
    following.rotated().rename(following.log)
    following.append(b"three\n")
    assert following.reopened() == [b"three"]
    assert following.file.rotations == 0


def test_two_rotations_between_two_looks(following: Following) -> None:
    following.append(b"two\n")
    rename(following)
    following.append(b"never seen\n")
    rename(following)
    following.append(b"new\n")
    assert following.reopened() == [b"two", b"never seen", b"new"]


def test_delete_and_create(following: Following) -> None:
    following.append(b"two\n")
    following.log.unlink()
    following.append(b"new\n")
    assert following.reopened() == [b"two", b"new"]
    following.log.unlink()
    assert following.reopened() == []
    assert following.lines(seconds=DRAIN_SECONDS) == []
    assert not following.file._tails  # else the deleted file would fill the disk for ever
    following.append(b"again\n")
    assert following.reopened() == [b"again"]


def test_a_symlink_is_swapped(following: Following) -> None:
    following.append(b"two\n")
    following.log.rename(following.log.with_name("monday"))
    following.log.symlink_to("monday")
    assert following.reopened() == [b"two"]
    following.append(b"three\n", "monday")
    following.append(b"new\n", "tuesday")
    swapped = following.log.with_name("swapped")
    swapped.symlink_to("tuesday")
    swapped.rename(following.log)
    assert following.reopened() == [b"three", b"new"]


def test_copytruncate_and_the_rest_is_in_the_copy(following: Following) -> None:
    following.append(b"two\n")
    copytruncate(following)
    assert following.lines() == [b"two"]
    following.append(b"three\n")
    assert following.lines() == [b"three"]
    assert following.file.lost_bytes == 0


def test_copytruncate_and_regrowth_past_the_offset(following: Following) -> None:
    following.append(b"two\n")
    copytruncate(following)
    following.append(b"much longer than it was before\n")
    assert following.lines() == [b"two", b"much longer than it was before"]


def test_copytruncate_and_the_copy_is_compressed(following: Following) -> None:
    following.append(b"two\n")
    copytruncate(following)
    following.rotated(1, ".gz").write_bytes(gzip.compress(following.rotated().read_bytes()))
    following.rotated().unlink()
    following.append(b"three\n")
    assert following.lines() == [b"two", b"three"]


def test_truncated_without_a_copy_is_lost_and_said_so(following: Following) -> None:
    following.append(b"unfinished")
    assert following.lines() == []
    os.truncate(following.log, 0)
    following.append(b"new\n")
    assert following.lines() == [b"new"]
    assert following.file.lost_bytes == len(b"unfinished")


def test_a_writer_without_append_leaves_a_hole(following: Following) -> None:
    with following.log.open("r+b", buffering=0) as writer:
        writer.seek(3_000_000)
        writer.write(b"\ntwo\n")
        assert following.lines()[-1] == b"two"
        os.truncate(following.log, 0)
        assert following.lines() == []
        writer.write(b"three\n")
        assert following.lines() == [b"three"]


def test_compressed_while_it_is_drained(following: Following) -> None:
    following.append(b"two\n")
    rename(following)
    following.rotated(1, ".gz").write_bytes(gzip.compress(following.rotated().read_bytes()))
    following.rotated().unlink()
    following.append(b"new\n")
    assert following.reopened() == [b"two", b"new"]


def test_an_edited_log_is_not_read_again(following: Following) -> None:
    following.append(b"two\nthree\n")
    assert following.lines() == [b"two", b"three"]
    edited = following.log.with_name("edited")
    edited.write_bytes(following.log.read_bytes() + b"four\n")
    edited.rename(following.log)
    assert following.reopened() == [b"four"]
    assert following.file.rotations == 0


def test_costly_searches_are_not_done_over_and_over(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "SEARCH_FREE_BYTES", 2)
    other = gzip.compress(b"something else altogether, longer than the log was\n")
    following.rotated(1, ".gz").write_bytes(other)
    os.truncate(following.log, 0)
    following.append(b"abc\n")
    assert following.lines() == [b"abc"]  # searched in vain
    following.append(b"def\n")
    following.rotated(1, ".gz").write_bytes(gzip.compress(following.log.read_bytes()))
    os.truncate(following.log, 0)
    assert following.lines(seconds=1) == []
    assert following.file.lost_bytes == 0
    following.append(b"ghi\n")
    assert following.lines() == [b"ghi"]
    following.append(b"jkl\n")
    following.rotated(1, ".gz").write_bytes(gzip.compress(following.log.read_bytes()))
    os.truncate(following.log, 0)
    assert following.lines(seconds=100) == [b"jkl"]


def test_the_rest_of_a_truncated_file_may_end_within_a_line(following: Following) -> None:
    following.append(b"two\nbegun")
    copytruncate(following)
    following.append(b" anew\n")
    assert following.lines() == [b"two", b"begun", b" anew"]


def test_the_log_is_a_link_to_the_newest_of_its_dated_files(following: Following) -> None:
    following.log.rename(following.log.with_name("app.log-20261122"))
    following.log.symlink_to("app.log-20261122")
    assert following.reopened() == []
    for day in (23, 24):
        following.append(b"of %d\n" % day, f"app.log-202611{day}")
    following.log.unlink()
    following.log.symlink_to("app.log-20261124")
    assert following.reopened() == [b"of 23", b"of 24"]


def test_files_that_change_places_are_read_once(following: Following) -> None:
    following.log.rename(following.rotated(2))
    following.append(b"two\n")
    assert following.reopened() == [b"two"]
    following.log.rename(following.rotated(1))
    following.rotated(2).rename(following.log)
    following.append(b"three\n")
    assert following.reopened() == [b"three"]
    following.log.rename(following.rotated(2))
    following.append(b"four\n")
    assert following.reopened() == [b"four"]
