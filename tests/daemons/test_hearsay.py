"""Lines of syslog's files count as the journal has them; without one half, once people have a shell."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from durward.daemons.hearsay import TWIN_SECONDS, UNCONFIRMED_MIN, WAITING_MAX, Hearsay, has_people
from durward.model import Event

NOW = 1_795_421_520.0
AUTH_LOG = "file:/var/log/auth.log"
HOST = os.uname().nodename


def failure(
    number: int = 0, *, source: str = AUTH_LOG, host: str = HOST, program: str = "sshd", hits: int = 1
) -> Event:
    line = f"Nov 23 08:12:00 {host} {program}[{number}]: Failed password for root from 203.0.113.9 port 40022 ssh2\n"
    place = (source, number, line.encode(), "203.0.113.9")
    return Event("auth.failure", NOW, NOW, "sshd", *place, session=str(number), hits=hits)


@pytest.fixture
def open_socket(tmp_path: Path) -> str:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
    path.chmod(0o666)
    return str(path)


def hearsay(mode: str, *programs: bytes, sockets: tuple[str, ...] = ()) -> Hearsay:
    """One beside a journal that has entries of these programs."""
    vouches: Callable[[str, bytes], bool] = lambda _service, program: program in programs  # noqa: E731
    return Hearsay(mode, vouches, sockets=sockets)


def test_what_the_journal_has_its_own_word_of_does_not_count_from_a_file() -> None:
    asked = hearsay("auto", b"sshd")
    assert asked.admitted([failure()], NOW) == []
    other = failure(program="sshd-session")
    assert asked.admitted([other], NOW) == [other]


def test_what_another_host_sent_is_none_of_our_journal_s() -> None:
    remote = failure(host="elsewhere")
    assert hearsay("auto", b"sshd").admitted([remote], NOW) == [remote]
    assert hearsay("auto", b"sshd").admitted([failure(host=f"{HOST}.example.net")], NOW) == []


def test_whoever_has_accepted_the_risk_has_every_line_counted() -> None:
    events = [failure(1), failure(2)]
    asked = hearsay("count", b"sshd")
    assert asked.weighed(asked.admitted(events, NOW)) == events


def test_ignored_are_lines_that_no_journal_has() -> None:
    assert hearsay("ignore").admitted([failure()], NOW) == []


def test_half_is_every_second_hit() -> None:
    asked = hearsay("halve")
    weighed = [asked.weighed([failure(number)]) for number in range(4)]
    assert [len(one) for one in weighed] == [0, 1, 0, 1]
    assert [one.hits for one in asked.weighed([failure(5, hits=5)])] == [2]
    success = failure(6, hits=0)
    assert asked.weighed([success]) == [success]


def test_only_syslog_s_own_files_are_hearsay() -> None:
    asked = hearsay("halve")
    assert asked.is_of_syslog(AUTH_LOG)
    assert not asked.is_of_syslog("file:/var/log/nginx/access.log")
    assert not asked.is_of_syslog("journal")


def test_a_line_that_the_journal_never_has_is_told() -> None:
    asked = hearsay("auto", b"sshd")
    for number in range(UNCONFIRMED_MIN):
        asked.admitted([failure(number)], NOW)
    asked.admitted([failure(100)], NOW)
    asked.confirm([failure(100, source="journal")], NOW)  # this one is there
    assert asked.troubles(NOW) == []
    (told,) = asked.troubles(NOW + TWIN_SECONDS + 1)
    assert (told.subject, told.result) == (f"sshd in {AUTH_LOG}", "fail")
    assert told.detail.startswith(f"{UNCONFIRMED_MIN} lines are not in the journal")


def test_the_journal_may_be_read_first() -> None:
    asked = hearsay("auto", b"sshd")
    for number in range(2 * UNCONFIRMED_MIN):
        asked.confirm([failure(number, source="journal")], NOW)
        asked.admitted([failure(number)], NOW)
    assert asked.troubles(NOW + TWIN_SECONDS + 1) == []


def test_what_waits_is_bounded() -> None:
    asked = hearsay("auto", b"sshd")
    for number in range(WAITING_MAX + UNCONFIRMED_MIN):
        asked.admitted([failure(number)], NOW)
    (told,) = asked.troubles(NOW)
    assert told.detail.startswith(f"{UNCONFIRMED_MIN} lines")


@pytest.mark.parametrize(
    ("mode", "programs", "state"),
    [
        ("auto", [b""], "journal"),
        ("count", [b""], "whole"),
        ("count", [], "whole"),
        ("halve", [], "half"),
        ("ignore", [], "nothing"),
    ],
)
def test_the_risk_is_said(open_socket: str, mode: str, programs: list[bytes], state: str) -> None:
    asked = hearsay(mode, *programs, sockets=(open_socket,))
    (found,) = asked.findings({AUTH_LOG: frozenset({"sshd"}), "file:/var/log/nginx/access.log": frozenset()}, NOW)
    assert asked.state_of(AUTH_LOG, frozenset({"sshd"})) == state
    assert found.result == ("pass" if state == "journal" else "unknown")


def test_where_only_a_group_can_write_there_is_no_risk(open_socket: str) -> None:
    Path(open_socket).chmod(0o660)
    asked = hearsay("auto", sockets=(open_socket,))
    assert asked.findings({AUTH_LOG: frozenset({"sshd"})}, NOW) == []
    assert asked.state_of(AUTH_LOG, frozenset({"sshd"})) == ""


@pytest.mark.parametrize(
    ("passwd", "people"),
    [
        ("root:x:0:0::/root:/bin/bash", False),
        ("bob:x:1001:1001::/home/bob:/bin/bash", True),
        ("bob:x:1001:1001::/home/bob:/usr/sbin/nologin", False),
        ("anna:x:1000:1000::/home/anna:/bin/bash", False),
        ("carl:x:1002:27::/home/carl:/bin/bash", False),
        ("nobody:x:65534:65534::/:/bin/bash", False),
        ("broken line", False),
    ],
)
def test_who_could_forge_and_nothing_worse(tmp_path: Path, passwd: str, *, people: bool) -> None:
    (tmp_path / "passwd").write_text(passwd + "\n")
    (tmp_path / "group").write_text("sudo:x:27:anna\nusers:x:100:bob\n")
    assert has_people(str(tmp_path / "passwd"), str(tmp_path / "group")) is people
    assert not has_people(str(tmp_path / "absent"), str(tmp_path / "absent"))
