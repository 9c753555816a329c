"""The journal, written by a real journald from several accounts, control groups and programs."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.journald import Journald, running_journald, unit_group, wait_until

from durward.sources.block import Block
from durward.sources.journal import Journal, render
from durward.sources.opening import SourceError
from durward.sources.trust import Want

PROGRAM = Path(sys.executable).resolve().name  # what really runs where these tests write entries
WANTS = [
    Want(units=frozenset({"durward-sshd.service"}), programs=frozenset({"sshd", "sshd-session"})),
    Want(units=frozenset({"durward-web.service"}), programs=frozenset({"httpd"})),
    Want(programs=frozenset({PROGRAM})),
]
SOMEBODY = 12345
LINE_MAX = 48 * 1024  # journald's own bound


@pytest.fixture
def journald() -> Iterator[Journald]:
    """A journald, and that every descriptor was given back when the test is over."""
    before = open_descriptors()
    with running_journald() as running:
        yield running
    assert open_descriptors() == before


def open_descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def begun(journald: Journald, cursor: str | None = None, *, memory_seconds: float = 3600.0) -> Journal:
    journal = Journal(journald.descriptors(), WANTS, memory_seconds=memory_seconds)
    journal.start(time.time(), cursor)
    return journal


def read(journal: Journal) -> list[Block]:
    blocks = list(journal.read(time.time()))
    while journal.waiting:
        blocks += journal.read(time.time())
    return blocks


def texts(blocks: list[Block], *kinds: str) -> list[bytes]:
    """The messages of all lines, without stamp, host and tag."""
    chosen = [block for block in blocks if not kinds or block.kind in kinds]
    return [line.split(b"]: ", 1)[1] for block in chosen for line in block.data.splitlines()]


@pytest.mark.kernel
def test_entries_come_as_lines_once_and_in_order(journald: Journald) -> None:
    journal = begun(journald)
    assert texts(read(journal)) == []
    journald.say_many([b"number %d" % number for number in range(1200)], PROGRAM)
    blocks = read(journal)
    assert texts(blocks, "live") == [b"number %d" % number for number in range(1200)]
    stamp = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
    assert re.fullmatch(rb"%b \S+ %b\[\d+\]: number 0" % (stamp, PROGRAM.encode()), blocks[0].data.splitlines()[0])
    assert texts(read(journal)) == []
    journal.close()


@pytest.mark.kernel
def test_one_entry_is_one_line_whatever_it_says(journald: Journald) -> None:
    journal = begun(journald)
    journald.say(b"one\ntwo: \x1b[31m\x00 \xff\x7f\n\n", PROGRAM)
    journald.say(b"x" * 100_000, PROGRAM)
    one, two = texts(read(journal))
    assert one == b"one#012two: #033[31m#000 \xff#177"
    assert set(two) == {ord("x")}
    assert 8_000 < len(two) <= 16 * 1024
    journal.close()


@pytest.mark.kernel
def test_no_piece_of_a_line_that_a_service_printed_passes_for_a_line(journald: Journald) -> None:
    journal = begun(journald)
    posing = b"refused root at 198.51.100.7"
    long_line = b"refused " + b"x" * (LINE_MAX - 8) + posing + b" at 203.0.113.9"
    journald.print_lines(long_line + b"\nnext\nrefused x\0" + posing + b" at 203.0.113.9\nlast\n", PROGRAM, entries=6)
    assert texts(read(journal)) == [b"next", b"refused x" + posing + b" at 203.0.113.9", b"last"]
    journal.close()


@pytest.mark.kernel
def test_nobody_poses_as_somebody_else(journald: Journald, tmp_path: Path) -> None:
    journal = begun(journald)
    posing = tmp_path / "sshd"
    posing.symlink_to(Path(sys.executable).resolve())
    journald.say_as(b"a user says so", "sshd", uid=SOMEBODY)
    journald.say_as(b"a user's program is called so", "sshd", uid=SOMEBODY, program=str(posing))
    journald.say_as(b"a link to root's program is called so", "sshd", program=str(posing))
    journald.say_as(b"root, but not that program", "sshd")
    journald.say_and_die(b"a user, gone at once", "sshd", uid=SOMEBODY)
    inside = ["nsenter", "-t", str(journald.process.pid), "-m", "setpriv", "--reuid", str(SOMEBODY), "--clear-groups"]
    subprocess.run([*inside, "logger", "-t", "sshd", "logger says so"], check=True)
    journald.say_as(b"true", PROGRAM)
    assert texts(read(journal)) == [b"true"]
    journal.close()


@pytest.mark.kernel
def test_root_that_is_gone_at_once_is_believed(journald: Journald) -> None:
    journal = begun(journald)
    journald.say_and_die(b"Connection closed", "sshd")
    assert texts(read(journal)) == [b"Connection closed"]
    journal.close()


@pytest.mark.kernel
def test_a_unit_speaks_for_its_own_service(journald: Journald) -> None:
    journal = begun(journald)
    with unit_group("durward-sshd.service") as sshd, unit_group("durward-web.service") as web:
        number = journald.say_as(b"failed", "sshd-session", unit=sshd)
        journald.say_as(b"of the service's own account", "sshd", uid=105, unit=sshd)
        journald.say_as(b"a login inside the unit", "sshd", uid=SOMEBODY, unit=sshd)
        journald.say_as(b"a web application", "sshd", uid=33, unit=web)
        journald.say_as(b"denied", "httpd", uid=33, unit=web)
    blocks = read(journal)
    assert texts(blocks) == [b"failed", b"of the service's own account", b"denied"]
    assert b" sshd-session[%d]: failed\n" % number in blocks[0].data
    journal.close()


@pytest.mark.kernel
def test_a_later_engine_goes_on_where_the_first_one_stopped(journald: Journald) -> None:
    journald.say(b"before us", PROGRAM)
    journal = begun(journald)
    assert texts(read(journal), "memory") == [b"before us"]
    journald.say_many([b"a", b"b"], PROGRAM)
    blocks = read(journal)
    assert texts(blocks, "live") == [b"a", b"b"]
    cursor = blocks[-1].place_of(0)  # of the first line: the engine stored nothing of the second one
    assert journal.position == blocks[-1].places[-1][1] != cursor
    journal.close()
    journald.say(b"c", PROGRAM)
    assert isinstance(cursor, str)
    journal = begun(journald, cursor)
    journald.say(b"d", PROGRAM)
    blocks = read(journal)
    assert texts(blocks, "memory") == [b"before us", b"a"]
    assert texts(blocks, "backlog", "live") == [b"b", b"c", b"d"]
    journal.close()
    journal = begun(journald, journal.position, memory_seconds=0)
    assert texts(read(journal), "backlog", "live") == []
    journald.say(b"e", PROGRAM)
    assert texts(read(journal), "live") == [b"e"]
    journal.close()


@pytest.mark.kernel
def test_places_name_each_entry(journald: Journald) -> None:
    journal = begun(journald)
    journald.say_many([b"first", b"second", b"third"], PROGRAM)
    (block,) = read(journal)
    offset = block.data.index(b"\n") + 1
    second = block.place_of(offset)
    assert second == block.places[1][1]
    assert isinstance(second, str)
    journal.close()
    again = begun(journald, second)
    assert texts(read(again), "backlog") == [b"third"]
    again.close()


@pytest.mark.kernel
def test_rotation_while_reading(journald: Journald) -> None:
    journal = begun(journald)
    journald.say_many([b"1", b"2"], PROGRAM)
    assert texts(read(journal)) == [b"1", b"2"]
    journald.say(b"3", PROGRAM)
    assert not journal.stale(time.time())
    journald.rotate()
    wait_until(lambda: journal.stale(time.time()))
    journald.say(b"4", PROGRAM)
    assert texts(read(journal)) == [b"3"]
    journal.replace(journald.descriptors(), time.time())
    assert not journal.stale(time.time())
    journald.say(b"5", PROGRAM)
    assert texts(read(journal), "live") == [b"4", b"5"]
    cursor = journal.position
    journald.rotate()
    journal.replace(journald.descriptors(), time.time())
    assert texts(read(journal)) == []
    journal.close()
    journald.say(b"6", PROGRAM)
    journal = begun(journald, cursor)
    assert texts(read(journal), "backlog", "live") == [b"6"]
    journal.close()


@pytest.mark.kernel
def test_an_entry_that_was_removed_is_gone_behind(journald: Journald) -> None:
    journal = begun(journald)
    journald.say(b"old", PROGRAM)
    read(journal)
    cursor = journal.position
    journal.close()
    journald.rotate()
    for path in journald.files():
        if "@" in path.name:
            path.unlink()
    journald.say(b"new", PROGRAM)
    journal = begun(journald, cursor)
    assert texts(read(journal), "backlog", "live") == [b"new"]
    journal.close()


@pytest.mark.kernel
def test_a_stored_cursor_that_is_none_counts_as_a_first_start(journald: Journald) -> None:
    journald.say(b"before", PROGRAM)
    journal = begun(journald, "nonsense")
    assert texts(read(journal), "memory") == [b"before"]
    journald.say(b"after", PROGRAM)
    assert texts(read(journal), "live") == [b"after"]
    journal.close()


@pytest.mark.kernel
def test_blocks_left_unread_come_later(journald: Journald) -> None:
    journal = begun(journald)
    journald.say_many([b"number %d" % number for number in range(1200)], PROGRAM)
    blocks = [next(journal.read(time.time()))]
    assert journal.waiting
    cursor = journal.position
    blocks += read(journal)
    assert len(texts(blocks)) == 1200
    journal.close()
    assert isinstance(cursor, str)
    again = begun(journald, cursor)
    assert texts(read(again), "backlog") == texts(blocks[1:])
    again.close()


@pytest.mark.kernel
def test_a_damaged_file_spoils_only_itself(journald: Journald) -> None:
    damaged = os.memfd_create("damaged")
    os.write(damaged, b"LPKSHHRH" + b"\0" * 5000)
    journal = Journal([damaged, *journald.descriptors()], WANTS, memory_seconds=0)
    journal.start(time.time())
    journald.say(b"heard", PROGRAM)
    assert texts(read(journal)) == [b"heard"]
    assert "cannot open" in str(journal.problem)
    assert not journal.stale(time.time())
    assert journal.stale(time.time() + 60)
    damaged = os.memfd_create("damaged")
    with pytest.raises(SourceError):
        journal.replace([damaged], time.time())
    journald.say(b"heard again", PROGRAM)
    assert texts(read(journal)) == [b"heard again"]
    journal.replace(journald.descriptors(), time.time())
    assert journal.problem is None
    assert not journal.stale(time.time() + 60)
    journal.close()


def test_what_is_no_journal_is_said(tmp_path: Path) -> None:
    path = tmp_path / "system.journal"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as file, pytest.raises(SourceError, match="journal"):
        Journal([os.dup(file.fileno())], WANTS, memory_seconds=60)


def test_a_line_says_when_who_and_what() -> None:
    line = render(1_795_421_400_123_456, b"web 1", b"ss]hd", b"17", b"what: \r\n")
    assert line == b"2026-11-23T08:10:00.123456+00:00 web_1 ss_hd[17]: what: #015\n"


READER = """
import os, sys
from durward.sources.journal import Journal
from durward.sources.trust import Want
journal = Journal([int(number) for number in sys.argv[2:]], [Want(programs=frozenset({sys.argv[1]}))], memory_seconds=0)
journal.start(0.0, "s=0")
print(os.getuid(), [block.data for block in journal.read(0.0)])
journal.close()
"""


@pytest.mark.kernel
def test_a_process_that_may_open_nothing_reads_what_it_is_handed(journald: Journald) -> None:
    journald.say(b"for the engine", PROGRAM)
    descriptors = journald.descriptors()
    arguments = [sys.executable, "-c", READER, PROGRAM, *map(str, descriptors)]
    done = subprocess.run(
        arguments, pass_fds=descriptors, user=65534, group=65534, extra_groups=[], stdout=-1, check=True
    )
    for number in descriptors:
        os.close(number)
    assert done.stdout.startswith(b"65534 ")
    assert b"]: for the engine\\n" in done.stdout
