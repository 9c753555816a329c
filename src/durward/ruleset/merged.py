"""Merged lists: feeds, countries and large deny lists, which the kernel sees as one list in hash sets by prefix length.

A generation has the ways to its lists and an empty chain for each; what is in the chain comes with a filling. New sets
are filled while no rule knows them; then one small transaction leads the chains to them and takes the old ones away.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from durward.catalog.traffic import PortRange
from durward.ruleset.fragment import Fragment
from durward.ruleset.levels import TABLE
from durward.ruleset.matching import VERSIONS, InvalidPolicyError, Version, chain, mask_v6, networks_text, to_ports
from durward.ruleset.policy import MergedList as MergedList  # noqa: PLC0414 (this is where others look for it)
from durward.ruleset.policy import Policy
from durward.ruleset.spoofing import outside

NAME = re.compile(r"[a-z][a-z0-9]{0,29}", re.ASCII)
LISTS_MAX = 16  # more than modes need; each costs a new connection up to six look-ups
BEGUN = "ct state new,untracked"  # untracked ones are what the SYN proxy would answer
SPELLED = "# merged list "
Family = Literal["ip", "ip6"]
FAMILIES: dict[Version, Family] = {4: "ip", 6: "ip6"}


@dataclass(frozen=True, slots=True)
class Filling:
    """One set of sets for a list: its number, never used twice, and its prefix lengths for each family."""

    number: int
    levels4: tuple[int, ...] = ()
    levels6: tuple[int, ...] = ()

    def levels(self, version: Version) -> tuple[int, ...]:
        """The prefix lengths of one family, shortest first."""
        return self.levels4 if version == 4 else self.levels6

    def set_name(self, name: str, version: Version, level: int) -> str:
        """Where the networks of list `name` with this prefix length are."""
        return f"merged_{name}_{self.number}_{version}_{level}"

    def set_names(self, name: str) -> list[str]:
        """All sets of list `name`."""
        return [self.set_name(name, version, level) for version in VERSIONS for level in self.levels(version)]


class Room(NamedTuple):
    """A set that is to be made: its name and its family."""

    set_name: str
    version: Version


def fragment(policy: Policy, generation: str) -> Fragment:
    """The ways to the lists of `policy`, with nothing in them. Raises InvalidPolicyError."""
    _check(policy.merged)
    spared = _own_networks(policy)
    judging = [one for one in policy.merged if not one.early and one.mode != "allow_ports"]
    early = [one for one in policy.merged if one.early]
    chains = [chain(chain_of(one, generation), _waiting(one, policy)) for one in policy.merged]
    for name, lists in (("merged", judging), ("merged_early", early)):
        ways = [way for one in lists for way in _ways(one, generation)]
        chains += [chain(f"{name}_{generation}", [*spared, *ways])] if lists else []
    allowing = tuple(way for one in policy.merged if one.mode == "allow_ports" for way in _ways(one, generation))
    return Fragment(
        chains=tuple(chains),
        raw=tuple(f"{way} jump merged_early_{generation}" for way in outside(policy) if early),
        arriving=tuple(f"{BEGUN} {way} jump merged_{generation}" for way in outside(policy) if judging),
        accepting=allowing,
    )


def spelled(merged: MergedList) -> str:
    """One line of comment, by which `lists_in` finds the list again in the text of a firewall."""
    fields = [merged.mode, _pairs(merged.tcp), _pairs(merged.udp), merged.early, merged.files]
    return f"{SPELLED}{json.dumps([merged.name, *fields], separators=(',', ':'))}"


def lists_in(text: str) -> tuple[MergedList, ...]:
    """The lists that the text of a firewall is to be filled with. Raises ValueError where a line of it is none."""
    found = []
    for line in text.splitlines():
        if line.startswith(SPELLED):
            name, mode, tcp, udp, early, files = json.loads(line.removeprefix(SPELLED))
            found.append(MergedList(name, mode, _ranges(tcp), _ranges(udp), early, tuple(files)))
    _check(tuple(found))
    return tuple(found)


def rooms(name: str, filling: Filling) -> Iterator[Room]:
    """The sets of a filling."""
    for version in VERSIONS:
        for level in filling.levels(version):
            yield Room(filling.set_name(name, version, level), version)


def declarations(name: str, filling: Filling) -> Iterator[str]:
    """Commands, one for each set of a filling.

    Without a size: the kernel would reserve the memory for all of it at once, and all others would wait for that.
    """
    for one in rooms(name, filling):
        yield f"add set inet {TABLE} {one.set_name} {{ type ipv{one.version}_addr; }}\n"


def contents(merged: MergedList, filling: Filling | None, generations: Iterable[str]) -> str:
    """Commands that lead the chains of a list, in some generations, to its filling; without one they let pass.

    Put behind the text of a new generation, they come with it in one transaction.
    """
    lines = []
    for generation in generations:
        name = f"inet {TABLE} {chain_of(merged, generation)}"
        lines.append(f"flush chain {name}\n")
        rules = () if filling is None else _rules(merged, filling)
        lines += [f"add rule {name} {rule}\n" for rule in rules]
    return "".join(lines)


def removal(name: str, filling: Filling) -> str:
    """Commands that take the sets of a filling away; no chain may lead to them."""
    return "".join(f"delete set inet {TABLE} {one}\n" for one in filling.set_names(name))


def _check(lists: tuple[MergedList, ...]) -> None:
    if len(lists) > LISTS_MAX or len({one.name for one in lists}) < len(lists):
        raise InvalidPolicyError(f"at most {LISTS_MAX} merged lists, each with a name of its own, were expected")
    for one in lists:
        if not NAME.fullmatch(one.name):
            raise InvalidPolicyError(
                f"{one.name!r} is no name of a merged list; small letters and digits were expected"
            )
        if one.early and one.mode != "deny":
            raise InvalidPolicyError(f"the merged list {one.name} cannot be early; only one of mode deny can")
        if one.mode.endswith("_ports") != bool(one.tcp or one.udp):
            raise InvalidPolicyError(f"the merged list {one.name} has ports and another mode, or the other way round")


def _own_networks(policy: Policy) -> Iterator[str]:
    """Whoever lives beside us has no country, and is no attacker because a list has private networks."""
    for version, word in FAMILIES.items():
        own = [one for one in policy.spoofing.own_networks if one.version == version and one.prefixlen]
        if own:
            yield f"{word} saddr {networks_text(own)} return"
    yield "ip6 saddr fe80::/10 return"


def _ways(merged: MergedList, generation: str) -> Iterator[str]:
    name = chain_of(merged, generation)
    if not merged.mode.endswith("_ports"):
        yield f"jump {name}"
    if merged.tcp:
        yield f"{to_ports('tcp', merged.tcp, translated=True)} jump {name}"
        yield f"ct state untracked {to_ports('tcp', merged.tcp)} jump {name}"
    if merged.udp:
        yield f"{to_ports('udp', merged.udp, translated=True)} jump {name}"


def chain_of(merged: MergedList, generation: str) -> str:
    """The chain of a generation that asks a list's sets."""
    return f"listed_{merged.name}_{generation}"


