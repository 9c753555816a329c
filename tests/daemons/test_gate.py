"""The gate: what root says about the firewall is done or refused with a reason, and no word of root's ends it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.namespaces import Namespace

from durward.control.words import ROOT_TABLE, encode
from durward.daemons import administrators
from durward.daemons import gate as gate_module
from durward.daemons.gate import Gate
from durward.model import Address, parse_address
from durward.privileged.guards import Guards
from durward.privileged.guards import Policy as GuardPolicy
from durward.privileged.keeper import Keeper
from durward.privileged.logins import Login
from durward.privileged.sets import Sets
from durward.ruleset.firewall import firewall
from durward.ruleset.levels import BLOCK_PREFIX_V6
from durward.ruleset.policy import Policy
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel

REFUSED = 3
HERE, ELSEWHERE = "203.0.113.9 40022 192.0.2.1 22", "203.0.113.9 40023 192.0.2.1 22"


class Room:
    """A gate in a network namespace of its own, and root who talks to it."""

    def __init__(self, directory: Path, namespace: Namespace) -> None:
        self.directory, self.namespace = directory, namespace
        self.times_anew = 0
        self.sets = Sets()
        self.gate = self.begin()

    def begin(self) -> Gate:
        """What the next enforcer does."""
        self.keeper = Keeper(self.sets, Guards(list, GuardPolicy()), BLOCK_PREFIX_V6)
        self.gate = Gate(self.directory, self.directory / "stopped", skeleton(), self.anew, self.keeper)
        return self.gate

    def anew(self) -> None:
        self.times_anew += 1

    def say(self, word: str, *texts: str, **fields: Any) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(self.send(encode(word, table=ROOT_TABLE, **fields), *texts))
        return reply

    def send(self, packet: bytes, *texts: str) -> bytes:
        """What the gate answers to a packet with these texts beside it; nothing where it hangs up."""
        root, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with root, ExitStack() as files:
            descriptors = []
            for text in texts:
                file = files.enter_context(os.fdopen(os.memfd_create("firewall"), "w"))
                file.write(text)
                file.flush()
                descriptors.append(file.fileno())
            socket.send_fds(root, [packet], descriptors)
            self.gate.hear(gate)
            return root.recv(65_536)

    def apply(self, generation: str = "a", *texts: str, **fields: Any) -> dict[str, Any]:
        given = {"open_ports": [[22, 22]], "seconds": 60, "force": False, "connection": HERE, **fields}
        return self.say("firewall apply", *(texts or (firewall(Policy(), generation),)), **given)

    def confirm(self) -> dict[str, Any]:
        """Confirm from a connection that is there only now."""
        with connected() as name:
            return self.say("firewall confirm", connection=name)

    def chains(self) -> str:
        return self.namespace.run("nft", "list", "chains", "inet")


@contextmanager
def connected() -> Iterator[str]:
    """A connection to this host, as sshd would write it into SSH_CONNECTION."""
    with socket.create_server(("", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as theirs, listening.accept()[0]:
            yield f"127.0.0.1 {theirs.getsockname()[1]} 127.0.0.1 {port}"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    namespace = Namespace()
    with namespace.inside():
        made = Room(tmp_path, namespace)
        yield made
        made.gate.changes.close()
        made.sets.close()
    namespace.close()


def test_applied_confirmed_and_applied_again(room: Room) -> None:
    assert room.say("firewall state") == {"firewall": "off", "generation": "a", "trial_seconds": 0}
    assert room.apply() == {"firewall": "trial", "generation": "a", "trial_seconds": 60}
    assert "goto" not in room.chains()
    assert room.confirm()["firewall"] == "confirmed"
    assert room.apply("b") == {"firewall": "trial", "generation": "b", "trial_seconds": 60}
    assert room.say("firewall rollback")["firewall"] == "confirmed"


def test_a_confirmation_from_the_same_connection_is_refused(room: Room) -> None:
    room.apply()
    reply = room.say("firewall confirm", connection=HERE)
    assert reply["status"] == REFUSED
    assert "new connection" in reply["error"]
    assert room.gate.state() == "trial"


def test_what_is_not_on_trial_is_refused(room: Room) -> None:
    for word, fields in (("firewall confirm", {"connection": HERE}), ("firewall rollback", {})):
        reply = room.say(word, **fields)
        assert reply["status"] == REFUSED
        assert "no firewall on trial" in reply["error"]


def test_a_text_for_a_generation_that_is_kept_meanwhile_is_refused(room: Room) -> None:
    """Two people apply at once: what the second one compiled must not be mixed into what the first one confirmed."""
    room.apply("a")
    room.confirm()
    before = room.namespace.run("nft", "list", "table", "inet", "durward")
    reply = room.apply("a")
    assert reply["status"] == REFUSED
    assert "apply yours again" in reply["error"]
    assert room.namespace.run("nft", "list", "table", "inet", "durward") == before


@pytest.mark.parametrize("texts", [(), ("one", "two")])
def test_one_text_is_expected(room: Room, texts: tuple[str, ...]) -> None:
    fields = {"open_ports": [], "seconds": 60, "force": True, "connection": ""}
    assert room.say("firewall apply", *texts, **fields)["status"] == REFUSED


@pytest.mark.parametrize("text", ["", "nonsense", "table inet durward { chain input_a { nonsense; }; }", "\udcff"])
def test_a_text_that_is_no_firewall_changes_nothing(room: Room, text: str) -> None:
    before = room.namespace.run("nft", "list", "ruleset")
    with ExitStack() as files:
        file = files.enter_context(os.fdopen(os.memfd_create("firewall"), "w", errors="surrogateescape"))
        file.write(text)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        broken = room.send(packet(), text) if text != "\udcff" else raw(room, file.fileno())
    assert json.loads(broken)["status"] in (1, REFUSED)
    assert room.namespace.run("nft", "list", "ruleset") == before
    assert room.gate.state() == "off"


def packet() -> bytes:
    fields = {"open_ports": [], "seconds": 60, "force": True, "connection": ""}
    return encode("firewall apply", table=ROOT_TABLE, **fields)


def raw(room: Room, descriptor: int) -> bytes:
    root, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with root:
        socket.send_fds(root, [packet()], [descriptor])
        room.gate.hear(gate)
        return root.recv(65_536)


@pytest.mark.parametrize("said", [b"garbage", b"{}", b'{"word":"block","entries":[]}', b"\xff" * 5000])
def test_what_is_no_word_is_not_answered(room: Room, said: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert room.send(said) == b""
    assert "no word" in capsys.readouterr().err
    assert room.say("firewall state")["firewall"] == "off"


def test_root_that_says_nothing_is_not_waited_for_long(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "PATIENCE_SECONDS", 0.05)
    root, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with root:
        room.gate.hear(gate)
        assert root.recv(10) == b""


def test_root_that_does_not_wait_for_the_answer_is_obeyed(room: Room) -> None:
    root, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    root.send(encode("firewall off", table=ROOT_TABLE))
    root.close()
    room.gate.hear(gate)
    assert room.gate.state() == "stopped"


def test_descriptors_that_came_along_are_closed(room: Room) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        room.apply("a", "nonsense", "more")
        room.send(b"garbage", "text")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_stopped_means_no_table_and_started_means_the_same_as_before(room: Room) -> None:
    room.apply()
    room.confirm()
    before = room.chains()
    assert room.say("firewall off")["firewall"] == "stopped"
    assert room.chains() == ""
    assert room.say("firewall on")["firewall"] == "confirmed"
    assert (room.chains(), room.times_anew) == (before, 1)


def test_while_it_is_stopped_nothing_is_put_into_the_kernel(room: Room) -> None:
    room.apply()
    room.say("firewall off")
    for reply in (room.apply(), room.say("firewall confirm", connection=ELSEWHERE), room.say("firewall rollback")):
        assert reply["status"] == REFUSED
        assert "durward start" in reply["error"]
    room.gate.tick()
    room.gate.changes.close()
    assert room.begin().state() == "stopped", "the next enforcer keeps to it"
    assert room.chains() == ""


def test_a_trial_is_on_again_when_it_is_started_in_time(room: Room) -> None:
    room.apply()
    room.say("firewall off")
    reply = room.say("firewall on")
    assert reply["firewall"] == "trial"
    assert 0 < reply["trial_seconds"] <= 60


def test_the_end_of_a_trial_is_told_once(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.apply(seconds=1)
    room.gate.tick()
    assert capsys.readouterr().err == ""
    ended = threading.Event()
    while room.gate.state() == "trial":
        ended.wait(0.05)
    room.gate.tick()
    room.gate.tick()
    assert capsys.readouterr().err.count("nobody confirmed the firewall") == 1
    assert (room.gate.state(), "input_a" in room.chains()) == ("off", False)


class LoggedIn:
    """An administrator who is logged in from his address."""

    address: Address = parse_address("127.0.0.1")

    def live_logins(self) -> list[Login]:
        return [Login("root", self.address, os.getpid())]


def test_the_port_of_a_live_login_is_not_closed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administrators, "Surroundings", LoggedIn)
    with socket.create_server(("", 2222)) as listening, socket.create_connection(("127.0.0.1", 2222)) as theirs:
        ours, _ = listening.accept()
        with ours:
            reply = room.apply()
            assert reply["status"] == REFUSED
            assert "this would close port 2222" in reply["error"]
            assert "--force" in reply["error"]
            assert room.gate.state() == "off"
            assert theirs.getsockname()[1] != 2222, "his own port is none of ours, though both are ours here"
            assert room.apply(open_ports=[[22, 22], [2000, 3000]])["firewall"] == "trial"
            room.say("firewall rollback")
            assert room.apply(force=True)["firewall"] == "trial"


def test_who_is_allowed_whatever_the_port_needs_no_open_one(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administrators, "Surroundings", LoggedIn)
    room.gate._allows = lambda address: address == LoggedIn.address
    with connected():
        assert room.apply(open_ports=[])["firewall"] == "trial"


def test_whoever_applies_is_spared_though_the_system_has_no_record_of_him(room: Room) -> None:
    with connected() as name:
        reply = room.apply(open_ports=[], connection=name)
        assert (reply["status"], "whoever asks for this" in reply["error"]) == (REFUSED, True)
        port = int(name.split()[3])
        assert room.say("firewall ways", connection=name) == {"ways": [["127.0.0.1", port, "whoever asks for this"]]}
        assert room.apply(open_ports=[[port, port]], connection=name)["firewall"] == "trial"
    assert room.say("firewall ways", connection=ELSEWHERE) == {"ways": []}
    assert room.say("firewall ways", connection="at a console") == {"ways": []}


def test_no_connection_from_before_confirms_nor_one_that_is_over(room: Room) -> None:
    with connected() as older:
        room.apply()
        reply = room.say("firewall confirm", connection=older)
        assert (reply["status"], "new connection" in reply["error"]) == (REFUSED, True)
        room.gate.changes.close()
        assert room.begin().state() == "trial"
        assert room.say("firewall confirm", connection=older)["status"] == REFUSED, "the next enforcer knows them too"
    reply = room.say("firewall confirm", connection=ELSEWHERE)
    assert (reply["status"], "connection that is over" in reply["error"]) == (REFUSED, True)
    assert room.confirm()["firewall"] == "confirmed"


def test_at_a_console_no_connection_is_asked_for(room: Room) -> None:
    room.apply()
    assert room.say("firewall confirm", connection="")["firewall"] == "confirmed"


@pytest.mark.parametrize("other", [ELSEWHERE, ""])
def test_of_two_who_apply_at_once_the_second_is_told(room: Room, other: str) -> None:
    room.apply()
    reply = room.apply(connection=other)
    assert (reply["status"], "203.0.113.9 applied is on trial for 60 s more" in reply["error"]) == (REFUSED, True)
    assert room.apply()["firewall"] == "trial", "the first may apply again"
    assert room.apply(connection=other, force=True)["firewall"] == "trial"
    assert room.apply()["status"] == REFUSED


def test_a_firewall_that_is_taken_away_does_not_come_back(room: Room) -> None:
    room.apply()
    room.confirm()
    assert "input_a" in room.chains()
    assert room.say("firewall none") == {"firewall": "off", "generation": "a", "trial_seconds": 0}
    assert "input_a" not in room.chains()
    assert "block" in room.namespace.run("nft", "list", "table", "inet", "durward"), "blocks stay"
    room.gate.changes.close()
    room.begin()
    assert (room.gate.state(), list(room.directory.glob("*.nft"))) == ("off", [])


def test_what_somebody_else_took_out_is_put_back_and_told(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.apply()
    room.confirm()
    before = room.chains()
    room.namespace.run("nft", "delete", "table", "inet", "durward")
    room.gate.look()
    assert (room.chains(), room.times_anew) == (before, 1)
    (report,) = room.gate.reports
    assert "(nft) changed rules or sets" in report
    assert report in capsys.readouterr().err
    room.gate.look()
    assert room.gate.reports == [report], "our own repair is nobody else's change"


def test_what_others_do_to_their_own_tables_is_none_of_our_business(room: Room) -> None:
    room.namespace.run("nft", "add", "table", "inet", "somebody")
    room.namespace.run("nft", "add", "table", "ip", "durward")
    room.gate.look()
    assert (room.gate.reports, room.times_anew) == ([], 0)
