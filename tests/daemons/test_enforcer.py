"""The enforcer listens to the engine alone, ends the talk at the first word it does not know, and goes on serving."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.daemons.forked import forked
from tests.kernel.namespaces import Namespace

from durward.config.home import Home
from durward.control.channel import Channel, ChannelError, receive
from durward.control.words import Entry, encode
from durward.daemons.door import Door
from durward.daemons.privileges import account, become
from durward.daemons.supervisor import prepare
from durward.model import EVERYTHING, Port, Scope, Subject
from durward.model.decision import PORTS_MAX

pytestmark = pytest.mark.kernel
READY_SECONDS = 20
HERE = Subject.parse("203.0.113.9")


class Running:
    """A real enforcer in a network namespace of its own."""

    def __init__(self, directory: Path, namespace: Namespace) -> None:
        self.home = Home.below(directory)
        self.log = directory / "auth.log"
        self.said = directory / "said"
        prepare(self.home)
        self.log.write_text("a line\n")
        settings = f'[services.sshd]\nfiles = ["{self.log}"]\njournal = []\n'
        (self.home.etc / "durward.toml").write_text(settings)
        places = ["--etc", str(self.home.etc), "--lib", str(self.home.lib), "--run", str(self.home.run)]
        with namespace.inside(), self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "durward.daemons.enforcer", *places], stdin=subprocess.DEVNULL, stderr=said
            )
        for _ in range(READY_SECONDS * 50):
            if "keeps the table" in self.said.read_text():
                return
            assert self.process.poll() is None, self.said.read_text()
            time.sleep(0.02)
        pytest.fail(self.said.read_text())

    def close(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def as_engine(self, act: Callable[[Channel], object]) -> str:
        """What the engine's user is answered."""

        def talk() -> object:
            become("durward-engine")
            channel = Channel(self.home.enforcer_socket)
            channel.connect()
            return act(channel)

        return forked(talk)

    def raw(self, *packets: bytes) -> list[str]:
        """What is answered to each of these packets, said by the engine's user in one conversation; "" is its end."""

        def act(channel: Channel) -> str:
            assert channel._socket is not None
            answers = []
            for packet in packets:
                try:
                    channel._socket.send(packet)
                    answers.append(receive(channel._socket)[0].decode())
                except OSError:
                    answers.append("")
            return json.dumps(answers)

        answers: list[str] = json.loads(self.as_engine(act))
        return answers

    def serves(self) -> bool:
        return self.raw(encode("state", listing="block", entries=[]))[0].startswith('{"readings":[]')


@pytest.fixture(scope="module")
def enforcer() -> Iterator[Running]:
    namespace = Namespace()
    with TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        running = Running(Path(directory), namespace)
        yield running
        assert running.close() == 0
    namespace.close()


def entry(subject: Subject = HERE, **fields: Any) -> Entry:
    return Entry(subject, **{"scope": EVERYTHING, "until": time.time() + 600, "decision": 17, **fields})


def test_blocks_are_put_read_and_taken_out(enforcer: Running) -> None:
    def act(channel: Channel) -> str:
        door = Door(Path())
        door.channel = channel
        assert door.block([entry()]) == []
        (there,) = door.readings([entry()])
        door.unblock("block", [entry()])
        (gone,) = door.readings([entry()])
        return f"{there is not None} {gone is None}"

    assert enforcer.as_engine(act) == "True True"


def test_guards_hold_for_the_engine_too(enforcer: Running) -> None:
    def act(channel: Channel) -> list[str]:
        door = Door(Path())
        door.channel = channel
        return [refusal.reason for refusal in door.block([entry(Subject.parse("127.0.0.1")), entry()])]

    assert "this host itself" in enforcer.as_engine(act)


def test_a_long_list_is_made_true_in_parts(enforcer: Running) -> None:
    ports = tuple(Port(20_000 + number, "udp") for number in range(PORTS_MAX))
    many = [entry(Subject.parse(f"203.0.113.{number}"), scope=Scope(ports)) for number in range(1, 8)]

    def act(channel: Channel) -> list[bool]:
        door = Door(Path())
        door.channel = channel
        assert door.replace("block", many, last=True) == []
        found = [reading is not None for reading in door.readings(many)]
        door.replace("block", [], last=True)
        return [*found, *(reading is None for reading in door.readings(many))]

    assert enforcer.as_engine(act) == str([True] * 14)


