"""Countries, feeds and long lists, from settings and files to packets: as root applies them, for both families."""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.frames import put, udp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair

from durward.config.home import Home
from durward.config.loading import load, load_lists
from durward.control.words import ROOT_TABLE, encode
from durward.daemons.gate import Gate
from durward.facts.firewall import policy_of
from durward.privileged.guards import Guards
from durward.privileged.guards import Policy as GuardPolicy
from durward.privileged.keeper import Keeper
from durward.privileged.merged import MergedSets
from durward.privileged.sets import Sets
from durward.ruleset.firewall import firewall
from durward.ruleset.levels import BLOCK_PREFIX_V6
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
PORT, OTHER_PORT, CLOSED_PORT = 5500, 5501, 5502
ALL, ALL6 = [CLIENT, *FAR], [CLIENT6, *FAR6]
NL, NL6, AS, AS6 = [FAR[0]], [FAR6[0], FAR6[1]], [FAR[3], FAR[4]], [FAR6[3]]
NEIGHBOURS, NEIGHBOURS6 = [CLIENT], [CLIENT6]  # in the server's own network: no country is theirs
FILES = {
    "country-nl.txt": "# of the registry\n198.51.100.0/25\n2001:db8:2::/64\n",
    "country-zz.txt": f"{FREE}\n{FREE6}\n",  # who says when all others have had time to arrive
    "as64500.txt": "203.0.113.9\r\n10.16.0.0/12\n\n2001:db8:3::1\n",
}
ANSWERING = 20_000  # no port that a client is given by chance: what answers from it belongs to a connection
PORTS = f'udp_in = "{PORT}:{OTHER_PORT}"\nbogons = false\nreverse_path = "off"\nssh_ports = "22"\n'
APPLY = {"open_ports": [], "seconds": 60, "force": True, "connection": ""}


class Door:
    """A host that is configured by files, and the gate that root talks to."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair, self.home = pair, Home.below(directory)
        for one in (self.home.etc, self.home.lists):
            one.mkdir(parents=True)
        self.write(**FILES)
        self.sets = Sets()
        self.gate = self.begin()

    def begin(self) -> Gate:
        """What the next enforcer does; the one before may have been killed at any moment."""
        keeper = Keeper(self.sets, Guards(list, GuardPolicy()), BLOCK_PREFIX_V6)
        with self.pair.server.inside():
            self.gate = Gate(
                self.home.lib,
                self.home.lib / "stopped",
                skeleton(),
                lambda: None,
                keeper,
                deny_list=self.home.etc / "deny.list",
            )
        return self.gate

    def end(self) -> None:
        self.gate.changes.close()
        self.gate.lists.library.close()

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.home.lists / name).write_text(text)

    def text(self, countries: str) -> str:
        (self.home.etc / "durward.toml").write_text(f"[firewall]\n{PORTS}[countries]\n{countries}\n")
        settings, lists = load(self.home).settings, load_lists(self.home)
        with self.pair.server.inside():
            policy = policy_of(settings, lists, etc=self.home.etc, library=self.home.lists)
        return firewall(policy, self.gate._firewall.next_generation())

    def apply(self, countries: str = "") -> None:
        self.say("firewall apply", self.text(countries), **APPLY)

    def confirmed(self, countries: str = "") -> None:
        self.apply(countries)
        self.say("firewall confirm", connection="")

    def say(self, word: str, text: str = "", **fields: Any) -> dict[str, Any]:
        """Say a word of root's that is to succeed."""
        reply = self.ask(word, text, **fields)
        assert "error" not in reply, reply
        return reply

    def ask(self, word: str, text: str = "", **fields: Any) -> dict[str, Any]:
        root, gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with root, os.fdopen(os.memfd_create("firewall"), "w") as file, self.pair.server.inside():
            file.write(text)
            file.flush()
            socket.send_fds(root, [encode(word, table=ROOT_TABLE, **fields)], [file.fileno()] if text else [])
            self.gate.hear(gate)
            self.work()
            reply: dict[str, Any] = json.loads(root.recv(65_536))
        return reply

    def work(self) -> None:
        """Do all that is to be done between other work."""
        with self.pair.server.inside():
            while self.gate.lists.busy:
                self.gate.lists.work()

    def passing(self, port: int = PORT) -> tuple[list[str], list[str]]:
        return self.pair.passes(*ALL, port=port), self.pair.passes(*ALL6, port=port)

    def sets_there(self) -> set[str]:
        return set(re.findall(r"set (merged_\w+)", self.pair.server.run("nft", "list", "sets", "inet")))

    def rules(self) -> str:
        """All rules, with sets by name but for the number of the filling, and without what was counted."""
        listed = self.pair.server.run("nft", "-s", "list", "table", "inet", "durward")
        return re.sub(r"(merged_[a-z]+)_\d+_", r"\1_N_", listed.partition("chain ")[2])


