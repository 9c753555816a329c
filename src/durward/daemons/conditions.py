"""How the engine is doing: what `status` and `doctor` say."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from durward.control.channel import ChannelError
from durward.control.words import Entry
from durward.daemons import neighbours
from durward.daemons.alerting import Alerting
from durward.daemons.door import Door
from durward.daemons.knocks import Knocks
from durward.daemons.ledger import Ledger
from durward.daemons.watch import SourceState, Watch
from durward.engine.engine import Engine
from durward.engine.explain import moment
from durward.model import EVERYTHING, Finding, Subject
from durward.scan.doubts import Doubt
from durward.store import findings, standing

CANARY = Subject.parse("240.0.0.1")  # reserved for ever (RFC 1112): nobody can be hit by blocking it
CANARY_SECONDS = 10.0
LATE_SECONDS = 60.0  # a source that waits longer than this to be read is worth a finding
CLOCK_MIN = 1_700_000_000  # a clock before November 2023 is wrong


class Conditions:
    """Looks, and never changes anything but the canary."""

    def __init__(self, engine: Engine, ledger: Ledger, door: Door, watch: Watch, began_at: float) -> None:
        self.problems: list[str] = []
        self.progress: Callable[[], str] = str  # of what begins with a start and takes a while
        self.knocks: Knocks | None = None
        self.alerting: Alerting | None = None
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
        degraded += self._full()
        degraded += self.alerting.problems() if self.alerting else []
        firewall = self._firewall()
        return {
            "protecting": self._door.channel.connected and firewall != "stopped",
            "since": moment(self._began_at),
            "firewall": firewall,
            "blocks": standing.count(self._ledger.store, "block"),
            "allows": standing.count(self._ledger.store, "allow"),
            "ignores": standing.count(self._ledger.store, "ignore"),
            "sources": self._sources(now),
            "processes": self._processes(),
            **self._counters(),
            "knocks": self.knocks.status() if self.knocks else None,
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
        known = [entry.finding for entry in findings.known(self._ledger.store)]
        return [*found, *known, *self._engine.findings]

    def troubles(self) -> list[Finding]:
        """What people should be told of without asking: what keeps this host from being protected."""
        degraded = (("enforcer", self._door.degraded), ("database", self._ledger.degraded))
        found = [Finding("durward", name, "fail", trouble) for name, trouble in degraded if trouble]
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
            sources.append(source | ({"problem": one.problem} if one.problem else {}))
        return sources

    def _processes(self) -> list[dict[str, Any]]:
        processes = [{"name": "engine", "pid": os.getpid()}]
        if self._door.channel.connected:
            processes.append({"name": "enforcer", "pid": self._door.channel.peer()})
        return [process | {"rss_kib": _rss_kib(int(str(process["pid"])))} for process in processes]

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
        return Finding("source", state.name, "not_applicable", "is not there (yet)")
    if state.problem:
        return Finding("source", state.name, "fail", f"is not read: {state.problem}")
    if state.lag_seconds > LATE_SECONDS:
        return Finding("source", state.name, "fail", f"has waited {state.lag_seconds:.0f} s to be read")
    if lines and not events:
        return Finding("source", state.name, "unknown", f"{lines} lines were read; none was an event")
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
