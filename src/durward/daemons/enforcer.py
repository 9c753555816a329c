"""The enforcer: holds the key to the kernel, opens sources for the engine, and refuses what a guard forbids."""

import os
import select
import socket
import sys
import time
from itertools import islice
from typing import Any, NoReturn

from durward.catalog.document import ProblemsError
from durward.config import knock_keys
from durward.config.home import Home
from durward.config.loading import Loaded, load
from durward.control.channel import DESCRIPTORS_MAX, answer, listen, peer_of, receive
from durward.control.words import Entry, UnknownWordError, Word, decode
from durward.daemons.gate import Gate
from durward.daemons.looking import Looking
from durward.daemons.privileges import CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, account, become
from durward.daemons.process import Beginning, begin, say, status_after
from durward.facts.sshd import ports_in_files
from durward.model import Listing, Standing
from durward.privileged.failure import PrivilegedError
from durward.privileged.flows import ConnectionTables
from durward.privileged.guards import Guards, guards_of
from durward.privileged.keeper import Keeper, Wanted
from durward.privileged.knocks import KnockCopies
from durward.privileged.opening import Sources, is_absent
from durward.privileged.probes import ProbeCopies
from durward.privileged.queues import Queues
from durward.privileged.scripts import NoLookError, Scripts
from durward.privileged.sets import Sets
from durward.ruleset.policy import DENY_LIST
from durward.ruleset.skeleton import skeleton

USER = "durward-enforcer"
ENGINE_USER = "durward-engine"
CAPABILITIES = frozenset({CAP_NET_ADMIN, CAP_DAC_READ_SEARCH})
TICK_SECONDS = 5.0
PATIENCE_SECONDS = 1.0  # an engine that does not take its answers for so long is not talked to any more
PATHS_PER_ANSWER = 200  # of `open list`: well below the longest answer
KERNELS = frozenset({"open watch", "open knocks", "open connections", "open probes"})
BANS_PER_ANSWER = 200  # of `look bans`
SSH_PORTS_MAX = 64  # that a knock opens; the rest of a longer list stays closed
SOCKET_MODE = 0o660  # the engine is in the group