def test_a_source_comes_as_a_descriptor_and_no_other_file_does(enforcer: Running) -> None:
    def act(channel: Channel) -> list[object]:
        _answer, (descriptor,) = channel.ask_descriptors("open file", path=str(enforcer.log))
        refused = [channel.ask_descriptors("open file", path=path) for path in ("/etc/shadow", f"{enforcer.log}/../x")]
        return [os.pread(descriptor, 100, 0), [descriptors for _answer, descriptors in refused]]

    assert enforcer.as_engine(act) == "[b'a line\\n', [[], []]]"


def test_root_and_strangers_are_not_the_engine(enforcer: Running) -> None:
    def as_user(uid: int, gid: int) -> str:
        def talk() -> str:
            os.setgroups([account("durward-engine").pw_gid])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            channel = Channel(enforcer.home.enforcer_socket)
            try:
                channel.connect()
                return str(channel.ask("block", entries=[entry()]))
            except ChannelError as error:
                return str(error)

        return forked(talk)

    group = account("durward-engine").pw_gid
    for uid in (65534, account("durward-enforcer").pw_uid):
        assert as_user(uid, group).startswith("the enforcer ")
        assert f"a process of user {uid} is not the engine" in enforcer.said.read_text()
    assert as_user(0, group).startswith("the enforcer ")
    assert "root said what is no word" in enforcer.said.read_text(), "root has words of its own, and no others"
    assert "Permission denied" in forked(lambda: _stranger(enforcer.home))
    assert enforcer.serves()


def _stranger(home: Home) -> str:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    with pytest.raises(ChannelError) as refused:
        Channel(home.enforcer_socket).connect()
    return str(refused.value)


@pytest.mark.parametrize(
    "packet",
    [
        *(b"garbage", b"\xff" * 100, b"{}", b'{"word":"shout"}', b"[" * 4096, b'{"word": "open watch"}', b"x" * 60_000),
        *(b'{"word":"open file","path":"/etc/shadow","path":"/etc/shadow"}', b'{"word":"open file","path":"etc"}'),
        *(b'{"word":"firewall off"}', b'{"word":"block","entries":[["203.0.113.9","in:",NaN,1,true]]}'),
    ],
)
def test_what_is_no_word_ends_the_talk_and_the_next_one_is_served(enforcer: Running, packet: bytes) -> None:
    good = encode("state", listing="block", entries=[])
    first, second, third = enforcer.raw(good, packet, good)
    assert first.startswith('{"readings":[]')
    assert (second, third) == ("", "")
    assert enforcer.serves()


def test_a_later_talk_takes_the_place_of_an_earlier_one(enforcer: Running) -> None:
    def act(channel: Channel) -> str:
        later = Channel(enforcer.home.enforcer_socket)
        later.connect()
        assert later.ask("state", listing="block", entries=[])["readings"] == []
        with pytest.raises(ChannelError):
            channel.ask("state", listing="block", entries=[])
        return "served"

    assert enforcer.as_engine(act) == "served"


def test_an_engine_that_takes_no_answers_is_left_and_the_next_one_served(enforcer: Running) -> None:
    def act(channel: Channel) -> str:
        assert channel._socket is not None
        channel._socket.settimeout(0.2)
        question = encode("state", listing="block", entries=[])
        with pytest.raises(OSError):  # noqa: PT012 — it is left somewhere on the way
            for _ in range(100_000):
                channel._socket.send(question)
        later = Channel(enforcer.home.enforcer_socket)
        later.connect()
        return str(later.ask("state", listing="block", entries=[])["readings"])

    assert enforcer.as_engine(act) == "[]"


def test_descriptors_of_others_are_closed(enforcer: Running) -> None:
    def act(channel: Channel) -> int:
        assert channel._socket is not None
        question = encode("state", listing="block", entries=[])
        for _ in range(20):
            socket.send_fds(channel._socket, [question], [0] * 60)
            assert receive(channel._socket, 65_536)[0]
        return 0

    before = len(list(Path(f"/proc/{enforcer.process.pid}/fd").iterdir()))
    enforcer.as_engine(act)
    assert enforcer.serves()
    assert len(list(Path(f"/proc/{enforcer.process.pid}/fd").iterdir())) <= before + 1


def test_nobody_in_its_process_is_root(enforcer: Running) -> None:
    status = Path(f"/proc/{enforcer.process.pid}/status").read_text()
    uid = account("durward-enforcer").pw_uid
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
    assert "NoNewPrivs:\t1" in status
