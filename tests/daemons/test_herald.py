"""The herald at its socket: it fetches what it has threads for, answers, and outlives an engine. The rest: attacks."""

import os
import select
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from durward.control.naming import Answer, Question
from durward.daemons.herald import THREADS, Herald
from durward.daemons.names import Names

PATIENCE_SECONDS = 20


class Engine:
    """A loop with the questions of the engine, and a herald in a thread whose name service is a function."""

    def __init__(self, resolve: Callable[[Question], Answer]) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "names.sock"
        self.heard: dict[str, Answer] = {}
        self.begin()
        self.stopping, self._stop = os.pipe()
        self.herald = threading.Thread(target=Herald(self.path, resolve).run, args=(self.stopping,), daemon=True)
        self.herald.start()

    def begin(self) -> None:
        self.epoll = select.epoll()
        self.names = Names()
        self.path.unlink(missing_ok=True)
        self.names.open(self.path, self.epoll)

    def end(self) -> None:
        self.names.close()
        for client in list(self.names._desk._clients.values() if self.names._desk else ()):
            client.connection.close()
        self.epoll.close()

    def ask(self, *addresses: str) -> None:
        for address in addresses:
            self.names.ask(
                "address", address, lambda answer, one=address: self.heard.update({one: answer}), time.time()
            )  # type: ignore[misc]

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < deadline
            self.names.tick(time.time())
            self.names.deliver()
            for descriptor, happened in self.epoll.poll(0.02):
                self.names.handle(descriptor, happened)

    def close(self) -> None:
        os.write(self._stop, b".")
        self.until(lambda: not self.herald.is_alive())  # it may be asking: it stops when it was answered
        self.end()
        for descriptor in (self.stopping, self._stop):
            os.close(descriptor)
        self.directory.cleanup()


def confirmed(question: Question) -> Answer:
    return Answer(question.id, "confirmed", "mail.example.com")


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_what_is_asked_is_answered_before_and_after_the_engine_began_anew() -> None:
    engine = Engine(confirmed)
    try:
        engine.ask("203.0.113.9", "2001:db8::9")
        engine.until(lambda: len(engine.heard) == 2)
        engine.end()
        engine.begin()
        engine.ask("203.0.113.10")
        engine.until(lambda: len(engine.heard) == 3)
        assert {one.outcome for one in engine.heard.values()} == {"confirmed"}
    finally:
        engine.close()


def test_name_servers_that_hold_their_answers_hold_some_threads_and_no_more(held: threading.Event) -> None:
    working: list[str] = []

    def slow(question: Question) -> Answer:
        working.append(question.value)
        if question.value.startswith("198."):
            held.wait(PATIENCE_SECONDS)
        if question.value == "203.0.113.66":
            raise RuntimeError("a resolver's bug")
        return confirmed(question)

    engine = Engine(slow)
    try:
        engine.ask(*(f"198.51.100.{number}" for number in range(THREADS - 1)))
        engine.until(lambda: len(working) == THREADS - 1)
        engine.ask("203.0.113.66", "203.0.113.9")
        engine.until(lambda: len(engine.heard) == 2)
        assert engine.heard["203.0.113.66"].outcome == "failed"
        assert engine.heard["203.0.113.9"].outcome == "confirmed"
        engine.ask("198.51.100.99", "203.0.113.10")
        engine.until(lambda: len(working) == THREADS + 2)
        assert "203.0.113.10" not in engine.heard, "every thread is held"
        held.set()
        engine.until(lambda: len(engine.heard) == THREADS + 3)
    finally:
        engine.close()