class Enforcer:
    """One conversation with the engine at a time; whoever says what is not in the table is not talked to any more."""

    def __init__(self, home: Home, loaded: Loaded, guards: Guards, sources: Sources) -> None:
        prefix = loaded.settings.ipv6.block_prefix
        self._keeper = Keeper(Sets(), guards, prefix)
        stopped = home.run / "stopped"
        self._gate = Gate(
            home.lib,
            stopped,
            skeleton(prefix, loaded.settings.guards.throttle_rate),
            self._end,
            self._keeper,
            allows=guards.allows,
            deny_list=home.etc / DENY_LIST,
        )
        self._looking = Looking(Sets(), prefix)
        firewall = loaded.settings.firewall
        self._knocks = KnockCopies(home.etc / knock_keys.FILE_NAME, firewall.authorised_knock.port, prefix)
        self._probes = ProbeCopies(Sets(), prefix)
        self._banned: dict[str, list[tuple[int, int]]] = {}
        self._connections = ConnectionTables()
        self._queues = Queues(loaded.settings.detectors["mail_queue"].general["queues"])
        self._scripts = Scripts(loaded.settings.detectors["script_mail"].general["homes"])
        self._knocks_kept_at, self._knocks_problem = 0.0, ""
        self._ssh_ports = firewall.ssh_ports
        self._guards = guards
        self._sources = sources
        self._engine_uid = account(ENGINE_USER).pw_uid
        self._listener = listen(home.enforcer_socket, socket.SOCK_SEQPACKET, SOCKET_MODE)
        self._engine: socket.socket | None = None

    def run(self, stop: int) -> None:
        """Answer until the descriptor `stop` becomes readable."""
        while True:
            watched = [stop, self._listener.fileno(), self._gate.changes.fileno()]
            watched += [self._engine.fileno()] if self._engine else []
            busy = self._gate.lists.busy  # with lists, a step at a time: whoever has something to say comes between
            ready = select.select(watched, [], [], 0.0 if busy else TICK_SECONDS)[0]
            if stop in ready:
                return
            if self._gate.changes.fileno() in ready:
                reports = self._gate.reports
                self._gate.look()  # then the engine, in the same turn: others' tables may change without pause
                if self._gate.reports is not reports:
                    self._keep_knocks(again=True)
            if self._engine is not None and self._engine.fileno() in ready:
                self._hear(self._engine)
            if self._listener.fileno() in ready:
                self._accept()
            self._keeper.tick(time.time())
            self._gate.tick()
            if abs(time.monotonic() - self._knocks_kept_at) >= TICK_SECONDS:
                self._keep_knocks()
            if busy:
                self._gate.lists.work()
            elif not ready:
                self._guards.keep_fresh()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        _pid, uid, _gid = peer_of(connection)
        if uid == 0:
            self._gate.hear(connection)
            self._keep_knocks()
            return
        if uid != self._engine_uid:
            say(f"a process of user {uid} is not the engine and is not listened to")
            connection.close()
            return
        self._end()
        connection.settimeout(PATIENCE_SECONDS)
        self._engine = connection
        self._keeper.begin()

    def _keep_knocks(self, *, again: bool = False) -> None:
        """Have authorised knocks copied, whatever became of the table meanwhile."""
        self._knocks_kept_at = time.monotonic()
        if self._gate.is_stopped:
            return
        try:
            if self._knocks.keep(again=again):
                self._gate.changes.forget()
            self._knocks_problem = ""
        except PrivilegedError as error:
            if str(error) != self._knocks_problem:
                say(f"authorised knocks are not heard: {error}")
            self._knocks_problem = str(error)

    def _end(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _hear(self, engine: socket.socket) -> None:
        descriptors: list[int] = []
        try:
            packet, foreign = receive(engine)
            for descriptor in foreign:
                os.close(descriptor)
            if not packet:
                self._end()
                return
            reply, descriptors = self._obey(decode(packet))
            answer(engine, reply, descriptors)
        except UnknownWordError as error:
            say(f"the engine said what is no word ({error}); the conversation is ended")
            self._end()
        except OSError:
            self._end()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _obey(self, word: Word) -> tuple[dict[str, Any], list[int]]:
        try:
            if word.name.startswith("open "):
                return self._open(word)
            if word.name == "ssh ports":
                return {"ports": self._ports_of_ssh()}, []
            if word.name.startswith("look "):
                return self._look(word), []
            return self._keep(word, time.time()), []
        except PrivilegedError as error:
            return {"error": str(error)}, []

    def _keep(self, word: Word, now: float) -> dict[str, Any]:
        entries: list[Entry] = word.fields["entries"]
        if word.name == "block":
            refused = self._keeper.block(_wanted("block", entries), now)
        elif word.name == "throttle":
            refused = self._keeper.throttle(_wanted("throttle", entries), now)
        elif word.name == "replace":
            listing = word.fields["listing"]
            refused = self._keeper.replace(listing, _wanted(listing, entries), now, last=word.fields["last"])
        elif word.name == "unblock":
            lifted = [one.standing for one in _wanted(word.fields["listing"], entries)]
            self._keeper.unblock(lifted, now)
            if word.fields["listing"] == "block":
                self._probes.forgive(one.subject for one in lifted)
            refused = []
        elif word.name == "allow":
            refused = self._keeper.allow(_wanted("allow", entries), now)
        else:
            return self._state(_wanted(word.fields["listing"], entries))
        return {"refused": [[one.index, one.reason] for one in refused]}

    def _state(self, wanted: list[Wanted]) -> dict[str, Any]:
        readings = self._keeper.readings([one.standing for one in wanted])
        spelt = [None if one is None else [one.packets, one.bytes, one.expires_in_seconds or 0] for one in readings]
        guarded = [] if wanted else self._guards.guarded()
        full = [] if wanted else self._keeper.full(time.time())
        reply = {"readings": spelt, "guarded": guarded, "full": full}
        return reply | {"firewall": self._gate.state(), "reports": self._gate.reports}

    def _open(self, word: Word) -> tuple[dict[str, Any], list[int]]:
        fields = word.fields
        if word.name in KERNELS:
            return {}, self._of_the_kernel(word.name)
        if word.name == "open list":
            paths = [path for path in self._sources.matching(fields["pattern"]) if path > fields["after"]]
            absent = not paths and is_absent(fields["pattern"])
            return {"paths": paths[:PATHS_PER_ANSWER], "more": len(paths) > PATHS_PER_ANSWER, "absent": absent}, []
        if word.name == "open file":
            opened = self._sources.open(fields["path"])
            reply = {"watches": opened.watches, "problem": opened.problem}
            return reply, [] if opened.descriptor is None else [opened.descriptor]
        if word.name == "open siblings":
            siblings = self._sources.siblings(fields["path"])
            return {"names": [name for name, _ in siblings]}, [descriptor for _, descriptor in siblings]
        journal = self._sources.journal(DESCRIPTORS_MAX)
        return {"watches": journal.watches}, journal.descriptors

    def _of_the_kernel(self, name: str) -> list[int]:
        """Where the kernel itself tells something."""
        if name == "open watch":
            return [self._sources.watch_descriptor()]
        if name == "open connections":
            return self._connections.descriptors()
        return [(self._knocks if name == "open knocks" else self._probes).descriptor()]

    def _look(self, word: Word) -> dict[str, Any]:
        if word.name == "look bans":
            return self._bans(**word.fields)
        if word.name == "look connections":
            return self._connections.look()
        if word.name == "look queues":
            return {"queues": self._queues.look()}
        if word.name == "look scripts":
            return self._look_scripts(word.fields["path"])
        return self._looking.look(word)

    def _look_scripts(self, path: str) -> dict[str, Any]:
        try:
            found, more = self._scripts.look(path)
        except NoLookError as error:
            return {"candidates": [], "more": False, "problem": str(error)}
        return {"candidates": [[one.path, one.ways, one.changed_at] for one in found], "more": more, "problem": ""}

    def _bans(self, after: str, *, ports: bool) -> dict[str, Any]:
        """A page of those whom the kernel banned by itself. The ports are found once for all pages."""
        if not after or not ports:
            self._banned = self._probes.banned(with_ports=ports)
        found = sorted((text, known) for text, known in self._banned.items() if text > after)
        return {"banned": found[:BANS_PER_ANSWER], "more": len(found) > BANS_PER_ANSWER}

    def _ports_of_ssh(self) -> list[int]:
        """Where SSH is: as the settings say or, where they leave it open or closed, as its own files say now."""
        if not self._ssh_ports:
            return list(ports_in_files())
        ports = (port for one in self._ssh_ports for port in range(one.first, one.last + 1))
        return list(islice(ports, SSH_PORTS_MAX))


def _wanted(listing: Listing, entries: list[Entry]) -> list[Wanted]:
    return [
        Wanted(Standing(listing, entry.subject, entry.scope, entry.until, entry.decision), entry.automatic)
        for entry in entries
    ]


def main() -> NoReturn:
    """Start, give up every other privilege, and answer until told to stop."""
    beginning: Beginning = begin("enforcer")
    try:
        loaded = load(beginning.home)
    except ProblemsError as error:
        beginning.give_up(str(error))
    beginning.settle(lambda: become(USER, CAPABILITIES))
    beginning.follow_supervisor()
    settings = loaded.settings
    globs = {glob for card in loaded.services for glob in settings.services[card.id].files}
    globs.update(() if settings.sources.unexplained == "off" else settings.sources.unexplained_files)
    guards = guards_of(beginning.home.etc, settings.guards, loaded.proxies)
    try:
        enforcer = Enforcer(beginning.home, loaded, guards, Sources(globs))
    except (PrivilegedError, OSError) as error:
        say(f"cannot begin: {error}")
        sys.exit(1)
    say("the enforcer keeps the table inet durward")
    stop = beginning.stop_descriptor()
    enforcer.run(stop)
    sys.exit(status_after(stop))


if __name__ == "__main__":
    main()