def _waiting(merged: MergedList, policy: Policy) -> Iterator[str]:
    """What is in the chain of a list until there are sets: after a boot, for as long as durward needs to fill them.

    Who alone is let in is not known yet, so nobody is, but for the administrators' way in.
    """
    if merged.mode == "allow_only":
        if policy.ssh_ports:
            yield f"{to_ports('tcp', tuple(PortRange(port, port) for port in policy.ssh_ports))} return"
        yield "counter drop"


def _pairs(ports: tuple[PortRange, ...]) -> list[list[int]]:
    return [[one.first, one.last] for one in ports]


def _ranges(pairs: list[list[int]]) -> tuple[PortRange, ...]:
    return tuple(PortRange(first, last) for first, last in pairs)


def _rules(merged: MergedList, filling: Filling) -> Iterator[str]:
    for version, word in FAMILIES.items():
        # Who is allowed passes: before connection tracking nobody has asked that yet, but the skeleton's chain does.
        verdict = {
            "deny": f"counter goto refuse{version}" if merged.early else "counter drop",
            "deny_ports": "counter drop",
            "allow_only": "return",
            "allow_ports": "counter accept",
        }[merged.mode]
        for level in reversed(filling.levels(version)):
            yield f"{_source(word, level)} @{filling.set_name(merged.name, version, level)} {verdict}"
    if merged.mode == "allow_only":
        yield "counter drop"


def _source(word: Family, level: int) -> str:
    if level == (32 if word == "ip" else 128):
        return f"{word} saddr"
    return f"{word} saddr & {_mask_v4(level) if word == 'ip' else mask_v6(level)}"


def _mask_v4(level: int) -> str:
    return ".".join(str(byte) for byte in (0xFFFFFFFF << (32 - level) & 0xFFFFFFFF).to_bytes(4))
