"""Alerts from the line in a log to the receiver: real servers, a dead one, and senders and engines that are killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.receivers import HOST, MailServer, Received, WebServer
from tests.daemons.forked import forked
from tests.kernel.namespaces import Namespace

from durward.control.requests import ask, ask_one
from durward.daemons.privileges import account

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
PATIENCE_SECONDS = 30
SETTINGS = """
[firewall]
enabled = false
[services.sshd]
files   = ["{log}"]
journal = []
"""


class Town:
    """A durward of its own in a network of its own, whose receivers are on loopback there."""

    def __init__(self, settings: str) -> None:
        self.stack = ExitStack()
        self.network = Namespace()
        self.stack.callback(self.network.close)
        self.home = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        self.home.chmod(0o755)
        self.log = self.home / "auth.log"
        self.log.touch()
        (self.home / "etc").mkdir()
        (self.home / "etc" / "durward.toml").write_text(SETTINGS.format(log=self.log) + settings)

    def start(self) -> None:
        with self.network.inside(), (self.home / "said").open("wb") as said:
            self.process = subprocess.Popen(self.words("run"), env=self.environment, stdout=said, stderr=said)
        self.stack.callback(self.stop)
        self.until(lambda: self.say("status").returncode == 0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DURWARD_HOME": str(self.home)}

    def words(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).parent / "durward"), *words]

    def say(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), env=self.environment, capture_output=True, text=True, check=False)

    def attack(self, source: str, user: str = "root") -> None:
        with self.log.open("a") as log:
            for number in range(5):
                stamp = datetime.now().strftime("%b %d %H:%M:%S")  # noqa: DTZ005 - as syslog writes it
                log.write(
                    f"{stamp} host sshd[{number}]: Failed password for {user} from {source} port 4002{number} ssh2\n"
                )

    def child(self, name: str) -> int:
        """The process id of the daemon of that name; 0 for none."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if f"durward.daemons.{name}".encode() in words and str(self.home / "etc").encode() in words:
                return int(path.parent.name)
        return 0

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(PATIENCE_SECONDS * 20):
            if done():
                return
            time.sleep(0.05)
        pytest.fail(f"it did not come to that:\n{(self.home / 'said').read_text()}")

    def states(self) -> dict[str, dict[str, Any]]:
        return {one["channel"]: one for one in ask(self.home / "run" / "engine.sock", "alerts")}


@contextmanager
def town(settings: str) -> Iterator[Town]:
    made = Town(settings)
    with made.stack:
        made.start()
        yield made


@contextmanager
def mail_town(
    before_answer: Callable[[Received], bool] = lambda _mail: True, more: str = ""
) -> Iterator[tuple[Town, MailServer]]:
    """A town whose mail goes to a real server."""
    made = Town("")
    with made.stack:
        with made.network.inside():
            server = made.stack.enter_context(MailServer(before_answer=before_answer))
        settings = f'[alerts.mail]\nenabled = true\nserver = "{server.address}"\ngather = "0s"\n{more}'
        with (made.home / "etc" / "durward.toml").open("a") as file:
            file.write(settings)
        made.start()
        yield made, server


def test_a_block_is_told_with_its_lines_and_its_undo_works() -> None:
    with mail_town() as (place, server):
        place.attack("203.0.113.9", "\u202e@everyone\x1b[2J")
        (got,) = server.wait(1)
        assert "5 failed SSH logins" in got.text
        assert "\\u202e@everyone" in got.text
        (undo,) = [line.partition("durward ")[2] for line in got.text.splitlines() if line.startswith("Undo")]
        assert place.say(*undo.split()).returncode == 0
        assert place.say("why", "203.0.113.9").returncode == 0, "nobody is blocked any more"
        place.until(lambda: place.states()["mail"]["sent"] == 1)
        assert place.say("alerts", "test").stdout == "mail: the test was taken by the receiver.\n"
        assert len(server.wait(2)) == 2


def test_without_a_channel_there_is_no_sender_and_one_comes_with_the_settings() -> None:
    with town("") as place:
        assert place.child("alerter") == 0
        assert not (place.home / "run" / "alerts.sock").exists()
        shown = place.say("alerts")
        assert "durward config set alerts.mail.enabled=true" in shown.stdout
        assert place.say("alerts", "test").returncode == 1
        assert place.say("config", "set", "alerts.mail.enabled=true").returncode == 0
        place.process.send_signal(signal.SIGHUP)
        place.until(lambda: place.child("alerter") != 0)


