"""Seclusion: a process of another user reaches its home below a directory of root's alone, and has no network."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.daemons.forked import forked

from durward.config.home import Home
from durward.daemons.privileges import become
from durward.daemons.seclusion import ROOM, leave_network, meet_only, reach_home
from durward.daemons.supervisor import prepare

ENGINE = "durward-engine"
pytestmark = pytest.mark.kernel


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory of root's alone."""
    with TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o700)
        yield Path(directory)


def home_below(directory: Path) -> Home:
    home = Home.below(directory / "home")
    prepare(home)
    (home.etc / "durward.toml").write_text("# settings\n")
    (home.etc / "durward.toml").chmod(0o644)
    return home


def used(home: Home) -> str:
    """What a process does with its home."""
    (home.lib / "durward.db").write_text("state")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(home.engine_socket))
    return (home.etc / "durward.toml").read_text()


def test_a_home_behind_a_closed_door_is_reached(closed: Path) -> None:
    home = home_below(closed)

    def act() -> str:
        moved = reach_home(home, ENGINE)
        become(ENGINE)
        assert moved == Home.below(ROOM)
        with pytest.raises(PermissionError):
            (home.etc / "durward.toml").read_text()
        with pytest.raises(PermissionError):
            (moved.etc / "mine").write_text("settings are root's")
        return used(moved)

    assert forked(act) == "# settings\n"
    assert (home.lib / "durward.db").read_text() == "state", "what was written is really there"
    assert home.engine_socket.is_socket()


def test_nobody_else_sees_the_mounts(closed: Path) -> None:
    home = home_below(closed)
    before = Path("/proc/self/mountinfo").read_text()
    forked(lambda: reach_home(home, ENGINE))
    assert Path("/proc/self/mountinfo").read_text() == before


def test_a_home_whose_way_is_open_stays_where_it_is(closed: Path) -> None:
    closed.chmod(0o755)
    home = home_below(closed)

    def act() -> str:
        assert reach_home(home, ENGINE) == home
        become(ENGINE)
        return used(home)

    assert forked(act) == "# settings\n"


def test_without_a_network_nothing_is_reached() -> None:
    def act() -> list[str]:
        leave_network()
        become(ENGINE)
        with socket.socket() as client, pytest.raises(OSError, match="unreachable"):
            client.connect(("127.0.0.1", 22))
        return [name for _number, name in socket.if_nameindex()]

    assert forked(act) == "['lo']"


def test_a_parent_that_bars_the_way_is_found_wherever_it_is(closed: Path) -> None:
    deep = closed / "a" / "b"
    deep.mkdir(parents=True)
    closed.chmod(0o755)
    (closed / "a").chmod(0o700)
    home = home_below(deep)
    assert forked(lambda: reach_home(home, ENGINE).etc) == str(ROOM / "etc")
    os.chown(closed / "a", 65534, 65534)
    (closed / "a").chmod(0o711)
    assert forked(lambda: reach_home(home, ENGINE).etc) == str(home.etc)


def test_who_only_meets_sees_the_sockets_and_neither_settings_nor_state(closed: Path) -> None:
    home = home_below(closed)
    (home.lib / "durward.db").write_text("state")
    (home.run / "names.sock").touch()

    def act() -> str:
        moved = reach_home(home, "durward-herald")
        meet_only(moved)
        become("durward-herald")
        for place in (moved.etc, moved.lib):
            assert list(place.iterdir()) == []
        for place in (moved.etc, moved.lib, moved.run):
            with pytest.raises(OSError, match="Read-only"):
                (place / "mine").write_text("x")
        return " ".join(path.name for path in moved.run.iterdir())

    assert forked(act) == "names.sock"
