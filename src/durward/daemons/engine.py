"""The engine: reads what the enforcer opened, decides, writes it down, and has it done. No capability, no network."""

import gc
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from durward.catalog.document import ProblemsError
from durward.config.home import Home
from durward.config.loading import Loaded, load, load_lists
from durward.control.channel import ChannelError
from durward.daemons import connections, knocks, queues
from durward.daemons.acting import Acting
from durward.daemons.alerting import Alerting
from durward.daemons.answers import Answering, Rooms
from durward.daemons.conditions import Conditions
from durward.daemons.connections import Connections
from durward.daemons.desk import Desk
from durward.daemons.door import Door
from durward.daemons.exemptions import Exemptions, changes, refusals
from durward.daemons.explaining import Explaining
from durward.daemons.knocks import Knocks
from durward.daemons.ledger import Ledger
from durward.daemons.limiting import limits_of
from durward.daemons.name_service import NameService, beyond_of
from durward.daemons.pace import Pace
from durward.daemons.privileges import become
from durward.daemons.probes import Probes
from durward.daemons.process import begin, say, status_after
from durward.daemons.queues import Queues
from durward.daemons.seclusion import leave_network, reach_home
from durward.daemons.ssh_ports import SshPorts
from durward.daemons.watch import Watch
from durward.engine.assembly import assemble, import_detectors, policy_of
from durward.engine.explain import history_entry
from durward.engine.familiar import FAMILIAR_SECONDS, NETWORK_SECONDS, Familiar, Login
from durward.model import Decision, Event
from durward.store import escalation, familiar, forgiveness, habits, positions

USER = "durward-engine"
TICK_SECONDS = 1.0
IDLE_SECONDS = 5.0  # between two looks at the clock while nothing happens
RECONNECT_SECONDS = 0.1
HABITS_SECONDS = 600.0  # between two times that it is written down what the sources usually give
COLLECT_AFTER = (
    20_000,
    20,
    50,
)  # objects, and generations: a sixth less processor time under attack (bench/scanning.py)


