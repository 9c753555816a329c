"""The desk: it answers everybody who asks properly, waits for nobody, and no question ends it."""

import json
import os
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.forked import let_everybody_in

from durward.control.requests import REQUEST_BYTES_MAX
from durward.daemons import desk as desk_module
from durward.daemons.desk import CLIENTS_MAX, Answers, Desk, RequestError

TURNS_MAX = 20_000


class Office:
    """A desk with the loop around it, and people who ask."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "engine.sock"
        self.epoll = select.epoll()
        self.asked: list[dict[str, Any]] = []
        self.drawn = 0
        self.desk = Desk(self.path, self.answer, self.epoll)
        self.people: list[socket.socket] = []

    def answer(self, asked: dict[str, Any]) -> Answers:
        self.asked.append(asked)
        if asked.get("verb") == "many":
            return self.many(int(asked["count"]))
        if asked.get("verb") == "refuse":
            raise RequestError("no", 3)
        return [{"number": int(asked["number"])}]

    def many(self, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            self.drawn += 1
            yield {"number": number, "text": "x" * 1000}

    def person(self, question: object = None) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.people.append(connection)
        connection.connect(str(self.path))
        connection.setblocking(False)
        if question is not None:
            connection.send(question if isinstance(question, bytes) else json.dumps(question).encode() + b"\n")
        return connection

    def turn(self) -> None:
        for descriptor, happened in self.epoll.poll(0):
            assert self.desk.handle(descriptor, happened)

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(TURNS_MAX):
            if done():
                return
            self.turn()
        pytest.fail("the desk did not come to it")

    def answers_to(self, person: socket.socket) -> list[dict[str, Any]]:
        """Everything that is said to a person until the desk hangs up."""
        heard = bytearray()

        def over() -> bool:
            try:
                while said := person.recv(1 << 16):
                    heard.extend(said)
            except BlockingIOError:
                return False
            return True

        self.until(over)
        return [json.loads(line) for line in heard.splitlines()]

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        while self.epoll.poll(0):
            self.turn()

    def close(self) -> None:
        for person in self.people:
            person.close()
        self.settle()
        self.desk._listener.close()
        self.epoll.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.answers_to(made.person({"number": 42})) == [{"number": 42}], "whatever happened, it goes on answering"
    made.close()


def test_a_question_is_answered_and_the_talk_is_over(office: Office) -> None:
    assert office.answers_to(office.person({"number": 7})) == [{"number": 7}]


def test_a_question_may_come_in_pieces(office: Office) -> None:
    person = office.person()
    for piece in (b'{"num', b'ber": ', b"7}", b"\n"):
        person.send(piece)
        office.settle()
    assert office.answers_to(person) == [{"number": 7}]


@pytest.mark.parametrize(
    "question",
    [
        *(b"\n", b"garbage\n", b"\xff\xfe\0\n", b"[]\n", b"null\n", b'"verb"\n', b"{}\n", b'{"number": null}\n'),
        *(
            b'{"number": "x"}\n',
            b'{"number": Infinity}\n',
            b'{"number": NaN}\n',
            b'{"number": 1e999}\n',
            b"{" * 100 + b"\n",
        ),
        *(b"{" * 100 + b"\n", b"[" * 60_000 + b"\n", b'{"a":' * 10_000 + b"\n", b'{"number": ' + b"9" * 5000 + b"}\n"),
        b'{"verb": "many", "count": {}}\n',
    ],
)
def test_what_is_no_question_is_answered_with_an_error(office: Office, question: bytes) -> None:
    (answer,) = office.answers_to(office.person(question))
    assert answer["status"] == 2
    assert "not understood" in answer["error"] or "JSON object" in answer["error"]


def test_a_refusal_carries_its_status(office: Office) -> None:
    assert office.answers_to(office.person({"verb": "refuse"})) == [{"error": "no", "status": 3}]


def test_a_mistake_in_the_middle_of_an_answer_is_an_error_too(office: Office) -> None:
    def breaking(_asked: dict[str, Any]) -> Answers:
        yield {"number": 1}
        raise KeyError("listing")

    office.desk._answer_question = breaking
    first, second = office.answers_to(office.person({"verb": "list"}))
    assert (first, second["status"]) == ({"number": 1}, 2)
    office.desk._answer_question = office.answer


def test_a_question_that_is_too_long_is_not_heard_to_its_end(office: Office) -> None:
    person = office.person()
    sent = 0
    with pytest.raises(OSError):  # noqa: PT012 — it ends somewhere on the way
        while True:
            try:
                sent += person.send(b"x" * 4096)
            except BlockingIOError:
                office.turn()
            assert sent < 1 << 24
    assert sent > REQUEST_BYTES_MAX
    assert office.asked == []


def test_a_long_answer_is_fetched_as_fast_as_it_is_read(office: Office) -> None:
    answers = office.answers_to(office.person({"verb": "many", "count": 40_000}))
    assert [one["number"] for one in answers] == list(range(40_000)), "more than any bound of what waits"


def test_nothing_is_put_into_words_for_who_does_not_read(office: Office) -> None:
    lazy = office.person({"verb": "many", "count": 10**9})
    office.until(lambda: office.drawn > 0)
    for number in range(50):
        assert office.answers_to(office.person({"number": number})) == [{"number": number}]
    assert 0 < office.drawn < 5000
    lazy.close()
    office.settle()
    assert office.desk._clients == {}


def test_who_goes_away_in_the_middle_is_forgotten(office: Office) -> None:
    for question in (None, b'{"num', {"verb": "many", "count": 10**9}, {"number": 1, "follow": True}):
        person = office.person(question)
        office.settle()
        person.close()
        office.settle()
    office.desk.tell([{"news": 1}])
    assert office.desk._clients == {}


def test_silent_people_do_not_keep_others_from_asking(office: Office) -> None:
    silent = [office.person() for _ in range(CLIENTS_MAX + 5) if office.settle() is None]
    assert office.answers_to(office.person({"number": 7})) == [{"number": 7}]
    assert silent[0].recv(10) == b"", "who has waited longest was sent away"
    with pytest.raises(BlockingIOError):
        silent[-1].recv(10)
    assert len(office.desk._clients) < CLIENTS_MAX


def test_who_follows_hears_the_news_in_order(office: Office) -> None:
    person = office.person({"number": 1, "follow": True})
    office.settle()
    office.desk.tell([{"news": 1}, {"news": 2}])
    office.desk.tell([{"news": 3}])
    person.shutdown(socket.SHUT_WR)
    assert office.answers_to(person) == [{"number": 1}, {"news": 1}, {"news": 2}, {"news": 3}]


def test_the_news_come_after_the_answer_however_long_it_is(office: Office) -> None:
    person = office.person({"verb": "many", "count": 3000, "follow": True})
    office.until(lambda: office.drawn > 0)
    office.desk.tell([{"number": 3000}])
    heard = bytearray()

    def complete() -> bool:
        try:
            heard.extend(person.recv(1 << 16))
        except BlockingIOError:
            return False
        return heard.count(b"\n") == 3001

    office.until(complete)
    assert [json.loads(line)["number"] for line in heard.splitlines()] == list(range(3001))


def test_who_follows_and_does_not_read_is_sent_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "WAITING_BYTES_MAX", 1 << 20)
    office.person({"number": 1, "follow": True})
    office.settle()
    for number in range(5000):
        office.desk.tell([{"news": number, "text": "x" * 1000}])
        assert sum(len(client.waiting) for client in office.desk._clients.values()) <= 1 << 20
    assert office.desk._clients == {}


def test_further_questions_of_who_follows_are_not_answered_and_end_it_when_too_long(office: Office) -> None:
    person = office.person({"number": 1, "follow": True})
    office.settle()
    for _ in range(REQUEST_BYTES_MAX // 1024 + 2):
        try:
            person.send(b'{"number": 2}\n' * 80)
        except OSError:
            break
        office.settle()
    assert len(office.asked) == 1
    assert office.desk._clients == {}


def test_the_socket_is_for_its_owner_alone(office: Office) -> None:
    assert office.path.stat().st_mode & 0o777 == 0o600


def answer_to_a_stranger(path: Path) -> bytes:
    """What another user hears; this process is his from now on."""
    os.setresuid(65534, 65534, 65534)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(str(path))
        try:
            stranger.send(b'{"number": 1}\n')
            return stranger.recv(10)
        except OSError:
            return b""


@pytest.mark.kernel
def test_a_process_of_another_user_is_sent_away(office: Office) -> None:
    office.path.chmod(0o666)
    let_everybody_in(office.path.parent)
    child = os.fork()
    if child == 0:
        try:  # whatever happens, the child must not go on as a second test run
            os._exit(0 if answer_to_a_stranger(office.path) == b"" else 1)
        finally:
            os._exit(2)
    ended = 0
    while not ended:
        office.turn()
        ended, status = os.waitpid(child, os.WNOHANG)
    assert status == 0
    assert office.asked == []
