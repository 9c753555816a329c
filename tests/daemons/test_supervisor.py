"""The supervisor: what dies is started again, ever more slowly; it stops cleanly, and for good where it must."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.daemons.forked import forked, let_everybody_in

from durward.config.home import Home
from durward.daemons import supervisor
from durward.daemons.privileges import account
from durward.daemons.supervisor import (
    RESTART_SECONDS,
    RESTART_SECONDS_MAX,
    STEADY_SECONDS,
    Process,
    Supervisor,
    prepare,
)

PATIENCE_SECONDS = 20
# A stand-in: it writes down each of its lives, and then does what it is told.
STAND_IN = """
import os, signal, sys, time
journal, act = sys.argv[1:3]
parent = os.getppid()
signal.signal(signal.SIGHUP, lambda *_: os._exit(75))
lives = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_APPEND)
os.write(lives, b"begun\\n")
life = os.pread(lives, 100000, 0).count(b"begun")
def note(what):
    os.write(lives, what + b" %d\\n" % time.monotonic_ns())
    os._exit(0)
if act == "live":
    signal.signal(signal.SIGTERM, lambda *_: note(b"ended"))
if act == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if act.startswith("exit"):
    os._exit(int(act[4:]))
if act.startswith("once") and life == 1:
    os._exit(int(act[4:]))
if act == "killed" and life == 1:
    os.kill(os.getpid(), signal.SIGKILL)
os.write(lives, b"ready\\n")
while os.getppid() == parent:  # never longer than its supervisor
    time.sleep(0.1)
