"""Requests: who asks gets the answers as they come, and an error where there is no engine."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from durward.control import requests
from durward.control.channel import listen
from durward.control.requests import NoAnswerError, ask, ask_one


@contextmanager
def engine(directory: Path, answers: Callable[[bytes], bytes]) -> Iterator[Path]:
    """An engine that answers one question and goes."""
    path = directory / "engine.sock"
    with listen(path, socket.SOCK_STREAM, 0o600) as listener:
        listener.setblocking(True)

        def run() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as questions:
                connection.sendall(answers(questions.readline()))

        thread = Thread(target=run)
        thread.start()
        yield path
        thread.join()


def test_a_question_and_its_answers(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def answers(question: bytes) -> bytes:
        asked.append(json.loads(question))
        return b'{"number": 1}\n{"number": 2}\n'

    with engine(tmp_path, answers) as path:
        assert list(ask(path, "list", listing="block")) == [{"number": 1}, {"number": 2}]
    assert asked == [{"verb": "list", "listing": "block"}]


def test_a_single_answer(tmp_path: Path) -> None:
    with engine(tmp_path, lambda _question: b'{"number": 1}\n') as path:
        assert ask_one(path, "status") == {"number": 1}


def test_without_an_engine_there_is_no_answer(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.sock", tmp_path / ("long" * 50), tmp_path):
        with pytest.raises(NoAnswerError, match="does not answer"):
            ask_one(path, "status")


def test_a_socket_that_somebody_left_behind_is_no_engine(tmp_path: Path) -> None:
    listen(tmp_path / "engine.sock", socket.SOCK_STREAM, 0o600).close()
    with pytest.raises(NoAnswerError, match="refused"):
        ask_one(tmp_path / "engine.sock", "status")


@pytest.mark.parametrize("said", [b"", b"nonsense\n", b'{"cut": ', b"\xff\n"])
def test_an_engine_that_goes_or_talks_nonsense_has_not_answered(tmp_path: Path, said: bytes) -> None:
    with engine(tmp_path, lambda _question: said) as path, pytest.raises(NoAnswerError):
        ask_one(path, "status")


def test_an_answer_without_end_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LINE_BYTES_MAX", 100)
    with engine(tmp_path, lambda _question: b'{"a": "' + b"x" * 200) as path, pytest.raises(NoAnswerError):
        ask_one(path, "status")


def test_an_engine_that_answers_too_late_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "TIMEOUT_SECONDS", 0.05)
    with (
        listen(tmp_path / "engine.sock", socket.SOCK_STREAM, 0o600),
        pytest.raises(NoAnswerError, match="timed out"),
    ):
        ask_one(tmp_path / "engine.sock", "status")
