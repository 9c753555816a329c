"""Nothing runs as root after the start, and what cannot give up root does not run at all."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from arena.accounts import ACCOUNTS, DURWARD_GROUP, write_accounts
from arena.durward import Durward
from arena.host import Door
from arena.network import Network
from tests.attacks.scene import Scene
from tests.crash.processes import pid_of, status_of

pytestmark = pytest.mark.kernel

CAP_DAC_READ_SEARCH, CAP_NET_ADMIN = 2, 12
EXPECTED = {
    "enforcer": (64101, 1 << CAP_NET_ADMIN | 1 << CAP_DAC_READ_SEARCH),
    "engine": (64102, 0),
}
EXIT_SETTINGS, EXIT_PRIVILEGES = 2, 78


@pytest.mark.parametrize("name", EXPECTED)
def test_each_process_is_who_it_shall_be_and_may_what_it_needs(scene: Scene, name: str) -> None:
    user, capabilities = EXPECTED[name]
    pid = pid_of(scene, name)
    assert pid is not None
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = status_of(int(task.name))
        assert set(status["Uid"].split()) == {str(user)}
        assert set(status["Gid"].split()) == {str(DURWARD_GROUP)}
        assert set(status["Groups"].split()) <= {str(DURWARD_GROUP)}
        for held in ("CapPrm", "CapEff", "CapBnd"):
            assert int(status[held], 16) == capabilities, held
        assert int(status["CapInh"], 16) & ~capabilities == 0
        assert status["NoNewPrivs"] == "1"


def test_the_engine_has_no_network(scene: Scene) -> None:
    engine, enforcer = pid_of(scene, "engine"), pid_of(scene, "enforcer")
    spaces = {pid: Path(f"/proc/{pid}/ns/net").stat().st_ino for pid in (engine, enforcer)}
    door = Path("/run/netns", scene.network.door).stat().st_ino
    assert spaces[enforcer] == door
    assert spaces[engine] not in (door, Path("/proc/self/ns/net").stat().st_ino)
    devices = Path(f"/proc/{engine}/net/dev").read_text(encoding="ascii").splitlines()[2:]
    assert [line.partition(":")[0].strip() for line in devices] == ["lo"]


def test_the_state_belongs_to_the_engine_alone(scene: Scene) -> None:
    lib = scene.durward.home / "lib"
    assert lib.stat().st_mode & 0o007 == 0
    lists = lib / "lists"  # which root alone writes
    assert (lists.stat().st_uid, lists.stat().st_mode & 0o022) == (0, 0)
    for path in lib.iterdir():
        status = path.stat()
        if path != lists:
            assert status.st_mode & 0o077 == 0, path
            assert status.st_uid == EXPECTED["engine"][0], path
    run = scene.durward.home / "run"
    assert (run / "engine.sock").stat().st_mode & 0o077 == 0
    assert (run / "enforcer.sock").stat().st_mode & 0o007 == 0


def test_only_the_engine_may_talk_to_the_enforcer_and_only_root_to_the_engine(scene: Scene) -> None:
    alice = "import socket, sys; socket.socket(socket.AF_UNIX, int(sys.argv[2])).connect(sys.argv[1])"
    run = scene.durward.home / "run"
    for name, kind in (("engine.sock", "1"), ("enforcer.sock", "5")):
        as_alice = ["setpriv", "--reuid=64201", "--regid=64201", "--clear-groups", "/usr/bin/python3", "-c", alice]
        done = scene.door.run([*as_alice, run / name, kind])
        assert done.returncode != 0
        assert "PermissionError" in done.stderr


@pytest.mark.parametrize("missing", ["durward-enforcer", "durward-engine"])
def test_without_its_account_nothing_runs(missing: str) -> None:
    with Network() as network, Door(network) as door:
        shown = door.work / "passwd"
        host = door.work / "host"
        host.mkdir()
        for name in ("passwd", "group"):
            text = Path("/etc", name).read_text(encoding="utf-8").splitlines()
            (host / name).write_text("".join(f"{line}\n" for line in text if "durward" not in line), encoding="utf-8")
        shown.mkdir()
        write_accounts(shown, tuple(one for one in ACCOUNTS if one.name != missing), host=host)
        door.run(["mount", "--bind", shown / "passwd", "/etc/passwd"], check=True)
        durward = Durward(door)
        done = durward.command("run")
        assert done.returncode in (EXIT_SETTINGS, EXIT_PRIVILEGES), done.stderr
        assert missing in done.stderr
        assert "Traceback" not in done.stderr
        assert running_for(durward) == []


def running_for(durward: Durward) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(durward.home).encode() in words:
                found.append(int(entry.name))
    return found


def test_a_stranger_cannot_start_it() -> None:
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run(
        [Path(sys.executable).with_name("durward"), "run"],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == EXIT_SETTINGS, done.stderr
    assert "root" in done.stderr
