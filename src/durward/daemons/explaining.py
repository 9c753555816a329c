"""Gathers what is known of one subject for `durward why`: from the database, the kernel, the lists, the counters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durward.catalog.traffic import Rate
from durward.control.channel import ChannelError
from durward.daemons import neighbours
from durward.daemons.door import Door, Reading
from durward.daemons.exemptions import Exemptions
from durward.daemons.ledger import Ledger
from durward.daemons.limiting import Limiting
from durward.daemons.reconciling import entry_of
from durward.daemons.ruling import ruling
from durward.engine.engine import Engine
from durward.engine.explain import Case, Held, Past, account_explanation, explanation
from durward.model import Decision, Standing, Subject
from durward.model.subject import Kind
from durward.ruleset.limits import Limit
from durward.ruleset.skeleton import THROTTLE_RATE
from durward.store import accounts, counters, decisions, explanations, source_names, standing

HISTORY_MAX = 20  # earlier decisions that `why` shows
NAMED: tuple[Kind, ...] = ("user", "file", "process")  # subjects that are no addresses
AGAINST = standing.DROPS["unblock"]  # the lists whose entries stand against somebody


class Explaining:
    """Answers `why`. `exemptions` is replaced whenever a list changes."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        door: Door,
        exemptions: Exemptions,
        limits: Sequence[Limit] = (),
        *,
        throttle_rate: Rate = THROTTLE_RATE,
    ) -> None:
        self.exemptions = exemptions
        self._engine = engine
        self._ledger = ledger
        self._door = door
        self._limiting = Limiting(door, limits)
        self._throttle_rate = str(throttle_rate)

    def explain(self, subject: Subject, now: float) -> dict[str, Any]:
        """Everything that refuses `subject` now, what was decided about it before, and what exempts it."""
        store = self._ledger.store
        standings = standing.covering(store, subject.network, now)
        blocks = [one for one in standings if one.listing in AGAINST]
        counted = self._engine.subject_of(subject.value) if subject.kind == "address" else subject
        hits, threshold = self._engine.nearest(counted)
        past = decisions.history_around(store, subject, HISTORY_MAX)
        case = Case(
            subject=subject,
            held=[held for held in map(self._held, blocks, self._readings(blocks)) if held is not None],
            past=[Past(entry.decision, entry.refused) for entry in past],
            allowed=self.exemptions.allowed(subject),
            ignored=self.exemptions.ignored(subject),
            hits=hits,
            threshold=threshold,
            throttle_rate=self._throttle_rate,
        )
        found = explanation(case)
        found["layers"] += self._limiting.layers(counted, now, allowed=case.allowed is not None)
        found["layers"] += neighbours.layers(self._door, subject)
        found["spared_by"] = self.exemptions.spared_for_web(subject)
        found["blocked"] = any(layer["blocked"] for layer in found["layers"])
        found["precedence"] = ruling(standings, self.exemptions.filters, subject)
        return found

    def explain_account(self, account: str, now: float) -> dict[str, Any] | None:
        """What was decided because of failures on an account, or told of a file or a process; None for nothing."""
        store = self._ledger.store
        about = [Subject(kind, account) for kind in NAMED] if account else []
        told = [entry for one in about for entry in decisions.history(store, one, HISTORY_MAX)]
        entries = [decisions.by_id(store, number) for number in accounts.decisions_about(store, account, HISTORY_MAX)]
        known = {entry.decision.id: entry for entry in [*told, *entries] if entry is not None}
        past = [Past(known[number].decision, known[number].refused) for number in sorted(known, reverse=True)]
        if not past:
            return None
        blocks = [one for other in past for one in standing.of_decision(store, other.decision.id)]
        blocks = [one for one in blocks if one.listing in AGAINST]
        blocks = [one for one in blocks if one.until is None or one.until > now]
        held = [held for held in map(self._held, blocks, self._readings(blocks)) if held is not None]
        newest = explanations.explain(store, told[0].decision.id) if told else None
        return account_explanation(account, held, past, newest.decision if newest else None, self._throttle_rate)

    def _held(self, one: Standing, reading: Reading | None) -> Held | None:
        entry = explanations.explain(self._ledger.store, one.decision)
        if entry is None:
            return None
        saved = counters.of(self._ledger.store, one.decision)
        packets, size = (reading.packets, reading.bytes) if reading is not None else (0, 0)
        return Held(
            standing=one,
            decision=replace(entry.decision, subject=one.subject),
            packets=saved.packets + packets,
            bytes=saved.bytes + size,
            in_kernel=reading is not None or not self._door.channel.connected,
            next_seconds=self._next_seconds(entry.decision),
            name=source_names.of(self._ledger.store, one.decision),
        )

    def _next_seconds(self, decision: Decision) -> float | None:
        incident = decision.incident
        if incident is None:
            return None
        return self._engine.next_seconds(decision.subject, incident.service, incident.detector, incident.last_at)

    def _readings(self, blocks: list[Standing]) -> list[Reading | None]:
        try:
            return [self._door.readings([entry_of(one)], one.listing)[0] for one in blocks]
        except ChannelError:
            return [None] * len(blocks)