@pytest.fixture
def door(pair: Pair, tmp_path: Path) -> Iterator[Door]:
    with pair.server.inside():
        made = Door(pair, tmp_path)
    yield made
    made.end()
    made.sets.close()
    pair.server.run("nft", "flush", "ruleset")


def test_countries_are_denied(door: Door) -> None:
    door.apply('deny = ["NL"]')
    assert door.passing() == ([one for one in ALL if one not in NL], [one for one in ALL6 if one not in NL6])
    door.apply('deny = ["NL", "as64500"]')
    assert door.passing() == (
        [one for one in ALL if one not in NL + AS],
        [one for one in ALL6 if one not in NL6 + AS6],
    )
    door.apply()
    assert door.passing() == (ALL, ALL6)
    assert door.sets_there() == set(), "what no firewall asks for any more is taken away"


def test_only_some_are_let_in(door: Door) -> None:
    door.apply('allow_only = ["AS64500", "ZZ"]')
    assert door.passing() == (NEIGHBOURS + AS, NEIGHBOURS6 + AS6)
    door.apply('allow_only = ["AS64500", "NL", "ZZ"]')
    assert door.passing() == (NEIGHBOURS + NL + AS, NEIGHBOURS6 + NL6 + AS6)


def test_some_are_denied_at_some_ports(door: Door) -> None:
    door.apply(f'deny_ports = ["NL"]\ndeny_ports_udp = "{PORT}"')
    assert door.passing() == ([one for one in ALL if one not in NL], [one for one in ALL6 if one not in NL6])
    assert door.passing(OTHER_PORT) == (ALL, ALL6)


def test_ports_are_open_to_some(door: Door) -> None:
    door.apply(f'allow_ports = ["NL", "AS64500", "ZZ"]\nallow_ports_udp = "{CLOSED_PORT}"')
    assert door.passing(CLOSED_PORT) == (NL + AS, NL6 + AS6)
    assert door.passing() == (ALL, ALL6)


def test_every_port_is_open_to_some(door: Door) -> None:
    door.apply('allow = ["AS64500", "ZZ"]\ndeny = ["NL"]')
    assert door.passing(CLOSED_PORT) == (AS, AS6)
    assert door.passing(OTHER_PORT)[0] == [one for one in ALL if one not in NL]


@pytest.mark.parametrize("countries", ['deny = ["NL"]', 'allow_only = ["AS64500", "ZZ"]'])
def test_the_host_gets_answers_from_everywhere(door: Door, countries: str) -> None:
    door.apply(countries)
    for to, own, free in ((NL[0], SERVER, FREE), (NL6[0], SERVER6, FREE6)):
        asking = door.pair.host.listening(10 if ":" in to else 2, PORT)
        asking.sendto(b"question", (to, ANSWERING))
        put(door.pair, [udp(to, PORT, b"answer", source_port=ANSWERING)])
        assert door.pair.host.texts(door.pair.client, free, own, PORT) == ["answer"]


