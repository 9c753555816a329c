"""The engine's process: it answers, decides and remembers also where no enforcer is to be found."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from durward.config.home import Home
from durward.config.loading import load
from durward.control.requests import NoAnswerError, ask, ask_one
from durward.daemons.engine import EngineProcess
from durward.engine.assembly import import_detectors

TRIES = 200


class Alone:
    """An engine in a thread of its own, and no enforcer anywhere."""

    def __init__(self, directory: Path) -> None:
        self.home = Home.below(directory)
        for place in (self.home.etc, self.home.lib, self.home.run):
            place.mkdir(exist_ok=True)
        (self.home.etc / "durward.toml").write_text("[services.sshd]\njournal = []\n")
        self._reading, self._writing = socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()
        for _ in range(TRIES):
            try:
                ask_one(self.home.engine_socket, "status")
            except NoAnswerError:
                threading.Event().wait(0.02)
            else:
                return
        pytest.fail("the engine does not answer")

    def stop(self) -> None:
        self._writing.send(b"\x0f")
        self._thread.join()
        self._writing.close()
        self._reading.close()

    def _run(self) -> None:
        loaded = load(self.home)
        import_detectors(loaded.detectors)
        process = EngineProcess(self.home, loaded)
        process.run(self._reading.fileno())
        process.close()
        process._desk._listener.close()
        process._epoll.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    made = Alone(tmp_path)
    made.start()
    yield made
    made.stop()


def test_without_an_enforcer_it_says_that_it_does_not_protect(alone: Alone) -> None:
    status = ask_one(alone.home.engine_socket, "status")
    assert (status["protecting"], status["firewall"]) == (False, "unknown")
    assert any("the enforcer" in line for line in status["degraded"])
    assert [process["name"] for process in status["processes"]] == ["engine"]


def test_what_is_decided_meanwhile_is_remembered_by_the_next_one(tmp_path: Path) -> None:
    first, path = Alone(tmp_path), tmp_path / "run" / "engine.sock"
    first.start()
    reply = ask_one(path, "block", subject="203.0.113.9", scope="in:", seconds=None, reason="")
    first.stop()
    second = Alone(tmp_path)
    second.start()
    listed = [one["subject"] for one in ask(path, "list", listing="block")]
    second.stop()
    assert (reply["enforced"], listed) == (False, ["203.0.113.9"])


def test_a_list_that_changes_is_read_by_itself(alone: Alone) -> None:
    path = alone.home.etc / "deny.list"
    path.write_text("203.0.113.9\nnonsense\n")
    os.utime(path, (1, 1))
    for _ in range(TRIES):
        if [one["subject"] for one in ask(alone.home.engine_socket, "list", listing="block")] == ["203.0.113.9"]:
            break
        threading.Event().wait(0.05)
    else:
        pytest.fail("the list was not read")
    degraded = ask_one(alone.home.engine_socket, "status")["degraded"]
    assert any("deny.list:2" in line for line in degraded)
