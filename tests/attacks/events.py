"""What befalls a host before an administrator makes his mistake, or right after it."""

import contextlib
import os
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

from arena.errors import PROGRAM_PATH
from arena.namespace import write_sysctl
from arena.network import DOOR_IPV4, DOOR_IPV6, ROUTER_IPV4, ROUTER_IPV6
from tests.attacks.administrator import Administrator
from tests.attacks.firewalled import Firewalled
from tests.crash.processes import pid_of

ODD_PORT = 2022
SSHD_ENVIRONMENT = {"PATH": PROGRAM_PATH, "LC_ALL": "C.UTF-8", "HOME": "/"}
SECOND = "198.51.100.7"  # another administrator's address
REFUSED, WRONG = 3, 2
FORCED = "durward apply --force --confirm-within 12s"
Event = Callable[[Firewalled, Administrator], None]


def another_interface(scene: Firewalled, _: Administrator) -> None:
    """There is an interface eth1."""
    scene.door.run(["ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth1-peer"], check=True)


def rename_interface(scene: Firewalled, _: Administrator) -> None:
    """eth0 comes back under another name, as after a change of the kernel or of a card."""
    lines = (
        "link set eth0 down",
        "link set eth0 name wan0",
        "link set wan0 up",
        f"address replace {DOOR_IPV4}/24 dev wan0",
        f"address replace {DOOR_IPV6}/64 dev wan0 nodad",
        f"route replace default via {ROUTER_IPV4}",
        f"-6 route replace default via {ROUTER_IPV6}",
    )
    for line in lines:
        scene.door.run(["ip", *line.split()], check=True)


def sshd_on_odd_port(scene: Firewalled, _: Administrator) -> None:
    """Sshd listens on an odd port, as its configuration says."""
    path = scene.door.outside(Path("/etc/ssh/sshd_config"))
    path.write_text(path.read_text().replace("Port 22\n", f"Port {ODD_PORT}\n"))
    scene.door.sshd.stop()
    scene.door.popen(["/usr/sbin/sshd", "-D"], env=SSHD_ENVIRONMENT)
    _await_listener(scene)


def sshd_moves(scene: Firewalled, administrator: Administrator) -> None:
    """Sshd listens elsewhere from now on; doctor says so, and an apply in the old session is all that it takes."""
    sshd_on_odd_port(scene, administrator)
    administrator.port = ODD_PORT
    status, said = administrator.types("durward doctor")
    assert (status, "port 2022 is not open" in " ".join(said.split())) == (1, True), said
    assert not administrator.gets_in()
    status, said = administrator.types("durward apply --confirm-within 30s")
    assert status == 0, said
    status, said = administrator.types_anew("durward confirm")
    assert status == 0, said


def blocks_himself(scene: Firewalled, _: Administrator) -> None:
    """Another administrator has no terminal, so that the system has no record of him."""
    unseen = Administrator(scene, SECOND)
    status, said = unseen.types_anew(f"durward block {SECOND}")
    assert (status, "is logged in" in said) == (REFUSED, True), said
    assert unseen.gets_in()


def socket_activation(scene: Firewalled, _: Administrator) -> None:
    """Systemd listens on an odd port for sshd, whose own configuration says another one."""
    scene.door.run(["mount", "-t", "tmpfs", "units", "/etc/systemd/system"], check=True)
    unit = "[Socket]\\nListenStream=\\nListenStream=2022\\nAccept=yes\\n"
    wants = "/etc/systemd/system/sockets.target.wants"
    script = f"cd /etc/systemd/system; printf '{unit}' > ssh.socket; mkdir {wants}; ln -s ../ssh.socket {wants}"
    scene.door.run(["sh", "-c", script], check=True)
    scene.door.sshd.stop()
    at = f"--listen={DOOR_IPV4}:{ODD_PORT}"
    activate = ["systemd-socket-activate", at, "--inetd", "--accept", "/usr/sbin/sshd", "-i"]
    scene.door.popen(activate, env=SSHD_ENVIRONMENT, stderr=-3)
    _await_listener(scene)


def _await_listener(scene: Firewalled) -> None:
    listening = ["ss", "-tlnH", "sport", "=", str(ODD_PORT)]
    scene.wait(lambda: bool(scene.door.run(listening).stdout), "somebody listens on the odd port")


def somebody_applies(scene: Firewalled, _: Administrator) -> None:
    """Another administrator has a firewall on trial."""
    status, said = Administrator(scene, SECOND).types_anew("durward apply --confirm-within 30s")
    assert status == 0, said


def comes_in_once(_: Firewalled, administrator: Administrator) -> None:
    """He comes in once more; that was his last time."""
    assert administrator.gets_in()


def comes_in_and_stays(scene: Firewalled, administrator: Administrator) -> None:
    """He comes in once more and stays for longer than the trial lasts."""
    sleeping = Administrator(scene, administrator.address)
    sleeping.__enter__()


def neighbours_forgotten(scene: Firewalled, _: Administrator) -> None:
    """Neighbours have to be found again, on both sides."""
    for namespace in (scene.network.door, scene.network.street):
        scene.network.run_in(namespace, ["ip", "-6", "neigh", "flush", "dev", "eth0"], check=True)


