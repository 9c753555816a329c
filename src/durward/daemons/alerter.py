"""The alerter: carries alerts from the engine to people. It has the network, and nothing else: no capability, no state.

It never decides what is sent: it asks for one message at a time for each channel, tries, and says what it came to.
"""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from durward.catalog.alert_card import AlertCard
from durward.catalog.document import ProblemsError
from durward.catalog.shelf import channels_on, code_of, load_alerts
from durward.config.home import Home
from durward.config.loading import load
from durward.control.requests import NoAnswerError, ask_one
from durward.daemons.privileges import become
from durward.daemons.process import begin, say, status_after
from durward.daemons.seclusion import look_only, reach_home
from durward.messages import inert
from durward.messages.channel import Place, UndeliveredError
from durward.messages.templates import TEMPLATE_CHARACTERS_MAX
from durward.messages.wire import WireError, read_message
from durward.model.alert import Message

USER = "durward-alerter"
RECONNECT_SECONDS = 1.0
WAIT_SECONDS_MAX = 60.0
TEMPLATES_MAX = 100  # files; the rest is not read
NEWS_BYTES = 4096


class Courier(threading.Thread):
    """Carries the messages of one channel, so that a receiver who does not answer holds up no other."""

    def __init__(self, card: AlertCard, settings: Mapping[str, Any], place: Place, engine: Path) -> None:
        super().__init__(name=card.id, daemon=True)
        self.news = threading.Event()
        self._send = sender_of(card)
        self._settings, self._place, self._engine = settings, place, engine

    def run(self) -> None:
        """Carry until the process ends."""
        while True:
            self.news.clear()
            try:
                wait_seconds = self._carry()
            except (NoAnswerError, KeyError, TypeError, ValueError) as error:
                say(f"alerts by {self.name} wait: {inert.line(str(error), 200)}")
                wait_seconds = RECONNECT_SECONDS
            self.news.wait(min(wait_seconds, WAIT_SECONDS_MAX))

    def _carry(self) -> float:
        """Carry one message, if there is one; give how long to wait for the next. Raises NoAnswerError."""
        handed = ask_one(self._engine, "claim", channel=self.name)
        if "message" not in handed:
            return float(handed.get("wait_seconds", RECONNECT_SECONDS))
        outcome = self._try(handed["message"])
        self._settle(handed["id"], outcome)
        return 0.0

    def _try(self, entry: Any) -> dict[str, Any]:
        try:
            self._send(read_message(entry), self._settings, self._place)
        except UndeliveredError as error:
            return {"sent": False, "detail": str(error), "lasting": error.lasting}
        except (WireError, ValueError, OSError) as error:
            return {"sent": False, "detail": str(error) or type(error).__name__}
        return {"sent": True}

    def _settle(self, message: int, outcome: dict[str, Any]) -> None:
        """Say what it came to, as often as it takes: while the engine is away, only this process knows it was sent."""
        said = False
        while True:
            try:
                ask_one(self._engine, "settle", id=message, **outcome)
            except NoAnswerError:
                if not said:
                    say(f"the engine is away; what became of message {message} is told when it comes back")
                said = True
                time.sleep(RECONNECT_SECONDS)
            else:
                return


class Alerter:
    """The couriers, and the ear for the engine's news."""

    def __init__(self, home: Home, settings: Mapping[str, Mapping[str, Any]]) -> None:
        cards = channels_on(settings)
        host, templates = socket.gethostname(), read_templates(home.etc / "templates")
        self._engine = home.alerts_socket
        self.couriers = [
            Courier(
                card,
                {**settings[card.code], **settings[card.id]} if card.code != card.id else settings[card.id],
                Place(host, str(home.etc), templates, card.id),
                self._engine,
            )
            for card in cards
        ]

    def run(self, stop: int) -> None:
        """Run until the descriptor `stop` becomes readable."""
        begun = False
        while True:
            try:
                if not begun:
                    ask_one(self._engine, "begin")
                    for courier in self.couriers:
                        courier.start()
                    begun = True
                if self._listen(stop):
                    return
            except OSError:
                if select.select([stop], [], [], RECONNECT_SECONDS)[0]:
                    return

    def _listen(self, stop: int) -> bool:
        """Pass on news until the engine goes away (False) or `stop` is readable (True). Raises OSError."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(str(self._engine))
            engine.sendall(b'{"verb": "follow", "follow": true}\n')
            while True:
                for courier in self.couriers:
                    courier.news.set()
                readable, _, _ = select.select([engine.fileno(), stop], [], [])
                if stop in readable:
                    return True
                if not engine.recv(NEWS_BYTES):
                    raise NoAnswerError("the engine ended the conversation")


def sender_of(card: AlertCard) -> Callable[[Message, Mapping[str, Any], Place], None]:
    """What sends for a channel: the code beside its card, or beside the one that it names."""
    code: Any = code_of("alerts", card.code)
    send: Callable[[Message, Mapping[str, Any], Place], None] = code.send
    return send


def read_templates(directory: Path) -> dict[str, str]:
    """The mail templates in CSF's format, by file name; what cannot be read or is too long is told and left out."""
    templates = {}
    for path in sorted(directory.glob("*.txt"))[:TEMPLATES_MAX]:
        try:
            with path.open(errors="replace") as file:
                text = file.read(TEMPLATE_CHARACTERS_MAX + 1)
        except OSError as error:
            say(f"the template {path.name} is not used: {error.strerror}")
            continue
        if len(text) > TEMPLATE_CHARACTERS_MAX:
            say(f"the template {path.name} is not used: it is longer than {TEMPLATE_CHARACTERS_MAX} characters")
        else:
            templates[path.name] = text
    return templates


def main() -> NoReturn:
    """Start, give up every privilege, and carry until told to stop."""
    beginning = begin("alerter")
    home = beginning.home
    try:
        settings = load(home).settings.alerts
    except ProblemsError as error:
        beginning.give_up(str(error))
    if not channels_on(settings):
        say("no channel is switched on; nobody is told of anything")
        sys.exit(0)
    for card in load_alerts():
        sender_of(card)  # now: what lies below a directory of root's alone cannot be read later
    if os.geteuid() == 0:
        home = beginning.settle(lambda: reach_home(home, USER))
        beginning.settle(lambda: look_only(home))
    beginning.settle(lambda: become(USER))
    beginning.follow_supervisor()
    stop = beginning.stop_descriptor()
    alerter = Alerter(home, settings)
    alerter.run(stop)
    os._exit(status_after(stop))  # without waiting for couriers: what they carry is repeated by the next of us


if __name__ == "__main__":
    main()
