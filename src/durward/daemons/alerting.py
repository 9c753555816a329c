"""Alerts in the engine: they are written down with what they are about, and handed to the process that sends them.

The engine decides what is sent when, and keeps it; the other process only carries. Each message is claimed, tried, and
then said to be sent or not; who claims and dies leaves a message that is repeated under the same key, if it may be.
"""

import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from durward.catalog.alert_card import AlertCard
from durward.catalog.shelf import channels_on, load_alerts
from durward.config.settings import DetectorSettings
from durward.daemons.desk import Answers, Desk, RequestError
from durward.daemons.ledger import Ledger
from durward.daemons.privileges import PrivilegesError, account
from durward.daemons.process import say
from durward.messages import inert, occasions, rationing
from durward.messages.rationing import Rules, Waiting
from durward.messages.wire import WireError, message_entry, read_alert, written
from durward.model import FOREVER, Decision, Finding, Standing
from durward.model.alert import SEVERITIES, Alert, Message
from durward.store import outbox
from durward.store.errors import StoreCorruptError, StoreError
from durward.store.outbox import Letter, Posted

ALERTER_USER = "durward-alerter"
SOCKET_MODE = 0o660  # the sender is in the group; who else is there is sent away
UNSENT_MAX = 5  # messages of a channel that are tried again and again; meanwhile everything else waits for a digest
RETRY_SECONDS, RETRY_SECONDS_MAX = 15.0, 3600.0  # after a failure, doubled each time
ASK_AGAIN_SECONDS = 60.0  # the sender asks at least so often
HEED_SECONDS = 60.0  # between two looks at how durward itself is; what is wrong at two of them is told
UNSURE = "whether it was sent is not known, and it must not be sent twice"
INTERRUPTED = "the sender was interrupted, and sends it again"
NOT_FOUND = 1
NO_DETECTORS: Mapping[str, DetectorSettings] = MappingProxyType({})


