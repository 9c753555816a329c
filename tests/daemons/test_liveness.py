"""A line of our own has to arrive where lines arrived before, and where logins are; quiet leftovers are no alarm."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from durward.daemons.liveness import Liveness

AUTH, MAIL, JOURNAL = "file:/var/log/auth.log", "file:/var/log/mail.log", "journal"


class Host:
    """A log socket, and a clock that moves by ten seconds a line."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "log"
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind(str(self.path))
        self.log.settimeout(1)
        self.now = 1000.0
        self.liveness = Liveness(10.0, str(self.path))

    def turn(self, sources: dict[str, int], shown_in: tuple[str, ...] = ()) -> str:
        """Let a line be judged and the next one be written; show that in some sources. Gives what is wrong."""
        self.now += 10
        self.liveness.tick(self.now, sources)
        if self.path.exists():
            line = self.log.recv(999)
            for source in shown_in:
                self.liveness.hear(source, b"Nov 23 08:10:00 web1 " + line + b"\n")
        return self.liveness.problem


@pytest.fixture
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as directory:  # below pytest's own, a path would be too long for a socket
        made = Host(Path(directory))
        yield made
        made.log.close()


def test_a_line_that_arrives_is_fine_and_one_that_does_not_is_told_once(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    assert host.turn({AUTH: 5}, (AUTH,)) == ""
    assert host.turn({AUTH: 5}) == ""
    finding = host.liveness.finding()
    assert finding is not None
    assert (finding.result, finding.detail) == ("pass", f"what is written arrives in {AUTH}")
    missing = f"a line of ours did not arrive in {AUTH}; what services log may be lost"
    assert [host.turn({AUTH: 5}), host.turn({AUTH: 5}, (AUTH,))] == [missing, missing]
    assert host.turn({AUTH: 5}, (AUTH,)) == ""
    said = [line for line in capsys.readouterr().err.splitlines() if line]
    assert [line.partition(": ")[2] for line in said] == [missing, "what is written to the system's log arrives again"]


def test_the_line_is_for_those_who_log_in_and_its_code_is_another_one_each_time(host: Host) -> None:
    host.liveness.tick(2000.0, {})
    first = host.log.recv(999)
    host.liveness.tick(2010.0, {})
    second = host.log.recv(999)
    assert first.startswith(b"<86>durward-liveness[")
    assert first.rpartition(b" ")[2] != second.rpartition(b" ")[2]


def test_each_source_has_to_show_it_once_it_did(host: Host) -> None:
    both = {JOURNAL: 3, MAIL: 3}
    assert host.turn(both, (JOURNAL, MAIL)) == ""
    assert host.turn(both, (JOURNAL,)) == ""
    assert MAIL in host.turn(both, (JOURNAL, MAIL))
    assert host.turn(both) == ""
    assert f"{MAIL}, {JOURNAL}" in host.turn(both)
    assert host.turn({}) == ""  # nothing is there to be read any more; that is told elsewhere


def test_a_file_that_a_removed_log_daemon_left_is_no_alarm(host: Host) -> None:
    for _ in range(3):
        assert host.turn({JOURNAL: 3, AUTH: 0}, (JOURNAL,)) == ""


def test_where_nothing_is_read_that_a_log_daemon_writes_nothing_is_told(host: Host) -> None:
    for _ in range(3):
        assert host.turn({"file:/var/log/nginx/access.log": 100}) == ""
    assert host.liveness.finding() is None


def test_a_socket_that_takes_no_lines_is_told_with_the_reason(host: Host) -> None:
    host.path.unlink()
    host.turn({AUTH: 0})
    wrong = host.turn({AUTH: 0})
    assert wrong == f"{host.path} takes no lines: No such file or directory; what services log is lost"


def test_without_a_time_nothing_is_written(host: Host) -> None:
    quiet = Liveness(0.0, str(host.path))
    quiet.tick(5000.0, {AUTH: 1})
    host.log.setblocking(False)
    with pytest.raises(BlockingIOError):
        host.log.recv(999)
