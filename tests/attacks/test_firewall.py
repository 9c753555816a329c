"""The firewall with real packets: closed is closed, a trial locks nobody out, nothing gets through while it changes."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from arena.attacker import Attacker
from arena.namespace import open_socket
from arena.network import DOOR_IPV4, FRIEND_IPV4, FRIEND_IPV6, ROUTER_IPV4, ROUTER_IPV6
from arena.stamps import Stamps
from tests.attacks.firewalled import (
    CLOSED,
    CLOSED_ELSEWHERE,
    CLOSED_UDP,
    ELSEWHERE,
    HERE,
    OPEN,
    OPEN_ELSEWHERE,
    OPEN_UDP,
    Firewalled,
)
from tests.attacks.scene import PATIENCE_SECONDS, is_silent
from tests.attacks.test_other_tables import FOREIGN
from tests.commands.wrong_input import WRONG as WRONG_INPUT
from tests.commands.wrong_input import write

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
REFUSED, WRONG = 3, 2
OPEN_ONLY, BOTH = [[OPEN], [OPEN]], [[OPEN, CLOSED], [OPEN, CLOSED]]
APPLIES = 30


@pytest.fixture(scope="module")
def closed() -> Iterator[Firewalled]:
    """A confirmed firewall that the tests leave as it is."""
    with Firewalled() as scene:
        yield scene


@pytest.fixture
def scene() -> Iterator[Firewalled]:
    """A confirmed firewall of the test's own."""
    with Firewalled() as scene:
        yield scene


@pytest.fixture
def unapplied() -> Iterator[Firewalled]:
    """Nothing was ever applied."""
    with Firewalled(begin="off") as scene:
        yield scene


@FAMILIES
def test_nobody_reaches_what_the_settings_do_not_open(closed: Firewalled, ipv6: bool) -> None:
    stranger = closed.stranger(ipv6=ipv6)
    assert closed.reaches(stranger, OPEN)
    assert closed.reaches(stranger, 22)
    assert is_silent(stranger, CLOSED)
    with Stamps(stranger, OPEN_UDP) as passing, Stamps(stranger, CLOSED_UDP) as dropped:
        assert passing.wait_until_passing(True)
        assert dropped.wait_until_passing(False)
        assert dropped.last_passed_at() is None


@FAMILIES
def test_the_door_itself_reaches_what_the_settings_let_out(closed: Firewalled, ipv6: bool) -> None:
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    to = ROUTER_IPV6 if ipv6 else ROUTER_IPV4
    with ExitStack() as sockets:
        for port in (OPEN_ELSEWHERE, CLOSED_ELSEWHERE):
            listening = sockets.enter_context(open_socket(closed.network.street, family, socket.SOCK_STREAM))
            listening.bind((to, port))
            listening.listen()
        allowed, refused = (
            sockets.enter_context(open_socket(closed.network.door, family, socket.SOCK_STREAM)) for _ in range(2)
        )
        for ours in (allowed, refused):
            ours.settimeout(2.0)
        allowed.connect((to, OPEN_ELSEWHERE))
        with pytest.raises(OSError) as failed:
            refused.connect((to, CLOSED_ELSEWHERE))
        assert not isinstance(failed.value, TimeoutError), "a refusal of our own is told at once"


def test_a_trial_that_nobody_confirms_is_over_by_itself(unapplied: Firewalled) -> None:
    assert unapplied.reached_ports() == BOTH
    assert "On trial for 2 s" in unapplied.does("apply", "--confirm-within", "2s").stdout
    assert unapplied.firewall() == "trial"
    assert is_silent(unapplied.stranger(), CLOSED)
    unapplied.wait(lambda: unapplied.reaches(unapplied.at(FRIEND_IPV6), CLOSED), "everything passes again")
    assert unapplied.reached_ports() == BOTH
    unapplied.wait(lambda: unapplied.firewall() == "off", "the trial is cleared away")
    assert unapplied.types("confirm", connection=ELSEWHERE).returncode == REFUSED


def test_only_a_new_connection_confirms(unapplied: Firewalled) -> None:
    unapplied.does("apply")
    same = unapplied.types("confirm")
    assert (same.returncode, same.stdout) == (REFUSED, "")
    assert "new connection" in same.stderr
    assert unapplied.firewall() == "trial"
    assert "Confirmed" in unapplied.does("confirm", connection=ELSEWHERE).stdout
    assert unapplied.firewall() == "confirmed"
    assert unapplied.reached_ports() == OPEN_ONLY


def test_over_a_real_ssh_connection_even_where_sudo_hides_it(unapplied: Firewalled) -> None:
    friend = unapplied.at(FRIEND_IPV4)
    without = "env -u SSH_CONNECTION -u SSH_CLIENT durward"
    said = unapplied.types_over_ssh(friend, f"{without} apply", f"{without} confirm", "durward confirm")
    assert [line for line in said if line.startswith("status")] == ["status 0", "status 3", "status 3"]
    assert unapplied.firewall() == "trial"
    assert unapplied.types_over_ssh(friend, f"{without} confirm")[-1] == "status 0"
    assert unapplied.firewall() == "confirmed"


