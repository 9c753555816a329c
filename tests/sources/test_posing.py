"""Who writes in a service's name is known to a real journald, and the journal says whether it has a service's own."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.journald import Journald, running_journald, unit_group

from durward.sources.journal import Journal
from durward.sources.trust import Want

SSHD = Want(units=frozenset({"durward-sshd.service"}), programs=frozenset({"sshd", "sshd-session"}))
SOMEBODY = 12345

pytestmark = pytest.mark.kernel


@pytest.fixture
def journald() -> Iterator[Journald]:
    with running_journald() as running:
        yield running


@pytest.fixture
def unit() -> Iterator[Path]:
    with unit_group("durward-sshd.service") as group:
        yield group


@pytest.fixture
def journal(journald: Journald) -> Iterator[Journal]:
    made = Journal(journald.descriptors(), [SSHD], memory_seconds=3600.0)
    made.start(time.time())
    yield made
    made.close()


def read(journal: Journal) -> bytes:
    data = b"".join(block.data for block in journal.read(time.time()))
    while journal.waiting:
        data += b"".join(block.data for block in journal.read(time.time()))
    return data


def test_a_stranger_gives_no_line_and_is_known(journald: Journald, journal: Journal) -> None:
    read(journal)
    for number in range(3):
        journald.say_as(b"Failed password %d" % number, "sshd", uid=SOMEBODY)
    journald.say_as(b"my own business", "my-own-tool", uid=SOMEBODY)
    assert read(journal) == b""
    (pose,) = journal.posing
    assert (pose.writer.uid, pose.writer.name, pose.lines, pose.sample) == (SOMEBODY, b"sshd", 3, b"Failed password 2")
    assert not pose.writer.kindred


def test_a_forged_entry_is_no_entry_of_the_service(journald: Journald, journal: Journal, unit: Path) -> None:
    journald.say_as(b"forged", "sshd", uid=SOMEBODY)
    read(journal)
    assert not journal.holds(SSHD)
    journald.say_as(b"genuine", "sshd", unit=unit)
    assert journal.holds(SSHD)  # asked of the files, before it is read
    assert not journal.holds(Want(SSHD.units, frozenset({"sshd-session"})))
    journald.say_as(b"forged", "sshd", uid=SOMEBODY)
    assert journal.holds(SSHD)
    assert b"genuine" in read(journal)
    assert journal.holds(Want(programs=frozenset({"sshd"})))  # as it was heard


def test_when_anybody_wrote_last_is_known(journald: Journald, journal: Journal) -> None:
    before = time.time()
    journald.say(b"anything", "whoever")
    assert before - 1 < journal.written_at() < time.time() + 1
