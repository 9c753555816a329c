"""The arena keeps its promises: a real sshd that logs, attackers with addresses of their own, and no trace left."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena.attacker import Answer, Attacker
from arena.errors import ArenaError, require_programs
from arena.host import Door
from arena.namespace import FOLDER, add_namespace, open_socket
from arena.network import DOOR_IPV4, DOOR_IPV6, FRIEND_IPV4, FRIEND_IPV6, YARD_IPV4, YARD_IPV6, Network
from arena.processes import identity_of, processes_in
from arena.room import TEMPORARY
from arena.stamps import Kind, Stamps

pytestmark = pytest.mark.kernel

STRANGERS = ("203.0.113.9", "2001:db8:2::9")
DROP = "add table inet trial; add chain inet trial entry { type filter hook prerouting priority raw; }; "


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network(yard=True) as network:
        yield network


@pytest.fixture(scope="module")
def door(network: Network) -> Iterator[Door]:
    with Door(network, sshd_settings={"MaxAuthTries": 4}) as door:
        yield door


def drop(network: Network, address: str) -> None:
    family = "ip6" if ":" in address else "ip"
    rules = f"{DROP} add rule inet trial entry {family} saddr {address} drop"
    network.run_in(network.door, ["nft", rules], check=True)


def drop_nothing(network: Network) -> None:
    network.run_in(network.door, ["nft", "delete table inet trial"], check=True)


@pytest.mark.parametrize("address", STRANGERS)
def test_a_wrong_password_is_answered_and_logged_with_the_address(network: Network, door: Door, address: str) -> None:
    assert Attacker(network, address).guess("wrong", "root") is Answer.WRONG_PASSWORD
    line = door.wait_for_line(rf"Failed password for root from {address} port \d+ ssh2$")
    assert " sshd[" in line


@pytest.mark.parametrize("address", STRANGERS)
def test_the_right_password_lets_in(network: Network, door: Door, address: str) -> None:
    assert Attacker(network, address).guess("correct-horse-9", "alice") is Answer.LET_IN
    door.wait_for_line(rf"Accepted password for alice from {address} port")


def test_several_passwords_on_one_connection(network: Network, door: Door) -> None:
    guesser = Attacker(network, "198.51.100.77")
    assert guesser.guess_many(["one", "two", "three"], "mallory") == (Answer.WRONG_PASSWORD, 3)
    door.wait_for_line(r"Failed password for invalid user mallory from 198\.51\.100\.77 port")
    assert door.read_log().count("Failed password for invalid user mallory from 198.51.100.77 ") == 3


def test_sshd_hangs_up_after_its_own_limit(network: Network, door: Door) -> None:
    answer, tried = Attacker(network, "198.51.100.78").guess_many(list("abcdefgh"))
    assert answer is Answer.WRONG_PASSWORD
    assert tried == 4
    door.wait_for_line(r"maximum authentication attempts exceeded for root from 198\.51\.100\.78 port")


@pytest.mark.parametrize("address", STRANGERS)
def test_knocking_tells_open_closed_and_silent_apart(network: Network, door: Door, address: str) -> None:
    attacker = Attacker(network, address)
    assert attacker.knock(22) is Answer.LET_IN
    assert attacker.knock(23) is Answer.REFUSED
    drop(network, address)
    try:
        assert attacker.knock(22, timeout_seconds=0.3) is Answer.NO_ANSWER
        assert not attacker.can_connect(timeout_seconds=0.3)
        assert attacker.guess(timeout_seconds=1.0) is Answer.NO_ANSWER
        assert Attacker(network, "198.51.100.7").can_connect()
        assert Attacker(network, "2001:db8:2::a").can_connect()
    finally:
        drop_nothing(network)
    assert attacker.can_connect()


@pytest.mark.parametrize("address", [FRIEND_IPV4, FRIEND_IPV6])
def test_a_session_is_live_until_its_packets_are_dropped(network: Network, door: Door, address: str) -> None:
    with Attacker(network, address).open_session() as session:
        assert session.is_live()
        assert f"({address})" in door.run(["who"]).stdout
        drop(network, address)
        assert not session.is_live(timeout_seconds=0.3)
        drop_nothing(network)
        assert session.is_live(timeout_seconds=5.0)  # TCP repeats what was dropped
    assert not session.is_live()


def test_a_session_needs_the_right_password(network: Network, door: Door) -> None:
    with pytest.raises(ArenaError, match="no session was opened"):
        Attacker(network, FRIEND_IPV4).open_session(password="wrong")


@pytest.mark.parametrize("address", STRANGERS)
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_stamps_show_whether_packets_pass(network: Network, kind: Kind, address: str) -> None:
    with Stamps(Attacker(network, address), 8080, kind=kind, rate_per_second=100) as stream:
        assert stream.wait_until_passing(passing=True)
        drop(network, address)
        assert stream.wait_until_passing(passing=False)
        drop_nothing(network)
        assert stream.wait_until_passing(passing=True)
    stamps = stream.stamps()
    assert [stamp.number for stamp in stamps] == list(range(len(stamps)))
    assert all(stamp.passed_at is None or stamp.passed_at >= stamp.sent_at for stamp in stamps)


@pytest.mark.parametrize(("address", "target"), [("203.0.113.9", YARD_IPV4), ("2001:db8:3::7", YARD_IPV6)])
def test_the_door_forwards_to_the_yard(network: Network, address: str, target: str) -> None:
    assert network.yard is not None
    attacker = Attacker(network, address, target=target)
    with open_socket(network.yard, attacker.family, socket.SOCK_STREAM) as listener:
        listener.bind((target, 80))
        listener.listen()
        with attacker.connect(80), listener.accept()[0] as accepted:
            assert accepted.getpeername()[0] == address


def test_durwards_own_users_exist_on_the_door(door: Door) -> None:
    shown = door.run(["id", "durward-enforcer"]).stdout
    assert shown == "uid=64101(durward-enforcer) gid=64100(durward) groups=64100(durward)\n"
    assert door.run(["id", "-u", "durward-engine"]).stdout == "64102\n"


def test_the_hosts_password_hashes_are_not_on_the_door(door: Door) -> None:
    shadow = door.run(["cat", "/etc/shadow"], check=True).stdout.splitlines()
    assert {line.split(":")[0] for line in shadow if line.split(":")[1] != "*"} == {"root", "alice"}


def test_private_files_have_a_name_on_the_host(door: Door) -> None:
    assert door.outside(door.auth_log).read_text(encoding="utf-8") == door.run(["cat", door.auth_log]).stdout
    with pytest.raises(ArenaError, match="not private"):
        door.outside(Path("/usr/bin"))


def test_the_door_sees_its_own_links_only(door: Door) -> None:
    assert set(door.run(["ls", "/sys/class/net"]).stdout.split()) == {"eth0", "lo", "yard0"}


def test_stamps_of_lines_can_be_iso() -> None:
    with Network() as other, Door(other, stamps="iso") as door:
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d"
        assert door.wait_for_line(rf"^{stamp} \S+ sshd\[\d+\]: Server listening")


def test_a_renamed_log_is_begun_anew() -> None:
    with Network() as other, Door(other) as door:
        door.wait_for_line("Server listening on :: port 22")
        log = door.outside(door.auth_log)
        log.rename(log.with_suffix(".log.1"))
        door.log.reopen()
        Attacker(other, "203.0.113.9").guess("wrong")
        door.wait_for_line(r"Failed password for root from 203\.0\.113\.9 port")
        assert "Failed password" not in log.with_suffix(".log.1").read_text(encoding="utf-8")


def test_the_journal_can_be_the_log() -> None:
    with Network() as other, Door(other, log="journal") as door:
        assert Attacker(other, "203.0.113.9").guess("wrong") is Answer.WRONG_PASSWORD
        door.wait_for_line(r"Failed password for root from 203\.0\.113\.9 port")
        shown = door.run(["journalctl", "--output=json", "--identifier=sshd", "--grep=^Failed"], check=True).stdout
        entry = json.loads(shown)
        assert (entry["_UID"], entry["_EXE"].rpartition("/")[2][:4]) == ("0", "sshd")


def test_what_a_program_says_is_given_and_failures_are_errors(network: Network, door: Door) -> None:
    assert door.run(["hostname"]).returncode == 0
    assert network.run_in(network.street, ["cat"], input="hello").stdout == "hello"
    with pytest.raises(ArenaError, match="false"):
        door.run(["false"], check=True)


class _TrialError(Exception):
    pass


def output_of(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def host_state() -> dict[str, object]:
    """What must be the same before and after. /run/netns itself is a mount from the first `ip netns add` on."""
    mounts = [line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    return {
        "links": output_of("ip", "-brief", "link"),
        "addresses": output_of("ip", "-brief", "address"),
        "routes": output_of("ip", "route") + output_of("ip", "-6", "route"),
        "mounts": sorted(mount for mount in mounts if "/run/netns" not in mount),
        "log": Path("/dev/log").exists(),
    }


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind(fails: bool) -> None:
    before = host_state()
    try:
        with Network(yard=True) as network, Door(network) as door:
            names = [network.door, network.street, network.yard or ""]
            identities = [identity_of(FOLDER / name) for name in names]
            session = Attacker(network, FRIEND_IPV4).open_session()
            daemon = door.popen(["sleep", "1000"])
            assert door.popen(["setsid", "--fork", "sleep", "1000"]).wait() == 0
            if fails:
                raise _TrialError  # noqa: TRY301
    except _TrialError:
        pass
    assert host_state() == before
    assert daemon.returncode is not None
    assert not session.is_live()
    assert not any((FOLDER / name).exists() for name in names)
    assert not door.work.exists()
    assert [pid for identity in identities for pid in processes_in("net", identity)] == []


def test_two_arenas_live_side_by_side(network: Network, door: Door) -> None:
    with Network() as other:
        assert other.door != network.door
        assert not Attacker(other, "203.0.113.9").can_connect(timeout_seconds=0.3)
        assert Attacker(network, "203.0.113.9").can_connect()


def test_what_a_killed_arena_left_is_removed_by_the_next() -> None:
    script = (
        "import os, signal\n"
        "from arena.host import Door\n"
        "from arena.network import Network\n"
        "with Network() as network, Door(network) as door:\n"
        "    print(network.door, door.work, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    name, work = killed.stdout.split()
    identity = identity_of(FOLDER / name)
    with Network() as network, Door(network):
        assert not (FOLDER / name).exists()
        assert not Path(work).exists()
        assert processes_in("net", identity) == []


def test_a_namespace_of_a_living_process_is_not_taken_for_a_stale_one() -> None:
    name = f"durward-door-{os.getppid()}-999"
    add_namespace(name)
    try:
        with Network():
            assert (FOLDER / name).exists()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.errors.PROGRAM_PATH", str(TEMPORARY / "nowhere"))
    with pytest.raises(ArenaError, match="apt-get install openssh-server sshpass"):
        require_programs(["sshd", "sshpass"])


def test_the_door_is_known_by_the_addresses_it_is_documented_with(network: Network) -> None:
    shown = network.run_in(network.door, ["ip", "-brief", "address", "show", "dev", "eth0"], check=True).stdout.split()
    assert {f"{DOOR_IPV4}/24", f"{DOOR_IPV6}/64"} <= set(shown)