def test_rolled_back_is_as_before(scene: Firewalled) -> None:
    assert scene.types("rollback").returncode == REFUSED
    scene.set_ports(f"22,{CLOSED}")
    scene.does("apply")
    assert scene.reached_ports() == [[CLOSED], [CLOSED]]
    scene.does("rollback")
    assert (scene.reached_ports(), scene.firewall()) == (OPEN_ONLY, "confirmed")


@pytest.mark.parametrize("address", [FRIEND_IPV4, FRIEND_IPV6])
def test_the_port_of_an_administrator_who_is_logged_in_is_not_closed(scene: Firewalled, address: str) -> None:
    friend = scene.at(address)
    scene.set_ports(str(OPEN), more='\nssh_ports = ""')
    with friend.open_session() as session:
        refused = scene.types("apply")
        assert (refused.returncode, refused.stdout) == (REFUSED, "")
        assert "close port 22" in refused.stderr
        assert address in refused.stderr
        assert scene.firewall() == "confirmed"
        scene.does("apply", "--force", "--confirm-within", "2s")
        assert session.is_live()
        assert is_silent(friend)
        scene.wait(lambda: scene.reaches(friend, 22), "he gets in again")
    scene.wait(lambda: not scene.established(address), "he is logged out")
    scene.does("apply")


def test_a_session_that_a_first_trial_cuts_off_goes_on_after_it(unapplied: Firewalled) -> None:
    """Nothing tracked its connection while it was made, so a closed port closes it too; until the trial is over."""
    unapplied.set_ports(str(OPEN), more='\nssh_ports = ""')
    with unapplied.at(FRIEND_IPV4).open_session() as session:
        unapplied.does("apply", "--force", "--confirm-within", "1s")
        assert session.is_live(PATIENCE_SECONDS)


def test_what_we_opened_to_an_administrator_needs_no_open_port(unapplied: Firewalled) -> None:
    friend = unapplied.at(FRIEND_IPV4)
    listening = open_socket(unapplied.network.street, socket.AF_INET, socket.SOCK_STREAM)
    ours = open_socket(unapplied.network.door, socket.AF_INET, socket.SOCK_STREAM)
    with listening, ours, friend.open_session():
        listening.bind((FRIEND_IPV4, 443))
        listening.listen()
        ours.bind((DOOR_IPV4, 50_001))
        ours.connect((FRIEND_IPV4, 443))
        unapplied.does("apply")


def test_connections_go_on_through_apply_confirm_and_rollback(unapplied: Firewalled) -> None:
    with (
        unapplied.at(FRIEND_IPV4).open_session() as four,
        unapplied.at(FRIEND_IPV6).open_session(terminal=False) as six,
    ):
        for words, connection in (
            (("apply",), HERE),
            (("confirm",), ELSEWHERE),
            (("apply",), HERE),
            (("rollback",), HERE),
            (("apply",), HERE),
            (("confirm",), ELSEWHERE),
        ):
            unapplied.does(*words, connection=connection)
            assert four.is_live(), words
            assert six.is_live(), words


def test_a_connection_that_is_silent_from_before_apply_until_after_confirm_goes_on(unapplied: Firewalled) -> None:
    with unapplied.at(FRIEND_IPV4).open_session(terminal=False) as silent:
        unapplied.confirmed()
        assert silent.is_live()


def test_stop_takes_our_table_alone_and_start_brings_everything_back(scene: Firewalled) -> None:
    rules = Path(scene.durward.home, "foreign.nft")
    rules.write_text(FOREIGN, encoding="utf-8")
    scene.door.run(["nft", "-f", rules], check=True)
    foreign = foreign_tables(scene)
    blocked, blocked6 = scene.stranger(), scene.stranger(ipv6=True)
    for attacker in (blocked, blocked6):
        scene.does("block", attacker.address)
        assert is_silent(attacker, OPEN)
    before = scene.table()
    scene.does("stop")
    assert scene.table() == ""
    assert foreign_tables(scene) == foreign
    assert (scene.reached_ports(), scene.reaches(blocked, OPEN), scene.firewall()) == (BOTH, True, "stopped")
    assert "NOT protecting" in scene.types("status").stdout
    assert scene.types("apply").returncode == REFUSED
    scene.does("start")
    scene.wait(lambda: is_silent(blocked, OPEN) and is_silent(blocked6, OPEN), "the blocks are back")
    assert (scene.reached_ports(), scene.firewall()) == (OPEN_ONLY, "confirmed")
    assert without_elements(scene.table()) == without_elements(before)
    assert foreign_tables(scene) == foreign
    scene.wait(lambda: not scene.durward.ask("status")["degraded"], "nothing is degraded")


