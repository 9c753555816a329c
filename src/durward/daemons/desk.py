"""The desk: where people ask the engine. One JSON line in, JSON lines out, over a socket that only root may use.

The process that sends alerts has a desk of its own.
"""

import json
import os
import select
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from durward.control.channel import listen, peer_of
from durward.control.requests import REQUEST_BYTES_MAX
from durward.daemons.process import say

CLIENTS_MAX = 32  # beyond it the one that has waited longest is sent away
WAITING_BYTES_MAX = 32 << 20  # of news that a client does not fetch; beyond it he is sent away
SENT_BYTES_MAX = 1 << 18  # at once to one client; a long answer is put into words as it is fetched
SOCKET_MODE = 0o600

Answers = Iterable[dict[str, Any]]
Answer = Callable[[dict[str, Any]], Answers]


class RequestError(ValueError):
    """What was asked cannot be done; `status` is the exit status that says so."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


# What a question can raise that no program of ours would ask; deep nesting and numbers without end among it.
MISTAKES = (ValueError, KeyError, TypeError, OverflowError, RecursionError)


@dataclass(slots=True)
class Client:
    """One person's connection: what of his question has come, and what of the answers has not been fetched."""

    connection: socket.socket
    asked: bytes = b""
    answers: Iterator[dict[str, Any]] = field(default_factory=lambda: iter(()))
    waiting: bytearray = field(default_factory=bytearray)
    following: bool = False
    done: bool = False


class Desk:
    """Listens, reads questions, and hands out answers without ever waiting for anybody."""

    def __init__(
        self,
        path: Path,
        answer: Answer,
        epoll: select.epoll,
        *,
        mode: int = SOCKET_MODE,
        users: Collection[int] | None = None,
    ) -> None:
        self._listener = listen(path, socket.SOCK_STREAM, mode)
        self._users = (0, os.getuid()) if users is None else users
        self._answer_question = answer
        self._epoll = epoll
        self._clients: dict[int, Client] = {}
        epoll.register(self._listener, select.EPOLLIN)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def handle(self, descriptor: int, happened: int) -> bool:
        """Do what an event of `descriptor` asks for; gives whether it was the desk's."""
        if descriptor == self._listener.fileno():
            self._accept()
            return True
        client = self._clients.get(descriptor)
        if client is None:
            return False
        if happened & select.EPOLLOUT:
            self._send(client)
        elif happened & select.EPOLLIN:
            self._hear(client)
        else:
            self._part(client)
        return True

    @property
    def is_followed(self) -> bool:
        """Whether anybody follows the log: a burst of decisions is not spelt for nobody."""
        return any(client.following for client in self._clients.values())

    @property
    def followers(self) -> list[int]:
        """The processes that follow."""
        return [peer_of(client.connection)[0] for client in self._clients.values() if client.following]

    def tell(self, entries: Sequence[dict[str, Any]]) -> None:
        """Tell those who follow the log."""
        for client in [client for client in self._clients.values() if client.following]:
            client.answers = chain(client.answers, entries)
            self._word(client, WAITING_BYTES_MAX + 1)
            if len(client.waiting) > WAITING_BYTES_MAX:
                self._part(client)
            else:
                self._send(client)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        _pid, uid, _gid = peer_of(connection)
        if uid not in self._users:
            say(f"a process of user {uid} asked the engine and was sent away")
            connection.close()
            return
        if len(self._clients) >= CLIENTS_MAX:
            self._part(next(iter(self._clients.values())))
        self._clients[connection.fileno()] = Client(connection)
        self._epoll.register(connection, select.EPOLLIN)

    def _hear(self, client: Client) -> None:
        try:
            heard = client.connection.recv(REQUEST_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        client.asked += heard
        if not heard or len(client.asked) > REQUEST_BYTES_MAX:
            self._part(client)
        elif b"\n" in client.asked and not client.following:
            self._reply(client, client.asked.partition(b"\n")[0])

    def _reply(self, client: Client, question: bytes) -> None:
        client.asked = b""
        try:
            asked = json.loads(question, parse_constant=_refuse)
            if not isinstance(asked, dict):
                raise RequestError("a question is a JSON object")
            client.following = bool(asked.get("follow"))
            client.answers = iter(self._answer_question(asked))
        except MISTAKES as error:
            client.following = False
            client.answers = iter([_refusal(error)])
        client.done = not client.following
        self._send(client)

    def _word(self, client: Client, most: int) -> None:
        """Put answers into words until `most` bytes wait to be sent, or there are no more answers."""
        try:
            while len(client.waiting) < most and (reply := next(client.answers, None)) is not None:
                client.waiting += json.dumps(reply).encode() + b"\n"
        except MISTAKES as error:
            client.answers = iter(())
            client.waiting += json.dumps(_refusal(error)).encode() + b"\n"

    def _send(self, client: Client) -> None:
        self._word(client, SENT_BYTES_MAX)
        try:
            sent = client.connection.send(client.waiting[:SENT_BYTES_MAX]) if client.waiting else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._part(client)
            return
        del client.waiting[:sent]
        self._word(client, 1)
        if client.waiting:
            self._epoll.modify(client.connection, select.EPOLLIN | select.EPOLLOUT)
        elif client.done:
            self._part(client)
        else:
            self._epoll.modify(client.connection, select.EPOLLIN)

    def _part(self, client: Client) -> None:
        if self._clients.pop(client.connection.fileno(), None) is not None:
            self._epoll.unregister(client.connection)
        client.connection.close()


def _refusal(error: Exception) -> dict[str, Any]:
    if isinstance(error, RequestError):
        return {"error": str(error), "status": error.status}
    return {"error": f"this question is not understood: {error}", "status": 2}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
