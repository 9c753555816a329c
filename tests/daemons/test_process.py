"""How a process begins: its arguments, what it says when it must not start, and how it is told to stop."""

import os
import select
import signal
import sys
from pathlib import Path

import pytest
from tests.daemons.forked import forked

from durward.config.home import Home
from durward.daemons.privileges import EXIT_PRIVILEGES, PrivilegesError
from durward.daemons.process import EXIT_AGAIN, EXIT_SETTINGS, Beginning, begin, say, status_after


def test_arguments_name_the_home_and_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        sys.argv = ["durward-engine", "--etc", "/a", "--lib", "/b", "--run", "/c", "--supervised", "17"]
        assert begin("engine") == Beginning("engine", Home(Path("/a"), Path("/b"), Path("/c")), 17)
        assert os.umask(0) == 0o077, "what it writes is nobody else's"
        sys.argv = ["durward-engine"]
        assert begin("engine") == Beginning("engine", Home(), None)

    forked(act)


def test_settings_that_are_wrong_end_it_for_good(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Beginning("engine", Home(), None).give_up("durward.toml:3: mistake")
    assert ended.value.code == EXIT_SETTINGS == 2
    assert capsys.readouterr().err == "durward: durward.toml:3: mistake\n"


def test_a_privilege_that_stays_ends_it_for_good(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise PrivilegesError("it is still there")

    beginning = Beginning("engine", Home(), None)
    assert beginning.settle(lambda: 7) == 7
    with pytest.raises(SystemExit) as ended:
        beginning.settle(fail)
    assert ended.value.code == EXIT_PRIVILEGES == 78
    assert "the engine does not start: it is still there" in capsys.readouterr().err


def test_without_its_supervisor_it_does_not_begin() -> None:
    def act() -> None:
        Beginning("engine", Home(), None).follow_supervisor()
        Beginning("engine", Home(), os.getppid()).follow_supervisor()
        with pytest.raises(SystemExit) as ended:
            Beginning("engine", Home(), 2**22 + 1).follow_supervisor()
        assert ended.value.code == EXIT_PRIVILEGES

    forked(act)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, EXIT_AGAIN)])
def test_a_signal_makes_the_descriptor_readable_and_says_how_to_end(number: signal.Signals, status: int) -> None:
    def act() -> int:
        stop = Beginning("engine", Home(), None).stop_descriptor()
        assert select.select([stop], [], [], 0)[0] == []
        os.kill(os.getpid(), number)
        assert select.select([stop], [], [], 5)[0] == [stop]
        return status_after(stop)

    assert forked(act) == str(status)


def test_what_is_said_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("the enforcer is gone")
    assert capsys.readouterr().err == "durward: the enforcer is gone\n"