def test_a_dead_receiver_gets_everything_once_when_it_lives_again() -> None:
    with ExitStack() as stack:
        made = Town("")
        stack.enter_context(made.stack)
        with made.network.inside(), socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        with (made.home / "etc" / "durward.toml").open("a") as file:
            file.write(f'[alerts.webhook]\nenabled = true\nurl = "http://{HOST}:{port}/"\ngather = "0s"\n')
        made.start()
        made.attack("203.0.113.9")
        made.until(lambda: "refused" in made.states()["webhook"]["problem"])
        made.attack("203.0.113.10")
        assert "alerts by webhook do not arrive" in made.say("status").stdout
        with made.network.inside():
            server = stack.enter_context(WebServer(port=port))
        assert made.say("alerts", "test", "webhook").returncode == 0, (
            "a message that arrives lets the others go at once"
        )
        made.until(lambda: made.states()["webhook"]["sent"] == 3)
        texts = [post.body.decode() for post in server.posts]
        assert sum("203.0.113.9 is blocked" in text for text in texts) == 1
        assert sum("203.0.113.10 is blocked" in text for text in texts) == 1
        assert len({post.headers["idempotency-key"] for post in server.posts}) == len(server.posts) == 3
        assert made.states()["webhook"]["unsent"] == 0


def test_a_sender_that_is_killed_before_it_could_say_so_sends_the_same_once_more() -> None:
    """The server has the mail and the sender dies: nobody can know. The second one is told apart by nothing."""
    killed: list[int] = []

    def kill(_mail: Received) -> bool:
        if not killed:
            killed.append(place.child("alerter"))
            os.kill(killed[0], signal.SIGKILL)
            return False
        return True

    with mail_town(kill) as (place, server):
        place.attack("203.0.113.9")
        first, second = server.wait(2)
        place.until(lambda: place.states()["mail"]["sent"] == 1)
        assert first.raw == second.raw, "whoever heeds Message-ID sees one mail"
        assert place.child("alerter") not in {0, killed[0]}
        assert (len(server.mails), place.states()["mail"]["unsent"]) == (2, 0)


def test_an_engine_that_is_killed_while_a_mail_is_sent_has_it_sent_once() -> None:
    killed: list[int] = []

    def kill(_mail: Received) -> bool:
        killed.append(place.child("engine"))
        os.kill(killed[-1], signal.SIGKILL)
        return True

    with mail_town(kill) as (place, server):
        place.attack("203.0.113.9")
        server.wait(1)
        place.until(lambda: bool(killed) and place.child("engine") not in {0, killed[0]})
        place.until(lambda: place.say("status").returncode == 0)
        place.until(lambda: place.states()["mail"]["sent"] == 1)
        assert (len(server.mails), len(killed)) == (1, 1)


def test_a_command_is_run_once_even_if_it_kills_its_sender() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o777)
        program = Path(directory) / "report"
        program.write_text(
            f'#!/bin/sh\necho "$1 $4 $(id -un)" >> {directory}/runs\n[ "$1" = 203.0.113.9 ] && kill -9 $PPID\ntrue\n'
        )
        program.chmod(0o755)
        with town(f'[alerts.hook]\nenabled = true\nblock = "{program}"\nunblock = "{program}"\n') as place:
            place.attack("203.0.113.9")
            place.until(lambda: place.states()["hook"]["failed"] == 1)
            place.attack("203.0.113.10")
            place.until(lambda: place.states()["hook"]["sent"] == 1)
            place.say("unblock", "203.0.113.10")
            place.until(lambda: place.states()["hook"]["sent"] == 2)
        runs = (Path(directory) / "runs").read_text().splitlines()
    assert runs == [
        "203.0.113.9 in durward-alerter",
        "203.0.113.10 in durward-alerter",
        "203.0.113.10  durward-alerter",
    ]


def test_the_sender_may_do_nothing_but_send() -> None:
    with mail_town() as (place, _server):
        place.until(lambda: place.child("alerter") != 0)
        engine_socket = place.home / "run" / "alerts.sock"
        place.until(lambda: "NoNewPrivs:\t1" in Path(f"/proc/{place.child('alerter')}/status").read_text())
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{place.child('alerter')}/status").read_text().splitlines()
        )
        user = account("durward-alerter")
        assert set(status["Uid"].split()) == {str(user.pw_uid)}
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}

        def within() -> str:
            """What somebody who has taken the sender over could reach."""
            descriptor = os.open(f"/proc/{place.child('alerter')}/ns/mnt", os.O_RDONLY)
            here = os.open("/proc/self/ns/mnt", os.O_RDONLY)
            from tests.kernel.namespaces import libc

            assert libc.setns(descriptor, 0x00020000) == 0
            os.setgroups([user.pw_gid])
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            os.close(here)
            assert list((place.home / "lib").iterdir()) == []
            for path in (place.home / "run" / "x", place.home / "etc" / "x", place.home / "lib" / "x"):
                with pytest.raises(OSError):
                    path.touch()
            with pytest.raises(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(place.home / "run" / "engine.sock"))
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.connect(str(place.home / "run" / "enforcer.sock"))
                connection.settimeout(5)
                try:
                    connection.send(b'{"word": "state"}')
                    assert connection.recv(4096) == b"", "the enforcer listens to the engine alone"
                except (BrokenPipeError, ConnectionResetError):
                    pass
            return ask_one(engine_socket, "block", subject="203.0.113.9")["error"]

        assert forked(within) == "the sender of alerts may not ask this"
