"""While nobody can be asked to open anything, nothing is given up and nothing is guessed."""

import os
import shutil

from tests.sources.following import Following


def test_a_first_start_is_made_up_for(following: Following) -> None:
    following.append(b"long ago\n")
    following.opener.busy = True
    following.start()
    assert following.lines() == []
    assert following.file.failed
    assert following.file.problem == f"{following.log}: the enforcer does not answer"
    assert following.file.position is None
    following.opener.busy = False
    assert following.reopened("live", "backlog") == []
    assert not following.file.failed
    following.append(b"new\n")
    assert following.lines("live") == [b"new"]


def test_a_later_start_is_made_up_for(following: Following) -> None:
    following.append(b"long ago\n")
    following.start()
    following.stop()
    following.append(b"meanwhile\n")
    following.opener.busy = True
    following.start(following.saved)
    assert following.file.position == following.saved
    following.opener.busy = False
    assert following.reopened("backlog") == [b"meanwhile"]


def test_a_rotation_is_found_out_later(following: Following) -> None:
    following.append(b"one\n")
    following.start()
    following.lines()
    following.append(b"two\n")
    following.log.rename(following.rotated(2))
    following.append(b"three\n", "app.log.1")
    following.append(b"four\n")
    following.opener.busy = True
    assert following.reopened() == [b"two"]
    assert following.file.failed
    following.append(b"late\n", "app.log.2")
    assert following.lines(seconds=60) == [b"late"]
    following.opener.busy = False
    assert following.reopened() == [b"three", b"four"]
    assert not following.file.failed


def test_a_truncation_is_found_out_later(following: Following) -> None:
    following.append(b"one\n")
    following.start()
    following.lines()
    following.append(b"two\n")
    shutil.copyfile(following.log, following.rotated())
    os.truncate(following.log, 0)
    following.append(b"three\n")
    following.opener.busy = True
    assert following.lines() == []
    assert following.file.failed
    following.opener.busy = False
    assert following.reopened() == [b"two", b"three"]
    assert following.file.lost_bytes == 0