"""


class Watched:
    """A supervisor of stand-ins, in a process of its own."""

    def __init__(self, directory: Path, *acts: str, stop_seconds: float = 5.0) -> None:
        self.journals = [directory / f"{number}.lives" for number in range(len(acts))]
        self.said = directory / "said"
        self.home = Home.below(directory)
        self.acts = acts
        self.stop_seconds = stop_seconds
        self.over = False
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(self._supervise())

    def _supervise(self) -> int:
        sys.stderr = self.said.open("w")
        supervisor.STOP_SECONDS = self.stop_seconds
        supervised = Supervisor(self.home)
        supervised.processes = [
            Process(f"number {number}", [sys.executable, "-I", "-S", "-c", STAND_IN, str(journal), act])
            for number, (journal, act) in enumerate(zip(self.journals, self.acts, strict=True))
        ]
        return supervised.run()

    def close(self) -> None:
        """Whatever the test came to, nothing of it lives on."""
        if not self.over:
            self.signal(signal.SIGTERM)
            self.ended()

    def lives(self, number: int = 0) -> list[str]:
        return self.journals[number].read_text().split() if self.journals[number].exists() else []

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(PATIENCE_SECONDS * 100):
            if done():
                return
            time.sleep(0.01)
        pytest.fail(f"it did not come to it: {[self.lives(number) for number in range(len(self.acts))]}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self) -> int:
        """Its exit status, once it has one."""
        found: list[int] = []
        self.until(lambda: self._reap(found))
        return found[0]

    def _reap(self, found: list[int]) -> bool:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.over = True
            found.append(os.waitstatus_to_exitcode(status))
        return self.over


Watch = Callable[..., Watched]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    made: list[Watched] = []

    def begin(*acts: str, stop_seconds: float = 5.0) -> Watched:
        made.append(Watched(tmp_path, *acts, stop_seconds=stop_seconds))
        return made[-1]

    yield begin
    for watched in made:
        watched.close()


def test_it_stops_cleanly_the_last_first(watch: Watch) -> None:
    watched = watch("live", "live")
    watched.until(lambda: watched.lives(0)[-1:] == watched.lives(1)[-1:] == ["ready"])
    watched.signal(signal.SIGTERM)
    assert watched.ended() == 0
    (*first, first_at), (*second, second_at) = watched.lives(0), watched.lives(1)
    assert first == second == ["begun", "ready", "ended"]
    assert int(second_at) < int(first_at), "the engine has the enforcer's last words to hear"
    assert watched.said.read_text() == ""


@pytest.mark.parametrize(("act", "cause"), [("killed", "SIGKILL"), ("once1", "exit status 1"), ("once0", "status 0")])
def test_what_dies_is_started_again(watch: Watch, act: str, cause: str) -> None:
    watched = watch(act, "live")
    watched.until(lambda: watched.lives().count("ready") == 1)
    assert watched.lives() == ["begun", "begun", "ready"]
    assert f"the number 0 died ({cause}" in watched.said.read_text().replace("exit status 0", "status 0")
    watched.signal(signal.SIGINT)
    assert watched.ended() == 0
    assert watched.lives(1).count("begun") == 1, "the other one lived on"


@pytest.mark.parametrize("status", [2, 78])
def test_what_would_die_again_is_not_started_again(watch: Watch, status: int) -> None:
    watched = watch("live", f"exit{status}")
    assert watched.ended() == status
    assert watched.lives(1) == ["begun"]
    assert watched.lives(0).count("begun") <= 1


def test_what_wants_to_begin_again_does_so_at_once_and_is_not_called_dead(watch: Watch) -> None:
    watched = watch("live", "stubborn", stop_seconds=0.2)
    watched.until(lambda: watched.lives(0)[-1:] == watched.lives(1)[-1:] == ["ready"])
    watched.signal(signal.SIGHUP)
    watched.until(lambda: watched.lives(0).count("ready") == watched.lives(1).count("ready") == 2)
    assert watched.said.read_text() == ""
    watched.signal(signal.SIGTERM)
    assert watched.ended() == 0
    assert "the number 1 did not stop within 0 s and is killed" in watched.said.read_text()


def test_it_goes_on_as_it_is_while_the_settings_are_wrong(watch: Watch) -> None:
    watched = watch("live", "live")
    watched.until(lambda: watched.lives(0)[-1:] == watched.lives(1)[-1:] == ["ready"])
    watched.home.etc.mkdir()
    (watched.home.etc / "durward.toml").write_text("[firewal]\n")
    watched.signal(signal.SIGHUP)
    watched.until(lambda: "durward.toml:1" in watched.said.read_text())
    assert "did you mean firewall?" in watched.said.read_text()
    assert watched.lives(0) == watched.lives(1) == ["begun", "ready"]


def test_pauses_grow_up_to_their_bound_and_a_long_life_makes_them_short_again() -> None:
    process, pauses, now = Process("short", [sys.executable, "-I", "-S", "-c", ""]), [], 100.0
    for _ in range(9):
        process.start(now)
        assert process.child is not None
        process.child.wait()
        assert process.reap(now) == 0
        pauses.append(process.start_again_at - now)
    assert pauses[:3] == pytest.approx([RESTART_SECONDS, 2 * RESTART_SECONDS, 4 * RESTART_SECONDS])
    assert pauses[-1] == pytest.approx(RESTART_SECONDS_MAX)
    process.start(now)
    assert process.child is not None
    process.child.wait()
    process.reap(now + STEADY_SECONDS)
    assert process.start_again_at == pytest.approx(now + STEADY_SECONDS + RESTART_SECONDS)
    assert process.reap(now) is None


def test_its_children_are_the_enforcer_the_engine_and_the_herald_of_one_home() -> None:
    enforcer, engine, herald = Supervisor(Home.below(Path("/nowhere"))).processes
    assert (enforcer.name, engine.name, herald.name) == ("enforcer", "engine", "herald")
    assert (enforcer.vital, engine.vital, herald.vital) == (True, True, False)
    for process in (enforcer, engine, herald):
        assert process.arguments[1:4] == ["-I", "-m", f"durward.daemons.{process.name}"]
        assert process.arguments[4:6] == ["--etc", "/nowhere/etc"]
        assert process.arguments[-2:] == ["--supervised", str(os.getpid())]


def places(home: Home) -> list[tuple[int, int, int]]:
    found = (place.stat() for place in (home.etc, home.lib, home.run))
    return [(one.st_uid, one.st_gid, stat.S_IMODE(one.st_mode)) for one in found]


@pytest.mark.kernel
def test_directories_get_their_owners_and_modes_whatever_they_were(tmp_path: Path) -> None:
    home, group = Home.below(tmp_path / "new" / "home"), account("durward-engine").pw_gid
    prepare(home)
    expected = [(0, group, 0o750), (0, group, 0o1770), (0, group, 0o1770)]
    assert places(home) == expected
    for place in (home.etc, home.lib, home.run):
        os.chown(place, 65534, 65534)
        place.chmod(0o777)
    prepare(home)
    assert places(home) == expected


@pytest.mark.kernel
def test_no_process_can_take_away_what_another_made(tmp_path: Path) -> None:
    home = Home.below(tmp_path)
    let_everybody_in(tmp_path)
    prepare(home)
    engine = account("durward-engine")

    def act() -> None:
        os.setgroups([engine.pw_gid])
        os.setresgid(engine.pw_gid, engine.pw_gid, engine.pw_gid)
        os.setresuid(engine.pw_uid, engine.pw_uid, engine.pw_uid)
        (home.lib / "durward.db").write_text("mine")
        for place in (home.run / "enforcer.sock", home.lib / "of the enforcer"):
            with pytest.raises(PermissionError):
                place.unlink()
        with pytest.raises(PermissionError):
            (home.etc / "durward.toml").write_text("")

    for place in (home.run / "enforcer.sock", home.lib / "of the enforcer"):
        place.write_text("")
        os.chown(place, account("durward-enforcer").pw_uid, engine.pw_gid)
    forked(act)


@pytest.mark.kernel
def test_without_its_users_it_ends_for_good_and_says_what_makes_them(tmp_path: Path) -> None:
    program = (
        "import sys; from durward.daemons import supervisor; supervisor.ENGINE_USER = 'durward-nobody'; "
        "supervisor.main()"
    )
    below = ["--etc", str(tmp_path / "e"), "--lib", str(tmp_path / "l"), "--run", str(tmp_path / "r")]
    done = subprocess.run(
        [sys.executable, "-c", program, *below], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "no user 'durward-nobody'" in done.stderr
    assert not (tmp_path / "e").exists()
