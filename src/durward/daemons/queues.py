"""Asks now and then how many mails wait in the mail servers' queues, and lets the engine judge."""

from collections.abc import Mapping
from typing import Any

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.model import Event, Finding

NAME = "mail_queue"  # of the detector
KIND = "mail.waiting"
SERVICE = "mail"


class Queues:
    """What waits in the queues. `values` are the detector's settings; where it is off nobody is asked."""

    def __init__(self, values: Mapping[str, Any], door: Door) -> None:
        self.waiting: dict[str, int] = {}
        self._door = door
        self._every_seconds = float(values["every"])
        self._on = values["mode"] != "off" and values["count"] > 0 and self._every_seconds > 0
        self._asked_at = 0.0

    def tick(self, now: float) -> list[Event]:
        """Ask, if it is time: an event for each queue, with as many hits as there are mails."""
        if not self._on or not self._door.channel.connected or 0 <= now - self._asked_at < self._every_seconds:
            return []
        self._asked_at = now
        try:
            answer = self._door.channel.ask("look queues")
        except ChannelError as error:
            self._door.degraded = str(error)
            return []
        self.waiting = {str(name): int(count) for name, count in answer["queues"]}
        return [event_of(name, count, now) for name, count in self.waiting.items()]

    def status(self) -> dict[str, int] | None:
        """What `durward status` says; None where there is no queue."""
        return self.waiting or None

    def findings(self) -> list[Finding]:
        """What `durward doctor` says."""
        return [Finding(NAME, name, "pass", f"{count} mails wait") for name, count in self.waiting.items()]


def event_of(name: str, count: int, now: float) -> Event:
    """What the engine hears of a queue."""
    line = f"{count} mails wait in {name}".encode()
    return Event(KIND, now, now, SERVICE, NAME, f"{now:.3f}/{name}", line, hits=count, about=name)
