"""What would-pass and apply ask the kernel with: the rules that are wanted, and what stands for the addresses asked."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from durward.commands.gate import ask_enforcer
from durward.commands.verb import Exit, fail
from durward.config.home import Home
from durward.config.lists import ListEntry
from durward.config.loading import Lists
from durward.config.settings import Settings
from durward.control.requests import NoAnswerError, ask, ask_one
from durward.model import Address, Port, Scope, Standing, Subject, parse_network
from durward.ruleset.policy import DENY_LIST, Policy
from durward.ruleset.switch import Generation

GENERATION: Generation = "a"
STORED_CHARACTERS_MAX = 16 << 20  # of the firewall in force; a longer one counts as different
NO_ENGINE = "the engine does not answer: what it decided is not known, only what the lists say"


@dataclass(slots=True)
class Stands:
    """What stands on the lists for some addresses; `notes` say what is not known."""

    standings: list[Standing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def undo_of(self, address: Address, out: bool, port: Port | None) -> list[str]:
        """The commands that take back whatever blocks an address there."""
        found = [
            f"durward unblock {one.subject.value}"
            for one in self.standings
            if one.listing == "block"
            and _covers(one.subject, address)
            and (one.scope.direction == "out") == out
            and (not one.scope.ports or port in one.scope.ports)
        ]
        return list(dict.fromkeys(found))


def policy_now(home: Home, settings: Settings, lists: Lists) -> Policy | None:
    """What the firewall is to do as the settings say now; None where it is switched off. Needs root."""
    from durward.facts.failure import FactsError
    from durward.facts.firewall import policy_of

    if os.geteuid() != 0:
        fail(Exit.WRONG, "only root can ask the kernel. Try: sudo durward …")
    if not settings.firewall.enabled:
        return None
    try:
        return policy_of(settings, lists, etc=home.etc, library=home.lists)
    except FactsError as error:
        fail(Exit.WRONG, str(error))


def rules_for(policy: Policy | None, settings: Settings, stands: Iterable[Standing], listed: str = "") -> str:
    """Everything that the kernel is to have: the sets, the firewall, and what stands for the addresses asked.

    `listed` is what `listed_for` gives of the merged lists; without it they wait to be filled.
    """
    import time

    from durward.ruleset.elements import desired
    from durward.ruleset.filling import filling
    from durward.ruleset.firewall import firewall
    from durward.ruleset.skeleton import skeleton
    from durward.ruleset.switch import Firewall, Present, switch

    prefix = settings.ipv6.block_prefix
    text = skeleton(prefix, settings.guards.throttle_rate)
    if policy is not None:
        compiled = Firewall.marked(GENERATION, firewall(policy, GENERATION))
        text += switch(Present(frozenset(), frozenset()), compiled)
    held = [one for one in stands if _fits(one, prefix)]
    return text + filling(desired(held, time.time(), prefix).values()) + listed


def listed_for(home: Home, policy: Policy | None, addresses: Iterable[Address]) -> str:
    """The merged lists as text, each with those of its networks alone that hold one of these addresses."""
    from durward.facts.lists import listed_in
    from durward.ruleset.holding import holding
    from durward.ruleset.prefixes import SHORTEST

    asked = list(dict.fromkeys(addresses))
    text = ""
    for merged in policy.merged if policy is not None else ():
        found = {
            one.network for address in asked for one in listed_in(merged, home.lists, home.etc / DENY_LIST, address)
        }
        networks = [parse_network(one) for one in sorted(found)]
        text += holding(merged, [one for one in networks if one.prefixlen >= SHORTEST[one.version]], GENERATION)
    return text


def stands_for(home: Home, lists: Lists, addresses: Iterable[Address]) -> Stands:
    """What stands for these addresses: as the engine says, or, where it does not answer, as the lists say."""
    addresses = list(dict.fromkeys(addresses))
    try:
        blocks = [
            _standing("block", layer)
            for address in addresses
            for layer in ask_one(home.engine_socket, "why", subject=str(address)).get("layers", ())
            if "decision" in layer and layer.get("in_kernel", True)
        ]
        allows = [_standing("allow", entry) for entry in ask(home.engine_socket, "list", listing="allow")]
        notes = []
    except NoAnswerError:
        blocks = [made for entry in lists.deny.entries if (made := _listed("block", entry))]
        allows = [made for entry in lists.allow.entries if (made := _listed("allow", entry))]
        notes = [NO_ENGINE]
    found = [one for one in (*blocks, *allows) if any(_covers(one.subject, address) for address in addresses)]
    return Stands(list(dict.fromkeys(found)), notes)


def in_force(home: Home, policy: Policy | None) -> str:
    """How what the kernel has differs from `policy`; empty where it does not, or where nobody says."""
    from durward.ruleset.firewall import firewall
    from durward.ruleset.switch import Firewall

    try:
        state = ask_enforcer("firewall state")["firewall"]
    except NoAnswerError:
        return "whether these rules are in force is not known: the enforcer does not answer"
    if state in {"off", "stopped"}:
        return "" if policy is None else "no firewall is in force: these rules are not in the kernel yet"
    stored = stored_firewall(home, state)
    generations: tuple[Generation, ...] = ("a", "b")
    if policy and any(Firewall.marked(one, firewall(policy, one)).text in stored for one in generations):
        return ""
    return f"the firewall in force ({state}) differs from the settings as they are now: durward apply"


def stored_firewall(home: Home, state: str) -> str:
    """The firewall that decides, as the enforcer keeps it; empty where it cannot be read."""
    try:
        with (home.lib / ("trial.json" if state == "trial" else "confirmed.nft")).open(errors="replace") as file:
            text = file.read(STORED_CHARACTERS_MAX)
        return "\n".join(map(str, json.loads(text))) if state == "trial" else text
    except (OSError, ValueError):
        return ""


def _standing(listing: Any, entry: dict[str, Any]) -> Standing:
    until = entry["until"] and datetime.fromisoformat(entry["until"]).timestamp()
    scope = Scope.parse(f"{entry['direction']}:{entry['ports']}")
    return Standing(listing, Subject.parse(entry["subject"]), scope, until, int(entry["decision"]))


def _listed(listing: Any, entry: ListEntry) -> Standing | None:
    subject, scope = entry.subject, entry.scope
    return None if subject is None or scope is None else Standing(listing, subject, scope, None, 0)


def _fits(standing: Standing, prefix: int) -> bool:
    """Whether the kernel's sets hold it; the enforcer refuses what is too wide for them."""
    from durward.ruleset.elements import TooWideError, keys_of

    try:
        keys_of(standing, prefix)
    except TooWideError:
        return False
    return True


def _covers(subject: Subject, address: Address) -> bool:
    return subject.kind in {"address", "network"} and address in subject.network
