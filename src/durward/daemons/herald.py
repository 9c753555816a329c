"""The herald: asks the name service for the engine. It has the network, and nothing else: no capability, no settings.

It reads answers that attackers wrote, so it is no part of any other process. All that it can do is answer the questions
that the engine asks; the engine believes none that it did not ask.
"""

import os
import queue
import select
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from durward.control.naming import TOGETHER_MAX, Answer, NamingError, Question, read_question
from durward.control.requests import NoAnswerError, ask_one
from durward.daemons.privileges import become
from durward.daemons.process import begin, say, status_after
from durward.daemons.resolving import prepare, resolve
from durward.daemons.seclusion import meet_only, reach_home

USER = "durward-herald"
THREADS = 8  # questions at once; while name servers hold all of them, the others wait with the engine
RECONNECT_SECONDS, RECONNECT_SECONDS_MAX = 0.2, 5.0
NEWS_BYTES = 4096


class Herald:
    """Fetches questions while there are threads to answer them, and brings the answers back."""

    def __init__(self, engine: Path, resolving: Callable[[Question], Answer] = resolve) -> None:
        self._engine = engine
        self._resolve = resolving
        self._questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._busy = 0
        self._woken, self._waking = socket.socketpair()
        self._woken.setblocking(False)
        self._pause_seconds = RECONNECT_SECONDS

    def run(self, stop: int) -> None:
        """Run until the descriptor `stop` becomes readable."""
        for number in range(THREADS):
            threading.Thread(target=self._work, name=f"resolver {number}", daemon=True).start()
        while True:
            try:
                if self._listen(stop):
                    return
            except (OSError, NamingError, KeyError, TypeError, ValueError):  # the engine is away, or begins anew
                if select.select([stop], [], [], self._pause_seconds)[0]:
                    return
                self._pause_seconds = min(self._pause_seconds * 2, RECONNECT_SECONDS_MAX)

    def _listen(self, stop: int) -> bool:
        """Work until the engine goes away (OSError) or `stop` is readable (True)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(str(self._engine))
            engine.sendall(b'{"verb": "follow", "follow": true}\n')
            self._pause_seconds = RECONNECT_SECONDS
            while True:
                self._exchange()
                watched: list[Any] = [engine, self._woken, stop]
                readable, _, _ = select.select(watched, [], [])
                if stop in readable:
                    return True
                if self._woken in readable:
                    self._woken.recv(NEWS_BYTES)
                if engine in readable and not engine.recv(NEWS_BYTES):
                    raise NoAnswerError("the engine ended the conversation")

    def _exchange(self) -> None:
        """Bring what was answered, and fetch what there are threads for, until there is neither."""
        while answers := self._finished():
            ask_one(self._engine, "answer", answers=[one.entry() for one in answers])
        while self._busy < THREADS:
            entries = ask_one(self._engine, "claim", most=THREADS - self._busy)["questions"]
            if not entries:
                return
            for entry in entries[:TOGETHER_MAX]:
                question = read_question(entry)
                self._busy += 1
                self._questions.put(question)

    def _finished(self) -> Sequence[Answer]:
        answers: list[Answer] = []
        while len(answers) < TOGETHER_MAX and not self._answers.empty():
            answers.append(self._answers.get())
            self._busy -= 1
        return answers

    def _work(self) -> None:
        while True:
            question = self._questions.get()
            try:
                answer = self._resolve(question)
            except Exception as error:  # noqa: BLE001 — whatever a name server makes a resolver raise, the thread goes on
                say(f"a question to the name service failed: {type(error).__name__}")
                answer = Answer(question.id, "failed")
            self._answers.put(answer)
            self._waking.send(b".")


def main() -> NoReturn:
    """Start, give up every privilege, and answer until told to stop."""
    beginning = begin("herald")
    home = beginning.home
    prepare()
    "name".encode("idna")  # now: what Python loads for it lies where it may not be read later
    if os.geteuid() == 0:
        home = beginning.settle(lambda: reach_home(home, USER))
        beginning.settle(lambda: meet_only(home))
    beginning.settle(lambda: become(USER))
    beginning.follow_supervisor()
    stop = beginning.stop_descriptor()
    Herald(home.names_socket).run(stop)
    os._exit(status_after(stop))  # without waiting for threads that name servers hold


if __name__ == "__main__":
    main()