class EngineProcess:
    """Composes the engine, and runs its loop."""

    def __init__(self, home: Home, loaded: Loaded) -> None:
        now = time.time()
        self._home, self._loaded = home, loaded
        self._epoll = select.epoll()
        self._door = Door(home.enforcer_socket)
        self._ledger = Ledger(home.database, now)
        self._beyond = beyond_of(loaded, home)
        self._exemptions = Exemptions(load_lists(home), self._ledger.store, now, self._beyond)
        policy = policy_of(loaded.settings, loaded.services, loaded.detectors, self._exemptions.exempt)
        self._policy = replace(policy, spared=self._exemptions.spared if self._beyond.web else None)
        memory_seconds = max((one.longest_seconds for one in self._policy.detectors.values()), default=0.0)
        self._engine = assemble(self._policy, loaded.detectors, self._earlier(now), self._recalled(now))
        self._engine.forgive(forgiveness.load(self._ledger.store, now - memory_seconds))
        saved = positions.load(self._ledger.store)
        self._watch = Watch(self._door, loaded, self._engine, saved, memory_seconds=memory_seconds)
        self._watch.drift.restore(habits.load(self._ledger.store))
        self._acting = Acting(self._engine, self._ledger, self._door)
        self._conditions = Conditions(self._engine, self._ledger, self._door, self._watch, now)
        self._conditions.tells_floods = loaded.settings.sources.flood_alert
        self._conditions.progress = lambda: self._acting.progress
        limits = limits_of(loaded.settings)
        self._knocks = Knocks(
            home.etc, loaded.settings.firewall.authorised_knock, self._ledger, self._door, self._acting
        )
        self._conditions.knocks = self._knocks
        self._probes = Probes(loaded.settings, self._engine, self._door, self._acting)
        self._conditions.probes = self._probes
        self._connections = Connections(
            loaded.settings.detectors[connections.NAME].general,
            loaded.settings.guards,
            loaded.settings.ipv6.block_prefix,
            self._door,
        )
        self._conditions.connections = self._connections
        self._queues = Queues(loaded.settings.detectors[queues.NAME].general, self._door)
        self._conditions.queues = self._queues
        rate = loaded.settings.guards.throttle_rate
        self._explaining = Explaining(
            self._engine, self._ledger, self._door, self._exemptions, limits, throttle_rate=rate
        )
        self._alerting = Alerting(self._ledger, loaded.settings.alerts, loaded.settings.detectors)
        self._conditions.alerting = self._alerting
        self._ssh_ports = SshPorts(loaded.settings, self._door)
        self._desk = Desk(home.engine_socket, self._answering().answer, self._epoll)
        self._alerting.open(home.alerts_socket, self._epoll)
        self._naming = NameService(loaded, self._beyond, self._ledger, self._acting, self._feed, self._reload)
        self._naming.open(home.names_socket, self._epoll)
        self._conditions.naming = self._naming
        self._acting.listeners.append(self._tell)
        self._acting.begin(now)
        self._pace = Pace()
        self._listening = -1
        self._armed = False  # whether notices wake us; under load we read after each gap without being told
        self._ticked_at = self._tried_at = 0.0
        self._habits_kept_at = now
        self._lists_changed_at = self._lists_changed()

    def run(self, stop: int) -> None:
        """Run until the descriptor `stop` becomes readable."""
        self._epoll.register(stop, select.EPOLLIN)
        while True:
            now = time.time()
            if not self._door.channel.connected:
                self._connect(now)
            self._watch.look(now)
            self._go_on()
            self._count_connections(now)
            self._naming.deliver(now)
            if self._is_due(now) and self._pace.wait(time.monotonic()) == 0:
                self._read(now)
            if now - self._ticked_at >= TICK_SECONDS or now < self._ticked_at:
                self._tick(now)
            for descriptor, happened in self._epoll.poll(self._patience()):
                if descriptor == stop:
                    return
                self._handle(descriptor, happened)

    def _is_due(self, now: float) -> bool:
        return self._watch.waiting or self._is_deaf or self._watch.patience_seconds(now) is not None

    @property
    def _is_deaf(self) -> bool:
        return self._listening >= 0 and not self._armed

    def close(self) -> None:
        """Write down how far everything was read, and let go."""
        self._ledger.write([], self._watch.positions(), time.time())
        self._ledger.keep_habits(self._watch.drift.habits())
        self._naming.close()
        self._ledger.close()

    def _handle(self, descriptor: int, happened: int) -> None:
        if descriptor == self._listening:
            self._watch.notice()
            if self._watch.waiting and self._pace.wait(time.monotonic()) > 0:
                self._arm(armed=False)  # until these are read: each further notice would be a wake
        elif descriptor == self._door.channel.fileno():
            say("the enforcer ended the conversation; what it put into the kernel holds")
            self._epoll.unregister(descriptor)
            self._door.channel.close()
            self._door.degraded = "the enforcer does not answer; blocks hold in the kernel, new ones wait"
        elif descriptor == self._knocks.fileno():
            self._knocks.read(time.time())
        elif descriptor == self._probes.fileno():
            self._probes.read(time.time())
        elif not (self._desk.handle(descriptor, happened) or self._alerting.handle(descriptor, happened)):
            self._naming.handle(descriptor, happened)

    def _follow_knocks(self) -> None:
        """Read the copies of the enforcer that there is now. To close ours is not enough for epoll: it has it too."""
        if self._knocks.fileno() >= 0:
            self._epoll.unregister(self._knocks.fileno())
        self._knocks.connect()
        if self._knocks.fileno() >= 0:
            self._epoll.register(self._knocks.fileno(), select.EPOLLIN)
        if self._probes.fileno() >= 0:
            self._epoll.unregister(self._probes.fileno())
        self._probes.connect(time.time())
        if self._probes.fileno() >= 0:
            self._epoll.register(self._probes.fileno(), select.EPOLLIN)

    def _connect(self, now: float) -> None:
        if abs(now - self._tried_at) < RECONNECT_SECONDS:
            return
        self._tried_at = now
        if not self._door.connect():
            return
        if self._listening >= 0:
            # Unregistered while it is open: the enforcer holds the same inotify, so closing ours would not do it.
            self._epoll.unregister(self._listening)
            self._listening = -1
        try:
            self._watch.connect(now)
        except ChannelError as error:
            self._door.channel.close()
            self._door.degraded = str(error)
            return
        try:
            self._acting.reconcile(now)
            self._reload()
        except ChannelError as error:
            self._door.degraded = str(error)
        self._connections.close()  # the descriptors were those of the enforcer that has gone
        if self._door.channel.connected:
            self._follow_knocks()
        if not self._door.channel.connected:
            return
        self._epoll.register(self._door.channel.fileno(), select.EPOLLRDHUP)
        self._listening = self._watch.changes_descriptor
        self._epoll.register(self._listening, select.EPOLLIN)
        self._armed = True

    def _go_on(self) -> None:
        """Compare a little more of the kernel with the database, if that is not done."""
        try:
            self._acting.go_on()
        except ChannelError as error:
            self._door.degraded = str(error)

    def _count_connections(self, now: float) -> None:
        """Go on with a pass over the connections, and act upon what it found."""
        if self._door.channel.connected:
            self._connections.tick(now, self._exemptions.exempt)
        for event in self._connections.go_on():
            self._acting.act(self._engine.feed(event), self._watch.positions(), now)

    def _feed(self, event: Event) -> None:
        self._acting.act(self._engine.feed(event), {}, time.time())

    def _arm(self, *, armed: bool) -> None:
        if self._listening >= 0 and armed != self._armed:
            self._epoll.modify(self._listening, select.EPOLLIN if armed else 0)
            self._armed = armed

    def _read(self, now: float) -> None:
        if self._is_deaf:
            self._watch.notice()
        self._heed_lists()  # whoever was exempted a moment ago is exempt from what is read now
        decisions = self._watch.read(now)
        if decisions:  # otherwise how far was read is written with the next tick: lines are read again after a crash
            self._acting.act(decisions, self._watch.positions(), now)
        if self._watch.claims:
            self._naming.claimed(self._watch.taken_claims(), now)
        if self._watch.gave_lines:
            self._pace.has_read(time.monotonic())
        # While lines keep coming, the end of the gap alone wakes us; the first read that finds none listens again.
        self._arm(armed=not self._watch.gave_lines or self._pace.wait(time.monotonic()) == 0)

    def _patience(self) -> float:
        """How long to wait for something to happen, in seconds."""
        if not self._door.channel.connected:
            return RECONNECT_SECONDS
        if self._acting.progress or self._connections.busy or self._naming.is_ready:
            return 0.0
        if self._watch.waiting or self._is_deaf:
            return self._pace.wait(time.monotonic())
        now = time.time()
        soon = min(self._watch.next_look_seconds(now), self._connections.next_seconds(now))
        return min(self._watch.patience_seconds(now) or IDLE_SECONDS, soon)

    def _tick(self, now: float) -> None:
        self._ticked_at = now
        self._acting.act(self._engine.tick(now), self._watch.positions(), now)
        expired = self._ledger.expire(now)
        self._ledger.prune(now)
        if not 0 <= now - self._habits_kept_at < HABITS_SECONDS:
            self._habits_kept_at = now
            self._ledger.keep_habits(self._watch.drift.habits())
        self._ledger.keep_familiar(self._engine.room.familiar.changed(), now - FAMILIAR_SECONDS, now - NETWORK_SECONDS)
        self._watch.sweep(now)
        self._watch.check_liveness(now)
        self._knocks.heed()
        self._probes.tick(now)
        for event in self._queues.tick(now):
            self._acting.act(self._engine.feed(event), self._watch.positions(), now)
        self._alerting.tick(now, self._conditions.troubles)
        if self._watch.unexplained.is_on and (report := self._watch.unexplained.report(now)) is not None:
            self._alerting.tell(report)
        self._naming.tick(now)
        self._heed_lists(ended=any(one.listing != "block" for one in expired))

    def _heed_lists(self, *, ended: bool = False) -> None:
        """Read the lists anew if one of them changed, or if an entry that exempted somebody has ended."""
        changed_at = self._lists_changed()
        if ended or changed_at != self._lists_changed_at:
            self._lists_changed_at = changed_at
            self._reload()

    def _reload(self) -> list[str]:
        """Read the lists anew; give what is wrong with them."""
        now = time.time()
        lists = load_lists(self._home)
        # First what stands: who was taken off allow.list is not to be exempt because of the decision that it had.
        decided, refused = self._acting.act(changes(lists, self._ledger.store, now), {}, now)
        self._exemptions = Exemptions(lists, self._ledger.store, now, self._beyond)
        self._explaining.exemptions = self._exemptions
        spared = self._exemptions.spared if self._beyond.web else None
        self._policy = replace(self._ssh_ports.into(self._policy), exempt=self._exemptions.exempt, spared=spared)
        self._engine.reconsider(self._policy)
        problems = [*lists.problems, *refusals(lists, decided, refused)]
        self._conditions.problems = [*map(str, problems), *self._naming.problems()]
        for problem in self._conditions.problems:
            say(problem)
        return self._conditions.problems

    def _lists_changed(self) -> tuple[float, ...]:
        stamps = []
        for name in ("allow.list", "deny.list", "ignore.list"):
            try:
                stamps.append((self._home.etc / name).stat().st_mtime)
            except OSError:
                stamps.append(0.0)
        return tuple(stamps)

    def _earlier(self, now: float) -> dict[str, tuple[int, float]]:
        remember_seconds = max((one.remember_seconds for one in self._policy.detectors.values()), default=0.0)
        offences = escalation.load(self._ledger.store, now - remember_seconds)
        return {subject.value: (one.count, one.last_at or 0.0) for subject, one in offences.items()}

    def _recalled(self, now: float) -> Familiar:
        """Who logged in well before this engine began."""
        key = familiar.key(self._ledger.store)
        known = familiar.load(self._ledger.store, now - FAMILIAR_SECONDS, now - NETWORK_SECONDS)
        return Familiar(key, (Login(*row) for row in known))

    def _answering(self) -> Answering:
        rooms = Rooms(self._engine, self._ledger, self._door, self._acting, self._conditions, self._alerting)
        return Answering(rooms, self._explaining, self._reload)

    def _tell(self, decided: Sequence[Decision], refused: Mapping[int, str]) -> None:
        self._alerting.notify()
        if self._desk.is_followed:
            self._desk.tell([history_entry(one, refused.get(one.id)) for one in decided])


def main() -> NoReturn:
    """Start, give up every privilege, and run until told to stop."""
    beginning = begin("engine")
    home = beginning.home
    try:
        loaded = load(home)
        import_detectors(loaded.detectors)  # now: what lies below a directory of root's alone cannot be read later
    except ProblemsError as error:
        beginning.give_up(str(error))
    knocks.prepare(loaded.settings.firewall.authorised_knock)
    if os.geteuid() == 0:
        home = beginning.settle(lambda: reach_home(home, USER))
        beginning.settle(leave_network)
    beginning.settle(lambda: become(USER))
    beginning.follow_supervisor()
    stop = beginning.stop_descriptor()
    engine = EngineProcess(home, loaded)
    gc.freeze()  # what was loaded stays; events hold no cycles, so there is little to look for
    gc.set_threshold(*COLLECT_AFTER)
    engine.run(stop)
    engine.close()
    sys.exit(status_after(stop))


if __name__ == "__main__":
    main()
