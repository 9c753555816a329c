"""Who is locked out knocks and is let in to SSH, alone and for a while; nobody else, and no scan sees it."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from arena.attacker import Answer, Attacker
from arena.namespace import configure
from arena.network import DOOR_IPV4, DOOR_IPV6, FRIEND_IPV4
from arena.processes import Completed
from tests.attacks.firewalled import CLOSED_UDP, OPEN, SETTINGS, Firewalled
from tests.attacks.scene import is_silent

from durward.control import ed25519
from durward.engine import knocks
from durward.model.knock import KNOCK_BYTES, Knock, key_id_of

pytestmark = pytest.mark.kernel

KNOCK_PORT = 22022
NAME = "web1.example.com"
KNOCKING = f"""\
[firewall.authorised_knock]
port = {KNOCK_PORT}
names = ["{NAME}"]

"""
CLOSED_SSH = SETTINGS.replace('tcp_in = "22,', 'ssh_ports = ""\ntcp_in = "') + KNOCKING
PROGRAM = Path(sys.executable).with_name("durward")
FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])


class Locked(Firewalled):
    """A door whose SSH is closed to everybody, with the keys of alice and, opening for others, of carol."""

    def __init__(self, *, begin: str = "confirmed") -> None:
        super().__init__(begin=begin, settings=CLOSED_SSH)

    def before_start(self) -> None:
        lines = [f"{option}{self.make_key(name)}" for name, option in (("alice", ""), ("carol", "opens-for-others "))]
        self.make_key("mallory")
        self.etc("allow.list").write_text(f"{FRIEND_IPV4}  # confirms\n", encoding="ascii")
        self.etc("knock_keys").write_text("# who may knock\n" + "\n".join(lines) + "\n", encoding="ascii")

    def make_key(self, name: str) -> str:
        """Make a key with ssh-keygen; give its public line."""
        path = self.key(name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@laptop", "-f", path], check=True)
        return Path(f"{path}.pub").read_text(encoding="ascii").strip()

    def key(self, name: str) -> Path:
        return self.durward.home / f"key_{name}"

    def locked_out(self, *, ipv6: bool = False) -> Attacker:
        """Give somebody who is blocked."""
        attacker = self.stranger(ipv6=ipv6)
        assert self.durward.command("block", attacker.address).returncode == 0
        return attacker

    def knocks(self, attacker: Attacker, *words: str, key: str = "alice", host: str = "") -> Completed:
        """Type `durward knock` where this address is the one that is sent from."""
        with self.comes_from(attacker.address):
            return self.network.run_in(
                self.network.street,
                [PROGRAM, "knock", host or attacker.target, "--key", self.key(key), *words],
                env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
                timeout_seconds=20.0,
            )

    @contextmanager
    def comes_from(self, address: str) -> Iterator[None]:
        """While this lasts, the street sends to the door from this address."""
        route = f"{DOOR_IPV6 if ':' in address else DOOR_IPV4} dev eth0"
        configure(self.network.street, [f"route replace {route} src {address}"])
        try:
            yield
        finally:
            configure(self.network.street, [f"route del {route}"])

    def sends(self, attacker: Attacker, *datagrams: bytes, port: int = KNOCK_PORT) -> None:
        """Send datagrams as they are."""
        with attacker.open_socket(socket.SOCK_DGRAM) as sending:
            for datagram in datagrams:
                sending.sendto(datagram, (attacker.target, port))

    def refused(self) -> dict[str, int]:
        """Give how many knocks were refused, by the reason."""
        return dict(self.durward.ask("status")["knocks"]["refused"])

    def await_refusal(self, reason: str, before: dict[str, int], count: int = 1) -> None:
        self.wait(lambda: self.refused().get(reason, 0) >= before.get(reason, 0) + count, f"refused: {reason}")

    def accepted(self) -> int:
        return int(self.durward.ask("status")["knocks"]["accepted"])

    def processes(self) -> dict[str, int]:
        return {one["name"]: one["pid"] for one in self.durward.ask("status")["processes"]}


@pytest.fixture(scope="module")
def locked() -> Iterator[Locked]:
    with Locked() as scene:
        yield scene


def private_key(path: Path) -> bytes:
    from durward.control.ssh_keys import read_key

    private = read_key(path.read_text(encoding="ascii")).private
    assert private is not None
    return private


def made(locked: Locked, attacker: Attacker, *, key: str = "alice", at: float = 0.0, **other: Any) -> bytes:
    """A knock of this address, as `durward knock` makes it, or otherwise."""
    secret = private_key(locked.key(key))
    address = ip_address(other.get("address", attacker.address))
    sent_at = int((time.time() + at) * 1000)
    nonce = other.get("nonce", secrets.token_bytes(16))
    knock = Knock(key_id_of(ed25519.public_key_of(secret)), sent_at, nonce, address, 5)
    return knock.body() + ed25519.sign(secret, knock.signed_for(other.get("host", attacker.target)))


@FAMILIES
def test_a_blocked_address_knocks_and_gets_in_to_a_closed_ssh(locked: Locked, ipv6: bool) -> None:
    admin = locked.locked_out(ipv6=ipv6)
    assert is_silent(admin)
    assert is_silent(admin, OPEN)
    done = locked.knocks(admin)
    assert done.returncode == 0, done.stderr
    assert f"SSH is to open for {admin.address}" in done.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "")
    locked.wait(admin.can_connect, "the knock was heard")
    assert admin.guess("correct-horse-9", "alice") is Answer.LET_IN
    assert is_silent(admin, OPEN)  # it opens nothing else: the block holds
    assert is_silent(locked.stranger(ipv6=ipv6))  # and for nobody else


def test_it_is_a_decision_like_any_other_and_can_be_undone(locked: Locked) -> None:
    admin = locked.locked_out()
    assert locked.knocks(admin, "--for", "2m").returncode == 0
    locked.wait(admin.can_connect, "the knock was heard")
    (listed,) = [one for one in locked.lines("list", "allowed") if one["subject"] == admin.address]
    assert (listed["ports"], listed["reason"]) == ("22", "authorised knock of alice@laptop")
    logged = next(one for one in locked.log() if one["decision"] == listed["decision"])
    assert (logged["verdict"], logged["origin"]) == ("allow", "knock:alice@laptop")
    assert json.dumps(locked.why(admin.address)).count("authorised knock of alice@laptop") >= 1
    session = admin.open_session(terminal=False)
    with session:
        assert locked.durward.command("undo", str(listed["decision"])).returncode == 0
        locked.wait(lambda: is_silent(admin), "the way in is closed again")
        assert not session.is_live()  # what an operator takes back ends at once


@pytest.mark.slow
def test_sessions_live_on_when_the_time_is_over_and_new_ones_are_refused(locked: Locked) -> None:
    admins = [locked.locked_out(ipv6=ipv6) for ipv6 in (False, True)]
    with ExitStack() as stack:
        sessions = []
        for admin in admins:
            assert locked.knocks(admin, "--for", "1m").returncode == 0
            locked.wait(admin.can_connect, "the knock was heard")
            sessions.append(stack.enter_context(admin.open_session(terminal=False)))
        for admin in admins:
            locked.wait(lambda admin=admin: is_silent(admin), "the minute is over", 75.0)
        assert [session.is_live() for session in sessions] == [True, True]
        assert [is_silent(admin) for admin in admins] == [True, True]
        assert [session.is_live() for session in sessions] == [True, True]


def test_a_replay_is_refused_also_after_the_engine_was_killed(locked: Locked) -> None:
    admin = locked.locked_out()
    knock = made(locked, admin)
    before, accepted = locked.refused(), locked.accepted()
    locked.sends(admin, knock)
    locked.wait(lambda: locked.accepted() == accepted + 1, "the knock was heard")
    locked.sends(admin, knock)
    locked.await_refusal(knocks.REPLAYED, before)
    killed = locked.processes()["engine"]
    os.kill(killed, signal.SIGKILL)
    locked.wait(lambda: engine_after(locked, killed), "the engine is started again")
    locked.sends(admin, knock)
    locked.await_refusal(knocks.REPLAYED, {})
    assert locked.accepted() == 0


def engine_after(locked: Locked, killed: int) -> bool:
    done = locked.durward.command("status", "--json")
    if done.returncode != 0:
        return False
    pids = {one["name"]: one["pid"] for one in json.loads(done.stdout)["processes"]}
    return pids.get("engine") not in (None, killed)


def test_a_knock_while_the_engine_is_away_waits_for_it(locked: Locked) -> None:
    admin = locked.locked_out()
    killed = locked.processes()["engine"]
    os.kill(killed, signal.SIGKILL)
    locked.sends(admin, made(locked, admin))
    locked.wait(admin.can_connect, "the knock was heard when the engine was back")


def test_knocks_are_heard_after_the_enforcer_was_killed(locked: Locked) -> None:
    admin = locked.locked_out()
    killed = locked.processes()["enforcer"]
    os.kill(killed, signal.SIGKILL)
    locked.wait(lambda: locked.durward.ask("status")["protecting"] is True, "the enforcer is back")
    locked.wait(lambda: locked.processes()["enforcer"] != killed, "the enforcer is another one")
    locked.wait(lambda: "problem" not in locked.durward.ask("status")["knocks"], "knocks are heard again")
    locked.sends(admin, made(locked, admin))
    locked.wait(admin.can_connect, "the knock was heard")


def test_what_is_not_right_opens_nothing_and_is_told_of(locked: Locked) -> None:
    other = locked.stranger()
    wrong = {
        "another host": ({"host": "web2.example.com"}, knocks.NOT_SIGNED),
        "a key that is not listed": ({"key": "mallory"}, knocks.UNKNOWN_KEY),
        "too old": ({"at": -62.0}, knocks.TOO_OLD),
        "too new": ({"at": 62.0}, knocks.TOO_NEW),
        "for somebody else": ({"address": other.address}, knocks.FOR_OTHERS),
    }
    for what, (changed, reason) in wrong.items():
        admin, before = locked.locked_out(), locked.refused()
        locked.sends(admin, made(locked, admin, **changed))
        locked.await_refusal(reason, before)
        assert is_silent(admin), what
    assert is_silent(other)
    told = [one for one in locked.lines("doctor") if (one["check"], one["subject"]) == ("knock", "refused")]
    assert {one["result"] for one in told} == {"unknown"}
    assert any(knocks.NOT_SIGNED in one["detail"] for one in told)


def test_every_bit_of_a_knock_counts(locked: Locked) -> None:
    admin, accepted = locked.locked_out(), locked.accepted()
    knock = made(locked, admin)
    for place in (12, 20, 40, 49, 60, KNOCK_BYTES - 1):
        locked.sends(admin, knock[:place] + bytes([knock[place] ^ 1]) + knock[place + 1 :])
    locked.sends(admin, knock[:-1], knock + b"\0", b"")
    locked.sends(admin, knock)  # the right one comes last and is heard, so all others were
    locked.wait(lambda: locked.accepted() > accepted, "the knock was heard")
    assert locked.accepted() == accepted + 1


def test_a_copied_knock_is_nothing_to_who_copied_it(locked: Locked) -> None:
    admin, thief = locked.locked_out(), locked.locked_out()
    before = locked.refused()
    locked.sends(thief, made(locked, admin))
    locked.await_refusal(knocks.FOR_OTHERS, before)
    assert is_silent(thief)


def test_by_its_name_and_for_others_where_the_key_may(locked: Locked) -> None:
    admin, helper = locked.locked_out(), locked.stranger()
    done = locked.knocks(helper, "--name", NAME.upper() + ".", "--open-for", admin.address, "--json", key="carol")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["name"], answer["opens_for"], answer["source"]) == (NAME, admin.address, helper.address)
    locked.wait(admin.can_connect, "the knock was heard")
    assert is_silent(helper)


def test_a_key_that_is_taken_out_opens_nothing_any_more(locked: Locked) -> None:
    path = locked.etc("knock_keys")
    kept = path.read_text(encoding="ascii")
    admin, before = locked.locked_out(), locked.refused()
    try:
        path.write_text("".join(line for line in kept.splitlines(keepends=True) if "alice" not in line))
        locked.sends(admin, made(locked, admin))
        locked.await_refusal(knocks.UNKNOWN_KEY, before)
        assert is_silent(admin)
    finally:
        path.write_text(kept)
    locked.wait(lambda: locked.durward.ask("status")["knocks"]["keys"] == 2, "the keys are read again")
    locked.sends(admin, made(locked, admin))
    locked.wait(admin.can_connect, "the knock was heard")


def test_a_flood_hurts_nobody_and_keeps_nobody_out(locked: Locked) -> None:
    thief, admin = locked.locked_out(), locked.locked_out()
    pid = locked.processes()["engine"]
    known = made(locked, thief, host="web2.example.com")
    noise = [bytes([1]) + os.urandom(KNOCK_BYTES - 1) for _ in range(1000)]
    tampered = [known[:60] + os.urandom(KNOCK_BYTES - 60) for _ in range(1000)]
    for _ in range(25):  # 100,000 in all
        locked.sends(thief, *noise, *tampered)
        locked.sends(locked.at("198.51.100.7"), *noise, *tampered)
    locked.sends(admin, made(locked, admin))
    locked.wait(admin.can_connect, "the knock was heard in spite of the flood")
    assert locked.processes()["engine"] == pid
    assert locked.durward.ask("status")["protecting"] is True
    refused = sum(locked.refused().values())
    assert 0 < refused < 5000  # the kernel held the others back
    assert is_silent(thief)


@FAMILIES
def test_a_scan_sees_a_port_like_any_other_closed_one(locked: Locked, ipv6: bool) -> None:
    scanner = locked.stranger(ipv6=ipv6)
    words = [
        "nmap",
        *(["-6"] if ipv6 else []),
        "-Pn",
        "-n",
        "-sU",
        "-S",
        scanner.address,
        "-e",
        "eth0",
        "--max-retries",
        "1",
    ]
    ports = f"{KNOCK_PORT},{CLOSED_UDP}"
    done = locked.network.run_in(
        locked.network.street, [*words, "-p", ports, scanner.target], check=True, timeout_seconds=60.0
    )
    states = dict(re.findall(r"^(\d+)/udp\s+(\S+)", done.stdout, re.MULTILINE))
    assert states == {str(KNOCK_PORT): "open|filtered", str(CLOSED_UDP): "open|filtered"}
    with scanner.open_socket(socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.5)
        for port in (KNOCK_PORT, CLOSED_UDP):
            asking.sendto(made(locked, scanner, key="mallory"), (scanner.target, port))
        with pytest.raises(TimeoutError):
            asking.recv(1)


def test_knocking_works_again_after_somebody_tore_its_rules_out(locked: Locked) -> None:
    admin = locked.locked_out()
    locked.door.run(["nft", "flush", "chain", "inet", "durward", "firewall_knock"], check=True)
    locked.wait(lambda: "dport 22022" in locked.table(), "the rules are back")
    locked.sends(admin, made(locked, admin))
    locked.wait(admin.can_connect, "the knock was heard")


def test_without_a_firewall_and_after_a_stop_it_lets_in_who_is_blocked() -> None:
    with Locked(begin="off") as scene:
        for words in ((), ("stop", "start")):
            for word in words:
                scene.does(word)
            admin = scene.locked_out()
            assert is_silent(admin)
            assert scene.knocks(admin).returncode == 0
            scene.wait(admin.can_connect, "the knock was heard")
            assert is_silent(admin, OPEN)