def forwards(scene: Firewalled, _: Administrator) -> None:
    """The host is a router."""
    write_sysctl(scene.network.door, {"ipv4/ip_forward": 1})


def confirms_in_the_same_session(_: Firewalled, administrator: Administrator) -> None:
    """The session that applied confirms nothing."""
    status, said = administrator.types("durward confirm")
    assert (status, "new connection" in said) == (REFUSED, True), said


def confirms_in_an_older_session(scene: Firewalled, administrator: Administrator) -> None:
    """Nor does another one that was open before."""
    with Administrator(scene, administrator.address) as older:
        status, said = administrator.types(FORCED)
        assert status == 0, said
        status, said = older.types("durward confirm")
        assert (status, "new connection" in said) == (REFUSED, True), said


def confirms_by_a_dead_name(_: Firewalled, administrator: Administrator) -> None:
    """Nor does a shell whose environment names a connection of long ago, as in screen."""
    name = f"{administrator.address} 1999 {DOOR_IPV4} 22"
    status, said = administrator.types(f"SSH_CONNECTION={shlex.quote(name)}; durward confirm")
    assert (status, "connection that is over" in said) == (REFUSED, True), said


def kills(*names: str) -> Event:
    """Processes of durward are killed."""

    def happen(scene: Firewalled, _: Administrator) -> None:
        found = [pid for name in names if (pid := pid_of(scene, name)) is not None]
        assert len(found) == len(names)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):  # its supervisor took it along
                os.kill(pid, signal.SIGKILL)

    return happen


def apply_is_killed(_: Firewalled, administrator: Administrator) -> None:
    """The command line is killed while the enforcer is at it, and a second time right after that."""
    administrator.types(f"{FORCED} & sleep 0.15; kill -9 $!; wait")
    status, said = administrator.types(f"{FORCED} | (read line; kill -9 0)")
    assert status != 0, said


def boots(scene: Firewalled, _: Administrator) -> None:
    """All processes and rules are gone, it is another boot, and the boot unit has loaded what was confirmed."""
    assert not _.gets_in(), "he is not shut out"
    kills("supervisor", "enforcer", "engine")(scene, _)
    scene.wait(lambda: pid_of(scene, "enforcer") is None, "the enforcer is gone")
    other = scene.durward.home / "boot_id"
    other.write_text("11111111-2222-3333-4444-555555555555\n")
    scene.door.run(["mount", "--bind", other, "/proc/sys/kernel/random/boot_id"], check=True)
    scene.door.run(["nft", "delete", "table", "inet", "durward"], check=True)
    scene.door.run(["nft", "--file", scene.durward.home / "lib" / "confirmed.nft"], check=True)


def sets_clock(by_seconds: int) -> Event:
    """The clock is set, set right again, and set once more; the daemons notice that, as they say."""

    def happen(scene: Firewalled, _: Administrator) -> None:
        year = time.gmtime(time.time() + by_seconds).tm_year
        for offset in (by_seconds, 0, by_seconds):
            (scene.durward.home / "clock").write_text(str(offset))
            time.sleep(0.2)
        clocks = [one["detail"] for one in scene.lines("doctor") if one["check"] == "clock"]
        assert str(year) in clocks[0], clocks

    return happen


def nft(command: str) -> Event:
    """Somebody changes our table by hand, and it is put back."""

    def happen(scene: Firewalled, administrator: Administrator) -> None:
        status, said = administrator.types(f"nft {command}")
        assert status == 0, said
        scene.wait(lambda: "goto input_" in scene.table(), "the table is back")

    return happen


def disk_is_full(scene: Firewalled, _: Administrator) -> None:
    """There is no room for anything more."""
    ballast = scene.durward.home / "lib" / "ballast"
    scene.door.run(["sh", "-c", f"cat /dev/zero > {ballast}; cat /dev/zero > {ballast}.more; true"])


def disk_is_full_at_confirm(scene: Firewalled, administrator: Administrator) -> None:
    """What cannot be written for the next boot is not confirmed."""
    disk_is_full(scene, administrator)
    status, said = administrator.types_anew("durward confirm")
    assert status != 0, said
    assert "No space left" in said
    ballast = scene.durward.home / "lib" / "ballast"
    scene.door.run(["rm", ballast, f"{ballast}.more"])


def reloads(scene: Firewalled, _: Administrator) -> None:
    """The daemons are told to begin again with the settings as they are, and go on with those that they had."""
    process = scene.durward._process
    assert process is not None
    process.send_signal(signal.SIGHUP)
    scene.wait(lambda: "the settings are wrong" in scene.durward.said(), "they say what is wrong")
    assert scene.durward.ask("status")["protecting"] is True


def starts_anew_in_vain(scene: Firewalled, _: Administrator) -> None:
    """Durward ends, and does not come back with settings that are wrong."""
    assert scene.durward.stop() == 0
    done = scene.durward.command("run")
    assert done.returncode == WRONG, done.stderr