def test_fifty_lists_cost_what_one_costs(door: Door) -> None:
    door.apply('deny = ["AS64500"]')
    rules = door.rules()
    numbers = [f"AS{number}" for number in range(64_500, 64_550)]
    door.write(**{f"{name.lower()}.txt": FILES["as64500.txt"] for name in numbers[1:]})
    door.apply(f"deny = {json.dumps(numbers)}")
    assert door.rules() == rules
    assert door.passing() == ([one for one in ALL if one not in AS], [one for one in ALL6 if one not in AS6])


def test_feeds_refuse_before_connections_are_tracked(door: Door) -> None:
    door.write(**{"feed-example.txt": f"{FAR[1]}\n", "feed-other.txt": "2001:db8:2:1::/64\n"})
    door.apply()
    assert door.passing() == ([one for one in ALL if one != FAR[1]], [one for one in ALL6 if one != FAR6[2]])
    assert "merged_early_a" in door.pair.server.run("nft", "list", "chain", "inet", "durward", "raw_a")


def test_a_changed_file_is_heeded_without_an_apply(door: Door) -> None:
    door.confirmed('deny = ["NL"]')
    before = door.sets_there()
    door.write(**{"country-nl.txt": "198.51.100.128/25\n2001:db8:2::/64\n"})
    reply = door.say("firewall lists")
    assert reply["problems"] == []
    assert reply["lists"][0] | {"samples": [], "files": []} == {
        "name": "countriesdeny",
        "files": [],
        "networks": 2,
        "refused": 0,
        "samples": [],
    }
    assert door.passing()[0] == [one for one in ALL if one not in FAR[1:3]]
    assert door.sets_there() == before, "changed in place"
    door.write(**{"country-nl.txt": "".join(f"203.0.{number >> 8}.{number & 255}\n" for number in range(60_000))})
    door.say("firewall lists")
    assert door.passing()[0] == [one for one in ALL if one != FAR[4]]
    assert door.sets_there().isdisjoint(before)


@pytest.mark.parametrize("text", ["", "no network\n", None])
def test_a_file_that_is_damaged_changes_nothing(door: Door, text: str | None) -> None:
    door.confirmed('deny = ["NL"]')
    there, passing = door.sets_there(), door.passing()
    path = door.home.lists / "country-nl.txt"
    path.unlink() if text is None else path.write_text(text)
    reply = door.say("firewall lists")
    assert "country-nl.txt" in reply["problems"][0]
    assert (door.sets_there(), door.passing()) == (there, passing)


def test_what_others_can_write_is_not_read(door: Door) -> None:
    text = door.text('deny = ["NL"]')
    (door.home.lists / "country-nl.txt").chmod(0o666)
    assert "root alone" in door.ask("firewall apply", text, **APPLY)["error"]
    (door.home.lists / "country-nl.txt").chmod(0o600)
    door.home.lists.chmod(0o777)
    assert "root alone" in door.ask("firewall apply", text, **APPLY)["error"]
    assert (door.gate.state(), door.sets_there()) == ("off", set())


def test_one_list_that_cannot_be_loaded_keeps_the_whole_firewall_from_being_applied(door: Door) -> None:
    door.confirmed('deny = ["AS64500"]')
    rules, passing = door.rules(), door.passing()
    text = door.text('deny = ["AS64500"]\nallow_only = ["NL"]')
    (door.home.lists / "country-nl.txt").write_text("\n")
    assert "country-nl.txt" in door.ask("firewall apply", text, **APPLY)["error"]
    assert (door.gate.state(), door.rules(), door.passing()) == ("confirmed", rules, passing)
    assert {name.split("_")[1] for name in door.sets_there()} == {"countriesdeny"}


def test_a_trial_has_lists_of_its_own_and_gives_them_back(door: Door) -> None:
    door.confirmed('deny = ["NL"]')
    kept, passing = door.sets_there(), door.passing()
    door.apply('deny = ["AS64500"]')
    assert door.passing()[0] == [one for one in ALL if one not in AS]
    assert kept < door.sets_there()
    door.say("firewall rollback")
    assert (door.passing(), door.sets_there()) == (passing, kept)


