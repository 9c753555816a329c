"""What the engine answers to people: one method per verb."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from durward.control.channel import ChannelError
from durward.daemons.acting import Acting
from durward.daemons.alerting import Alerting
from durward.daemons.conditions import Conditions, finding_entry
from durward.daemons.desk import Answers, RequestError
from durward.daemons.door import Door
from durward.daemons.explaining import Explaining
from durward.daemons.ledger import Ledger
from durward.daemons.reconciling import entry_of
from durward.engine.engine import Engine
from durward.engine.explain import history_entry, moment, ports_of
from durward.model import EVERYTHING, Decision, InvalidAddressError, Listing, Scope, Standing, Subject, Verdict
from durward.model.duration import SECONDS_MAX
from durward.store import accounts, decisions, explanations, standing
from durward.store.errors import StoreCorruptError, StoreError

REASON_CHARACTERS_MAX = 500
NOT_FOUND, REFUSED = 1, 3
UNDOING: Mapping[str, Verdict] = {
    "block": "unblock",
    "throttle": "unblock",
    "allow": "disallow",
    "ignore": "unignore",
}
DONE: Mapping[str, str] = {"block": "blocked", "throttle": "throttled", "allow": "allowed", "ignore": "ignored"}
OPERATOR = "operator:root"  # the socket lets nobody else ask


@dataclass(frozen=True, slots=True)
class Rooms:
    """What is needed to answer: who decides, who remembers, who enforces, who carries out, and how they are."""

    engine: Engine
    ledger: Ledger
    door: Door
    acting: Acting
    conditions: Conditions
    alerting: Alerting


class Answering:
    """Everything that people may ask."""

    def __init__(self, rooms: Rooms, explaining: Explaining, reload: Callable[[], list[str]]) -> None:
        self._engine, self._ledger, self._door = rooms.engine, rooms.ledger, rooms.door
        self._acting, self._conditions = rooms.acting, rooms.conditions
        self._explaining = explaining
        self._reload = reload
        self._verbs: dict[str, Callable[[dict[str, Any], float], Answers]] = {
            "status": lambda _asked, now: [self._conditions.status(now)],
            "doctor": lambda _asked, now: [finding_entry(finding) for finding in self._conditions.findings(now)],
            "reload": lambda _asked, _now: [{"problems": self._reload()}],
            "why": self._why,
            "list": self._list,
            "log": self._log,
            "undo": self._undo,
            "alerts": rooms.alerting.state,
            "alerts test": rooms.alerting.test,
            **dict.fromkeys(("block", "allow", "ignore"), self._put),
            **dict.fromkeys(("unblock", "disallow", "unignore"), self._take),
        }

    def answer(self, asked: dict[str, Any]) -> Answers:
        """Answer one question. Raises RequestError, and StoreCorruptError where the database is damaged."""
        verb = self._verbs.get(str(asked.get("verb")))
        if verb is None:
            raise RequestError(f"the engine knows no verb {asked.get('verb')!r}")
        try:
            return verb(asked, time.time())
        except StoreCorruptError:
            raise
        except StoreError as error:  # a number or a text that no database holds
            raise RequestError(f"the database has no such thing: {error}") from None

    def _put(self, asked: dict[str, Any], now: float) -> Answers:
        verdict = cast("Verdict", asked["verb"])
        subject, scope = Subject.parse(str(asked["subject"])), Scope.parse(str(asked["scope"]))
        seconds = asked.get("seconds")
        until = None if seconds is None else now + _seconds(seconds)
        if verdict == "ignore" and scope != EVERYTHING:
            raise RequestError("an address is ignored whole, or not: a line counts whichever port it is about")
        reason = _reason(asked) or f"{DONE[verdict]} by an operator"
        made = Decision(verdict, subject, now, until, reason, OPERATOR, scope)
        (decided, *_), refused = self._acting.act([made], {}, now)
        if decided.id in refused:
            raise RequestError(refused[decided.id], REFUSED)
        if verdict != "block":
            self._reload()
        return [self._reply(decided, enforced=self._stands(decided, verdict, now))]

    def _take(self, asked: dict[str, Any], now: float) -> Answers:
        verdict = cast("Verdict", asked["verb"])
        listings = standing.DROPS[verdict]
        wanted, scope = self._meant(str(asked["subject"]), listings)
        found = [one for one in standing.of(self._ledger.store, wanted) if one.listing in listings]
        if scope is not None:
            found = [one for one in found if one.scope == scope]
        self._engine.unblock(wanted, forgive=False)
        if not found:
            raise RequestError(self._not_there(wanted, listings, now), NOT_FOUND)
        reason = _reason(asked) or f"{verdict}ed by an operator"
        return [self._lift(verdict, found, reason, now)]

    def _lift(self, verdict: Verdict, found: list[Standing], reason: str, now: float) -> dict[str, Any]:
        self._save_counters(found)
        lifted = dict.fromkeys((one.subject, one.scope) for one in found)  # one decision lifts a throttle and a block
        made = [Decision(verdict, subject, now, None, reason, OPERATOR, scope) for subject, scope in lifted]
        decided, _refused = self._acting.act(made, {}, now)
        if verdict != "unblock":
            self._reload()
        gone = self._readings(found)
        reply = self._reply(decided[0], enforced=gone is not None and not any(gone))
        return reply | {"lifted": sorted({one.subject.value for one in found})}

    def _meant(self, text: str, listings: Sequence[Listing]) -> tuple[Subject, Scope | None]:
        """Whom an operator means: a subject, the IPv6 network that stands for an address, or a receipt's decision."""
        try:
            subject = Subject.parse(text)
        except InvalidAddressError as error:
            entry = decisions.by_receipt(self._ledger.store, text)
            if entry is None:
                raise RequestError(f"{error}, nor a receipt of ours") from None
            _refuse_of_list(entry.decision)
            return entry.decision.subject, entry.decision.scope
        if subject.kind == "address" and not any(
            one.listing in listings for one in standing.of(self._ledger.store, subject)
        ):
            subject = self._engine.subject_of(subject.value)
        return subject, None

    def _not_there(self, subject: Subject, listings: Sequence[Listing], now: float) -> str:
        covering = standing.covering(self._ledger.store, subject.network, now)
        around = [one for one in covering if one.listing in listings]
        if around:
            other, done = around[0].subject.value, DONE[around[0].listing]
            return f"{subject.value} itself is not {done}; {other} is: durward {UNDOING[around[0].listing]} {other}"
        return f"{subject.value} is not {DONE[listings[0]]}"

    def _undo(self, asked: dict[str, Any], now: float) -> Answers:
        text = str(asked["decision"])
        store = self._ledger.store
        entry = decisions.by_id(store, int(text)) if text.isdigit() else decisions.by_receipt(store, text)
        if entry is None:
            raise RequestError(f"there is no decision {text!r}; `durward log` shows them", NOT_FOUND)
        undone = entry.decision
        _refuse_of_list(undone)
        reason = _reason(asked) or f"decision {undone.id} undone by an operator"
        if undone.verdict in UNDOING:
            found = [one for one in standing.of(store, undone.subject) if one.decision == undone.id]
            if not found:
                raise RequestError(f"decision {undone.id} no longer stands: there is nothing to undo", NOT_FOUND)
            reply = self._lift(UNDOING[undone.verdict], found, reason, now)
            return [reply | {"undone": undone.id, "verdict": UNDOING[undone.verdict]}]
        return [self._restore(undone, reason, now)]

    def _restore(self, undone: Decision, reason: str, now: float) -> dict[str, Any]:
        """Take a lifting back: what it lifted stands again, for the time that it would still have had."""
        lifted = [
            entry.decision
            for entry in decisions.history(self._ledger.store, undone.subject, 100)
            if UNDOING.get(entry.decision.verdict) == undone.verdict
            and entry.decision.id < undone.id
            and entry.decision.scope == undone.scope
            and not entry.decision.simulated
            and entry.refused is None
        ]
        if not lifted or (lifted[0].until is not None and lifted[0].until <= now):
            raise RequestError(f"what decision {undone.id} lifted has ended since: nothing to undo", NOT_FOUND)
        again = lifted[0]
        incident = explanations.incident_of(self._ledger.store, again.id)
        made = Decision(again.verdict, again.subject, now, again.until, reason, OPERATOR, again.scope, incident)
        (decided, *_), refused = self._acting.act([made], {}, now)
        if decided.id in refused:
            raise RequestError(refused[decided.id], REFUSED)
        enforced = self._stands(decided, decided.verdict, now)
        return self._reply(decided, enforced=enforced) | {"undone": undone.id, "verdict": decided.verdict}

    def _why(self, asked: dict[str, Any], now: float) -> Answers:
        text = str(asked["subject"])
        try:
            subject = Subject.parse(text)
        except InvalidAddressError as error:
            entry = decisions.by_receipt(self._ledger.store, text)
            if entry is None:
                return [self._why_account(text, error, now)]
            subject = entry.decision.subject
            if subject.kind not in ("address", "network"):
                return [self._why_account(subject.value, error, now)]
        return [self._explaining.explain(subject, now)]

    def _why_account(self, account: str, error: InvalidAddressError, now: float) -> dict[str, Any]:
        found = self._explaining.explain_account(account, now)
        if found is None:
            raise RequestError(f"{error}, nor a receipt of ours, nor an account that somebody was refused for")
        return found

    def _list(self, asked: dict[str, Any], now: float) -> Iterator[dict[str, Any]]:
        if asked["listing"] not in DONE:
            raise RequestError(f"there is no list {asked['listing']!r}")
        return self._listed(cast("Listing", asked["listing"]), now)

    def _listed(self, listing: Listing, now: float) -> Iterator[dict[str, Any]]:
        for one in standing.all_of(self._ledger.store, listing):
            if one.until is not None and one.until <= now:
                continue
            entry = decisions.by_id(self._ledger.store, one.decision)
            yield {
                "subject": one.subject.value,
                "ports": ports_of(one.scope),
                "direction": one.scope.direction,
                "until": moment(one.until),
                "made_at": entry and moment(entry.decision.made_at),
                "decision": one.decision,
                "receipt": entry and entry.decision.receipt,
                "reason": entry.decision.reason if entry else "",
                "origin": entry.decision.origin if entry else "",
            }

    def _log(self, asked: dict[str, Any], _now: float) -> Answers:
        lines = max(0, min(int(asked.get("lines", 20)), 10_000))
        if asked.get("unexplained"):
            return self._conditions.unexplained(lines)
        newest = decisions.latest(self._ledger.store, lines) if lines else []
        numbers = [entry.decision.id for entry in newest]
        named = accounts.named_between(self._ledger.store, min(numbers), max(numbers)) if numbers else {}
        return [
            history_entry(entry.decision, entry.refused)
            | ({"account": named[entry.decision.id]} if entry.decision.id in named else {})
            for entry in reversed(newest)
        ]

    def _stands(self, decided: Decision, verdict: Verdict, now: float) -> bool:
        if verdict == "ignore":
            return True
        listing = standing.PUTS[verdict]
        until = decided.until if decided.until is None or decided.until > now else now
        readings = self._readings([Standing(listing, decided.subject, decided.scope, until, decided.id)])
        return readings is not None and all(reading is not None for reading in readings)

    def _readings(self, stands: list[Standing]) -> list[Any] | None:
        """What the kernel has of each; of what is ignored, nothing: it has no such list. None where nobody tells."""
        try:
            return [
                None if one.listing == "ignore" else self._door.readings([entry_of(one)], one.listing)[0]
                for one in stands
            ]
        except ChannelError:
            return None

    def _save_counters(self, found: list[Standing]) -> None:
        blocks = [one for one in found if one.listing in standing.DROPS["unblock"]]
        for one, reading in zip(blocks, self._readings(blocks) or [], strict=False):
            if reading is not None:
                self._ledger.count(one.decision, reading.packets, reading.bytes)

    def _reply(self, decided: Decision, *, enforced: bool) -> dict[str, Any]:
        return {
            "decision": decided.id,
            "receipt": decided.receipt,
            "subject": decided.subject.value,
            "until": moment(decided.until),
            "enforced": enforced,
        }


def _refuse_of_list(decision: Decision) -> None:
    """Raises RequestError for a decision that follows a list: as long as its line stands there, it would come again."""
    if decision.origin.startswith("list:"):
        file = decision.origin.removeprefix("list:")
        verb = UNDOING.get(decision.verdict, decision.verdict)
        raise RequestError(f"decision {decision.id} follows {file}: durward {verb} {decision.subject.value}", REFUSED)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 < seconds <= SECONDS_MAX:
        raise RequestError(f"{value} s is no time to come; more than 0 s and at most 100 years were expected")
    return seconds


def _reason(asked: dict[str, Any]) -> str:
    return str(asked.get("reason") or "")[:REASON_CHARACTERS_MAX]