def foreign_tables(scene: Firewalled) -> str:
    """Every table but ours, with handles."""
    listed = scene.door.run(["nft", "list", "tables"], check=True).stdout.splitlines()
    names = [line.split()[1:] for line in listed if line != "table inet durward"]
    return "".join(scene.door.run(["nft", "-a", "list", "table", *name], check=True).stdout for name in names)


def without_elements(table: str) -> list[str]:
    return [line for line in table.splitlines() if "elements" not in line and "expires" not in line]


def test_what_is_wrong_with_the_settings_is_said_and_changes_nothing(scene: Firewalled) -> None:
    before = scene.table()
    for tcp_in, more, said in (
        ("80-", "", "durward.toml:2"),
        ("99999", "", "durward.toml:2"),
        ("22", '\ninterfaces.eth7 = "trusted"', "no interface eth7"),
    ):
        scene.set_ports(tcp_in, more=more)
        done = scene.types("apply")
        assert (done.returncode, done.stdout) == (WRONG, ""), tcp_in
        assert said in done.stderr
        scene.etc("durward.toml").write_text(scene.etc("durward.toml").read_text().replace(more, ""))
    assert scene.table() == before
    assert scene.firewall() == "confirmed"


@pytest.mark.slow
def test_nothing_is_loaded_where_anything_is_wrong(scene: Firewalled) -> None:
    before, right = scene.table(), scene.etc("durward.toml").read_text(encoding="utf-8")
    for wrong in WRONG_INPUT[::4]:
        named = write(scene.etc("."), wrong)
        done = scene.types("apply")
        assert (done.returncode, done.stdout) == (WRONG, ""), (wrong.name, done.stderr)
        assert f"{named}:{wrong.line}: " in done.stderr, wrong.name
        for path in scene.etc(".").iterdir():
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        scene.etc("durward.toml").write_text(right, encoding="utf-8")
    scene.wait(lambda: not scene.durward.ask("status")["degraded"], "nothing is degraded")
    assert (scene.table(), scene.firewall(), scene.reached_ports()) == (before, "confirmed", OPEN_ONLY)


def test_a_firewall_that_is_switched_off_is_taken_away_and_blocks_stay(scene: Firewalled) -> None:
    blocked, blocked6 = scene.stranger(), scene.stranger(ipv6=True)
    for attacker in (blocked, blocked6):
        scene.does("block", attacker.address)
    scene.does("config", "set", "firewall.enabled=false")
    assert "taken away" in scene.does("apply").stdout
    assert (scene.reached_ports(), scene.firewall()) == (BOTH, "off")
    assert is_silent(blocked, OPEN)
    assert is_silent(blocked6, OPEN)
    assert scene.durward.stop() == 0
    scene.durward.start()
    assert (scene.reached_ports(), scene.firewall()) == (BOTH, "off")
    assert is_silent(blocked, OPEN)
    scene.does("config", "set", "firewall.enabled=true")
    scene.confirmed()
    assert (scene.reached_ports(), scene.firewall()) == (OPEN_ONLY, "confirmed")


def test_a_dry_run_prints_what_nft_takes_and_changes_nothing(unapplied: Firewalled) -> None:
    before = unapplied.table()
    rules = unapplied.does("apply", "--dry-run").stdout
    assert (unapplied.table(), unapplied.firewall()) == (before, "off")
    unapplied.door.run(["nft", "--check", "-f", "-"], input=rules, check=True)


@pytest.mark.slow
def test_nothing_gets_through_while_the_firewall_is_applied_again_and_again(scene: Firewalled) -> None:
    blocked, blocked6 = scene.stranger(), scene.stranger(ipv6=True)
    for attacker in (blocked, blocked6):
        scene.does("block", attacker.address)
    with ExitStack() as streams:
        sent = [
            streams.enter_context(Stamps(attacker, port, kind=kind, rate_per_second=250.0))
            for attacker, port, kind in closed_to(scene, blocked, blocked6)
        ]
        assert all(stream.wait_until_passing(False) for stream in sent)
        for turn in range(APPLIES):
            scene.does("apply")
            if turn % 3 == 2:
                scene.does("confirm", connection=ELSEWHERE)
            elif turn % 3 == 1:
                scene.does("rollback")
        for stream in sent:
            assert [stamp for stamp in stream.stamps() if stamp.passed_at is not None] == []
            assert len(stream.stamps()) > 500
    assert scene.reached_ports() == OPEN_ONLY


def closed_to(scene: Firewalled, blocked: Attacker, blocked6: Attacker) -> list[tuple[Attacker, int, str]]:
    """Who sends what that must never arrive."""
    return [
        (scene.stranger(), CLOSED_UDP, "udp"),
        (scene.stranger(ipv6=True), CLOSED_UDP, "udp"),
        (scene.stranger(), CLOSED_UDP, "tcp"),
        (blocked, OPEN_UDP, "udp"),
        (blocked6, OPEN_UDP, "udp"),
    ]