def test_the_next_enforcer_goes_on_without_a_gap_and_clears_up(door: Door) -> None:
    door.confirmed('deny = ["NL"]\nallow_only = ["AS64500", "NL", "ZZ"]')
    passing, there = door.passing(), door.sets_there()
    with door.pair.server.inside(), MergedSets() as sets:
        prefixes = Prefixes()
        prefixes.add_v4(0xCB007109, 32)
        list(sets.fill("countriesdeny", prefixes.filling(99), prefixes))  # what a kill in the middle leaves
    door.end()
    door.begin()
    assert door.passing() == passing, "what the one before had put there decides on"
    assert "merged_countriesdeny_99_4_32" in door.sets_there()
    door.work()
    assert door.passing() == passing
    assert len(door.sets_there()) == len(there)
    assert door.sets_there().isdisjoint(there)
    door.end()
    door.begin()
    door.apply('deny = ["NL"]')
    assert door.passing()[0] == [one for one in ALL if one not in NL]


def test_after_a_boot_nobody_is_let_in_too_much_until_the_lists_are_there(door: Door) -> None:
    door.confirmed('allow_only = ["NL", "ZZ"]\nallow = ["AS64500"]')
    passing = door.passing()
    assert passing == (NEIGHBOURS + NL, NEIGHBOURS6 + NL6)
    door.end()
    door.pair.server.run("nft", "flush", "ruleset")
    door.pair.server.run("nft", "--file", str(door.home.lib / "confirmed.nft"))
    door.pair.server.run("nft", "add", "element", "inet", "durward", "allow6_128", f"{{ {FREE6} }}")
    assert door.passing() == (NEIGHBOURS, NEIGHBOURS6)
    ssh = "tcp dport 22 return"
    assert ssh in door.pair.server.run("nft", "list", "chain", "inet", "durward", "listed_countriesonly_a")
    door.begin()
    door.work()
    assert door.passing() == passing


def test_sets_that_somebody_else_took_are_filled_again(door: Door) -> None:
    door.confirmed('deny = ["NL"]')
    passing = door.passing()
    (name,) = (one for one in door.sets_there() if "_4_" in one)
    door.pair.server.run("nft", "flush", "set", "inet", "durward", name)
    with door.pair.server.inside():
        door.gate.look()
    door.work()
    assert door.passing() == passing
    door.pair.server.run("nft", "delete", "table", "inet", "durward")
    with door.pair.server.inside():
        door.gate.look()
    door.work()
    assert door.passing() == passing


def test_stopped_and_started_the_lists_are_there_again(door: Door) -> None:
    door.confirmed('deny = ["NL"]')
    passing = door.passing()
    door.say("firewall off")
    assert door.sets_there() == set()
    door.say("firewall on")
    assert door.passing() == passing


def test_our_own_elements_are_no_foreign_change(door: Door) -> None:
    door.write(**{"feed-large.txt": "".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(100_000))})
    door.confirmed()
    with door.pair.server.inside():
        door.gate.look()
    assert door.gate.reports == []


@pytest.mark.slow
def test_deny_list_beyond_what_becomes_decisions_is_a_list_of_its_own(door: Door) -> None:
    lines = [f"10.{128 + (n >> 16)}.{n >> 8 & 255}.{n & 255}" for n in range(50_000)]
    (door.home.etc / "deny.list").write_text("\n".join([*lines, FAR[4], f"{FAR6[3]} # by hand"]))
    door.confirmed()
    assert door.passing() == ([one for one in ALL if one != FAR[4]], [one for one in ALL6 if one != FAR6[3]])
    (door.home.etc / "deny.list").write_text("\n".join([*lines, FAR[3]]))
    assert door.say("firewall lists")["problems"] == []
    assert door.passing() == ([one for one in ALL if one != FAR[3]], ALL6)
    (door.home.etc / "deny.list").write_text("\n".join([*lines, FAR[3], "nonsense"]))
    assert "nonsense" in door.say("firewall lists")["problems"][0]
    assert door.passing() == ([one for one in ALL if one != FAR[3]], ALL6)
