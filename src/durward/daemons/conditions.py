"""How the engine is doing: what `status` and `doctor` say."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from durward.control.channel import ChannelError
from durward.control.words import Entry
from durward.daemons import neighbours
from durward.daemons.alerting import Alerting
from durward.daemons.connections import Connections
from durward.daemons.door import Door
from durward.daemons.knocks import Knocks
from durward.daemons.ledger import Ledger
from durward.daemons.name_service import NameService
from durward.daemons.probes import Probes
from durward.daemons.queues import Queues
from durward.daemons.watch import SourceState, Watch
from durward.engine.engine import Engine
from durward.engine.explain import moment
from durward.model import ABSENT, EVERYTHING, Finding, Subject
from durward.scan.doubts import Doubt
from durward.store import decisions, findings, standing

CANARY = Subject.parse("240.0.0.1")  # reserved for ever (RFC 1112): nobody can be hit by blocking it
CANARY_SECONDS = 10.0
LATE_SECONDS = 60.0  # a source that waits longer than this to be read is worth a finding
SHADOW_SECONDS = 86400.0  # of what detectors in shadow mode would have done is shown by `status`
CLOCK_MIN = 1_700_000_000  # a clock before November 2023 is wrong


class Conditions:
    """Looks, and never changes anything but the canary."""

    def __init__(self, engine: Engine, ledger: Ledger, door: Door, watch: Watch, began_at: float) -> None:
        self.problems: list[str] = []
        self.tells_floods = True
        self.progress: Callable[[], str] = str  # of what begins with a start and takes a while
        self.knocks: Knocks | None = None
        self.probes: Probes | None = None
        self.alerting: Alerting | None = None
        self.connections: Connections | None = None
        self.queues: Queues | None = None
        self.naming: NameService | None = None
        self._engine = engine
        self._ledger = ledger
        self._door = door
        self._watch = watch
        self._began_at = began_at

    def status(self, now: float) -> dict[str, Any]:
        """What `durward status` says."""
        degraded = [*self.problems, *filter(None, (self._door.degraded, self._ledger.degraded, self.progress()))]
        degraded += [f"{finding.check} {finding.subject}: {finding.detail}" for finding in self._engine.findings]
        degraded += [f"{one.subject}: {one.detail}" for one in self._watch.drift.findings()]
        degraded += [self._watch.liveness.problem] if self._watch.liveness.problem else []
        degraded += self._full()
        degraded += self._held(now)
        degraded += self.alerting.problems() if self.alerting else []
        firewall = self._firewall()
        return {
            "protecting": self._door.channel.connected and firewall != "stopped",
            "since": moment(self._began_at),
            "firewall": firewall,
            "blocks": standing.count(self._ledger.store, "block"),
            "throttles": standing.count(self._ledger.store, "throttle"),
            "allows": standing.count(self._ledger.store, "allow"),
            "ignores": standing.count(self._ledger.store, "ignore"),
            "sources": self._sources(now),
            "processes": self._processes(),
            "shadow": decisions.simulated_since(self._ledger.store, now - SHADOW_SECONDS),
            **self._counters(),
            "knocks": self.knocks.status() if self.knocks else None,
            "connections": self.connections.status() if self.connections else None,
            "queues": self.queues.status() if self.queues else None,
            "probes": self.probes.status() if self.probes else None,
            "degraded": degraded,
        }

    def findings(self, now: float) -> list[Finding]:
        """What `durward doctor` finds: is what should be true really true?"""
        found = [self._canary(now), self._clock(now), self._database(), *self._foreign()]
        found += neighbours.findings(self._door)
        found += [Finding("sets", "table inet durward", "fail", line) for line in self._full()]
        found += [*self._source_findings(now), *self._watch.drift.findings()]
        found += [_doubt_finding(source, doubt) for source, doubt in self._watch.doubts]
        found += self.knocks.findings() if self.knocks else []
        found += [*self._watch.trust(now), *(one for one in (self._watch.liveness.finding(),) if one)]
        found += self.connections.findings() if self.connections else []
        found += self.queues.findings() if self.queues else []
        found += self.probes.findings() if self.probes else []
        found += self.naming.findings(now) if self.naming else []
        known = [entry.finding for entry in findings.known(self._ledger.store)]
        return [*found, *known, *self._engine.findings]

    def unexplained(self, most: int) -> list[dict[str, Any]]:
        """The lines that nothing explains, alike ones together, as far as they are collected."""
        return list(islice(self._watch.unexplained.groups(), most))

    def troubles(self) -> list[Finding]:
        """What people should be told of without asking: what keeps this host from being protected."""
        late = self._watch.sources(time.time()) if self.tells_floods else ()
        degraded = (("enforcer", self._door.degraded), ("database", self._ledger.degraded))
        found = [Finding("durward", name, "fail", trouble) for name, trouble in degraded if trouble]
        found += [_source_finding(one) for one in late if one.lag_seconds > LATE_SECONDS]
        found += [*self._watch.trust(time.time()), *(one for one in (self._watch.liveness.finding(),) if one)]
        found += self.connections.findings() if self.connections else []
        known = [entry.finding for entry in findings.known(self._ledger.store)]
        return [*found, *known, *self._engine.findings]

    def _firewall(self) -> str:
        try:
            return self._door.state()[0]
        except ChannelError:
            return "unknown"

    def _counters(self) -> dict[str, Any]:
        try:
            refused, counted = self._door.counters()
        except ChannelError:
            return {"refused": [], "counted": []}
        return {"refused": [one.entry() for one in refused], "counted": [one.entry() for one in counted]}

    def _sources(self, now: float) -> list[dict[str, Any]]:
        sources = []
        for one in self._watch.sources(now):
            source: dict[str, Any] = {"name": one.name, "lag_seconds": round(one.lag_seconds, 3)}
            source |= {"lines": one.tally.lines, "events": one.tally.events}
            source["last_event_at"] = moment(one.tally.last_event_at or None)
            if one.absent:
                source["absent"] = True
            elif trust := self._watch.trust_of(one.name):
                source["unproven"] = trust
            source |= {"lost": one.lost} if one.lost else {}
            source |= {"flood": one.flood} if one.flood else {}
            sources.append(source | ({"problem": one.problem} if one.problem else {}))
        return sources

    def _processes(self) -> list[dict[str, Any]]:
        processes = [{"name": "engine", "pid": os.getpid()}]
        if self._door.channel.connected:
            processes.append({"name": "enforcer", "pid": self._door.channel.peer()})
        if self.alerting is not None and self.alerting.sender():
            processes.append({"name": "alerter", "pid": self.alerting.sender()})
        return [process | {"rss_kib": _rss_kib(int(str(process["pid"])))} for process in processes]

    def _held(self, now: float) -> list[str]:
        """The detectors that the engine itself holds back, in local time."""
        return [
            f"{name} is held until {datetime.fromtimestamp(until).astimezone():%H:%M}: {self._engine.why_held(name)}"
            for name, until in self._engine.held(now).items()
        ]

    def _canary(self, now: float) -> Finding:
        entry = Entry(CANARY, EVERYTHING, now + CANARY_SECONDS)
        try:
            self._door.block([entry])
            found = self._door.readings([entry])[0]
            self._door.unblock("block", [entry])
        except ChannelError as error:
            return Finding("kernel", "canary", "error", str(error))
        if found is None:
            return Finding("kernel", "canary", "fail", "a block was put into the kernel and was not there afterwards")
        return Finding("kernel", "canary", "pass", "a block was put into the kernel, found there, and taken out again")

    def _full(self) -> list[str]:
        try:
            return self._door.full()
        except ChannelError:
            return []

    def _foreign(self) -> list[Finding]:
        try:
            reports = self._door.state()[1]
        except ChannelError:
            return []
        return [Finding("table", "inet durward", "fail", f"{report}; it was repaired") for report in reports[-1:]]

    def _clock(self, now: float) -> Finding:
        if now < CLOCK_MIN:
            return Finding("clock", "system", "fail", "the clock is years behind; blocks would end at wrong times")
        return Finding("clock", "system", "pass", f"it is {moment(now)}")

    def _database(self) -> Finding:
        if self._ledger.degraded:
            return Finding("database", "durward.db", "fail", self._ledger.degraded)
        return Finding("database", "durward.db", "pass", "decisions and positions are written")

    def _source_findings(self, now: float) -> list[Finding]:
        states = self._watch.sources(now)
        if all(one.absent for one in states):
            advice = "no log of any service was found; see [services] in durward.toml"
            return [Finding("source", "all", "fail", advice)]
        return [_source_finding(one) for one in states]


def _source_finding(state: SourceState) -> Finding:
    lines, events = state.tally.lines, state.tally.events
    if state.absent:
        return Finding("source", state.name, "not_applicable", ABSENT)
    if state.problem:
        return Finding("source", state.name, "fail", f"is not read: {state.problem}")
    if state.lag_seconds > LATE_SECONDS:
        flood = f": it grows faster than it can be read; {state.flood}" if state.flood else ""
        return Finding("source", state.name, "fail", f"has waited {state.lag_seconds:.0f} s to be read{flood}")
    if lines and not events:
        return Finding("source", state.name, "unknown", f"{lines} lines were read; none was an event")
    if state.lost:
        return Finding("source", state.name, "unknown", f"{lines} lines, {events} events; {state.lost}")
    return Finding("source", state.name, "pass", f"{lines} lines, {events} events")


def _doubt_finding(source: str, doubt: Doubt) -> Finding:
    """Unknown, not wrong: nobody was blamed. It may be an attempt to have somebody else blocked."""
    sample = doubt.sample.decode("utf-8", "backslashreplace")
    count = "1 line names" if doubt.lines == 1 else f"{doubt.lines} lines name"
    return Finding("doubt", source, "unknown", f"{count} two addresses, so nobody was blamed; the last one: {sample}")


def finding_entry(finding: Finding) -> dict[str, Any]:
    """A finding as JSON gives it."""
    return asdict(finding)


def _rss_kib(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return None