class Alerting:
    """What people are told. Without a channel that is switched on it does nothing."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Mapping[str, Mapping[str, Any]],
        detectors: Mapping[str, DetectorSettings] = NO_DETECTORS,
    ) -> None:
        self._ledger = ledger
        self._detectors = detectors
        self._cards = {card.id: card for card in channels_on(settings)} if settings else {}
        self._settings = {name: settings[name] for name in self._cards}
        self._desk: Desk | None = None
        self._news = False
        self._heeded_at = 0.0
        self._troubled: set[tuple[str, str]] = set()
        self._told: dict[tuple[str, str], Finding] = {}
        if self._settings:
            ledger.alerts_of, ledger.alerts_of_ended = self._of_decisions, self._of_ended

    def open(self, path: Path, epoll: select.epoll) -> None:
        """Listen for the process that sends, if anything is to be sent."""
        path.unlink(missing_ok=True)
        if not self._settings:
            return
        try:
            users = {0, account(ALERTER_USER).pw_uid}
        except PrivilegesError as error:
            say(f"alerts are not sent: {error}")
            users = {0}
        self._desk = Desk(path, self.answer, epoll, mode=SOCKET_MODE, users=users)

    def handle(self, descriptor: int, happened: int) -> bool:
        """Do what an event of `descriptor` asks for; gives whether it was ours."""
        return self._desk is not None and self._desk.handle(descriptor, happened)

    def notify(self) -> None:
        """Tell the sender that there is something new, if there is."""
        if self._news and self._desk is not None:
            self._desk.tell([{"news": True}])
        self._news = False

    def sender(self) -> int:
        """The process that sends, by its id; 0 while none does."""
        return next(iter(self._desk.followers), 0) if self._desk is not None else 0

    def tick(self, now: float, troubles: Callable[[], Iterable[Finding]]) -> None:
        """Look now and then how durward itself is, and tell of what stays wrong, and of what is right again."""
        self.notify()
        if not self._settings or 0 <= now - self._heeded_at < HEED_SECONDS:
            return
        self._heeded_at = now
        found = {(one.check, one.subject): one for one in troubles() if one.result in {"fail", "error"}}
        lasting = {key: one for key, one in found.items() if key in self._troubled}
        over = [occasions.of_recovery(one, now) for key, one in self._told.items() if key not in found]
        alerts = [*(occasions.of_finding(one, now) for one in lasting.values()), *over]
        self._troubled = set(found)
        self._told = {key: one for key, one in (self._told | lasting).items() if key in found}
        self._write(lambda: outbox.post(self._ledger.store, self._posted(alerts)))
        self._write(lambda: outbox.prune(self._ledger.store, now))
        self.notify()

    def tell(self, alert: Alert) -> None:
        """Have one alert sent by every channel that wants such."""
        self._write(lambda: outbox.post(self._ledger.store, self._posted([alert])))
        self.notify()

    def answer(self, asked: dict[str, Any]) -> Answers:
        """What the sender may ask: follow, begin, claim, settle. Raises RequestError, StoreCorruptError, MISTAKES."""
        try:
            return self._answered(asked, time.time())
        except StoreCorruptError:
            raise
        except (StoreError, LookupError) as error:  # a number that no message has, or no database holds
            raise RequestError(f"there is no such thing: {error}", NOT_FOUND) from None

    def _answered(self, asked: dict[str, Any], now: float) -> Answers:
        match asked.get("verb"):
            case "follow":
                return []
            case "begin":
                return [self._begin(now)]
            case "claim":
                return [self._claim(self._known(asked), now)]
            case "settle":
                return [self._settle(asked, now)]
        raise RequestError("the sender of alerts may not ask this")

    def test(self, asked: dict[str, Any], now: float) -> Answers:
        """Have one message sent by each of the channels, whatever the budget and the hours say. Raises RequestError."""
        names = [self._known(asked)] if asked.get("channel") else list(self._settings)
        if not names:
            raise RequestError("no channel is switched on: durward config set alerts.mail.enabled=true", NOT_FOUND)
        sent: list[dict[str, Any]] = []

        def compose() -> None:
            for name in names:
                alert = occasions.trial(name, now)
                row = Posted(alert.key, now, SEVERITIES.index(alert.severity), alert.gathering, written(alert), (name,))
                outbox.post(self._ledger.store, [row])
                waiting = [
                    one.id for one in outbox.waiting(self._ledger.store, name) if one.gathering == alert.gathering
                ]
                spent = outbox.account_of(self._ledger.store, name).spent
                sent.append({"channel": name, "message": outbox.compose(self._ledger.store, name, waiting, spent, now)})

        if not self._write(compose):
            raise RequestError("the database cannot be written")
        self._news = True
        self.notify()
        return sent

    def state(self, asked: dict[str, Any], now: float) -> Answers:
        """How every channel is; with `message`, what became of that one. Raises RequestError."""
        store = self._ledger.store
        if "message" in asked:
            try:
                return [_entry(outbox.by_id(store, int(asked["message"])))]
            except LookupError as error:
                raise RequestError(str(error), NOT_FOUND) from None
        return [self._channel_state(name, now) for name in self._settings]

    def problems(self) -> list[str]:
        """What is degraded: channels whose messages do not arrive."""
        wrong = {name: self._problem(name) for name in self._settings}
        return [f"alerts by {name} do not arrive: {inert.line(what, 200)}" for name, what in wrong.items() if what]

    def _problem(self, name: str) -> str:
        """What is wrong with a channel: why the message that it tries failed, or the last one that it gave up."""
        letter = outbox.due(self._ledger.store, name)
        if letter is not None and letter.tries:
            return letter.detail
        return outbox.failure(self._ledger.store, name)

    def _of_decisions(self, decided: Sequence[Decision], refused: Mapping[int, str]) -> list[Posted]:
        posted: list[Posted] = []
        for one in decided:
            why = refused.get(one.id)
            found = (occasions.of_decision(one, why), occasions.of_account(one, why))
            posted += self._posted(found, quiet=why is None and not self._is_told(one))
        return posted

    def _of_ended(self, ended: Sequence[Standing], now: float) -> list[Posted]:
        return self._posted(occasions.of_expiry(one, now) for one in ended)

    def _is_told(self, decision: Decision) -> bool:
        """Whether people want to hear of this by their settings of the detector that decided it."""
        incident = decision.incident
        if incident is None or incident.detector not in self._detectors:
            return True
        values = self._detectors[incident.detector].of(incident.service)
        if not values.get("alert", True) or decision.verdict != "block":
            return bool(values.get("alert", True))
        if decision.until is not None:
            return bool(values.get("alert_temporary", True))
        return bool(values.get("alert_permanent", True)) or values["block_for"] == FOREVER

    def _posted(self, alerts: Iterable[Alert | None], *, quiet: bool = False) -> list[Posted]:
        """What goes to which channel; what is `quiet` goes to programs alone, which people do not hear."""
        posted = []
        for alert in alerts:
            if alert is None:
                continue
            channels = tuple(name for name in self._settings if self._wants(self._cards[name], alert, quiet=quiet))
            if channels:
                severity = SEVERITIES.index(alert.severity)
                posted.append(Posted(alert.key, alert.at, severity, alert.gathering, written(alert), channels))
        self._news = self._news or bool(posted)
        return posted

    def _wants(self, card: AlertCard, alert: Alert, *, quiet: bool) -> bool:
        if quiet and not card.single:
            return False
        least = SEVERITIES.index(self._settings[card.id]["least"])
        return alert.kind in card.kinds and SEVERITIES.index(alert.severity) >= least

    def _known(self, asked: dict[str, Any]) -> str:
        name = str(asked.get("channel"))
        if name not in self._settings:
            known = ", ".join(card.id for card in load_alerts())
            if name in known.split(", "):
                raise RequestError(f"{name} is not used: see [alerts.{name}] in docs/guide/alerts.md", NOT_FOUND)
            raise RequestError(f"there is no channel {name!r}; there are {known}")
        return name

    def _begin(self, now: float) -> dict[str, Any]:
        """A sender has begun: what an earlier one was sending is repeated, or given up where that is worse."""
        store = self._ledger.store

        def take_back() -> None:
            for letter in outbox.interrupted(store):
                card = self._cards.get(letter.channel)
                if card is None or card.repeatable:
                    outbox.settle(
                        store, letter.id, now, state="waiting", detail="the sender was interrupted", next_at=now
                    )
                else:
                    outbox.settle(store, letter.id, now, state="failed", detail=UNSURE)

        self._write(take_back)
        return {"channels": list(self._settings)}

    def _claim(self, channel: str, now: float) -> dict[str, Any]:
        """The next message of a channel, or how long to wait before asking again."""
        store = self._ledger.store
        letter = outbox.due(store, channel)
        again_at = now + ASK_AGAIN_SECONDS
        if letter is None or (letter.next_at > now and outbox.unsent(store, channel) < UNSENT_MAX):
            choice = self._choose(channel, now)
            if choice.told:
                self._write(
                    lambda: outbox.compose(
                        store, channel, choice.told, choice.spent, now, settled=choice.settled, held=choice.held
                    )
                )
                letter = outbox.due(store, channel)
            elif choice.again_at is not None:
                again_at = min(again_at, choice.again_at)
        if letter is not None and not now < letter.next_at <= now + RETRY_SECONDS_MAX:
            return self._handed(letter)
        if letter is not None:
            again_at = min(again_at, letter.next_at)
        return {"wait_seconds": max(0.05, again_at - now)}

    def _choose(self, channel: str, now: float) -> rationing.Choice:
        store, values = self._ledger.store, self._settings[channel]
        spent = outbox.account_of(store, channel).spent
        if (free_at := rationing.allowed_at(values["budget"], spent, now)) > now:
            return rationing.Choice(again_at=free_at, spent=spent)  # what waits need not even be read
        waiting = [Waiting(one.id, one.at, one.severity, one.gathering) for one in outbox.waiting(store, channel)]
        known = outbox.account_of(store, channel)
        rules = Rules(
            budget=values["budget"],
            quiet=values["quiet"],
            loud=SEVERITIES.index(values["loud"]),
            gather_seconds=values["gather"],
            single=self._cards[channel].single,
        )
        local = time.localtime(now)
        second = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec
        return rationing.choose(waiting, rules, now, second, known.spent, overflowed=known.dropped > 0)

    def _handed(self, letter: Letter) -> dict[str, Any]:
        store = self._ledger.store
        if not self._write(lambda: outbox.claim(store, letter.id)):
            return {"wait_seconds": ASK_AGAIN_SECONDS}
        alerts = tuple(_readable(outbox.payloads(store, letter.id)))
        # The time is a part of the key: after a loss of the database ids begin anew.
        key = f"{letter.channel}.{letter.id}.{int(letter.made_at * 1000)}"
        message = Message(key, letter.channel, letter.made_at, letter.tries + 1, alerts, letter.held, letter.more)
        if not alerts:
            self._write(lambda: outbox.settle(store, letter.id, time.time(), state="failed", detail="it is damaged"))
            return {"wait_seconds": 0.05}
        return {"id": letter.id, "message": message_entry(message)}

    def _settle(self, asked: dict[str, Any], now: float) -> dict[str, Any]:
        store, sent, detail = self._ledger.store, asked["sent"] is True, str(asked.get("detail", ""))
        letter = outbox.by_id(store, int(asked["id"]))
        if sent:
            done = self._write(lambda: outbox.settle(store, letter.id, now, state="sent"))
        elif asked.get("lasting") is True or self._is_hopeless(letter, now):
            say(f"an alert by {letter.channel} is given up: {inert.line(detail, 200)}")
            done = self._write(lambda: outbox.settle(store, letter.id, now, state="failed", detail=detail))
        else:
            again_at = now + min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(letter.tries - 1, 16))
            done = self._write(
                lambda: outbox.settle(store, letter.id, now, state="waiting", detail=detail, next_at=again_at)
            )
        return {"done": done}

    def _is_hopeless(self, letter: Letter, now: float) -> bool:
        card = self._cards.get(letter.channel)
        if card is None or not card.repeatable:
            return True
        return now - letter.made_at > float(self._settings[letter.channel]["give_up"])

    def _channel_state(self, name: str, now: float) -> dict[str, Any]:
        store = self._ledger.store
        known, letter = outbox.account_of(store, name), outbox.due(store, name)
        states = outbox.states(store, name)
        return {
            "channel": name,
            "waiting": outbox.waiting_number(store, name),
            "unsent": states.get("waiting", 0) + states.get("sending", 0),
            "sent": states.get("sent", 0),
            "failed": states.get("failed", 0),
            "dropped": known.dropped,
            "sent_at": known.sent_at,
            "problem": self._problem(name),
            "next_in_seconds": None if letter is None else round(max(0.0, letter.next_at - now), 1),
        }

    def _write(self, act: Callable[[], object]) -> bool:
        """Do something in one transaction; False, and nothing is changed, where the disk refuses."""
        try:
            with self._ledger.store.transaction():
                act()
        except StoreError as error:
            say(f"alerts are not written down: {error}")
            return False
        return True


def _readable(payloads: Iterable[str]) -> Iterator[Alert]:
    for payload in payloads:
        try:
            yield read_alert(payload)
        except WireError as error:
            say(f"an alert in the database is damaged and left out: {error}")


def _entry(letter: Letter) -> dict[str, Any]:
    return {
        "message": letter.id,
        "channel": letter.channel,
        "state": letter.state,
        "tries": letter.tries,
        "detail": letter.detail,
    }
