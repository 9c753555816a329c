"""A packet's journey through the rules: from the kernel's trace to the rule that decided, and to its step in words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from durward.ruleset.levels import TABLE
from durward.ruleset.order import Parts, ways
from durward.ruleset.policy import Policy

BLOCKED = "blocked addresses are dropped, unless they are allowed"
BLOCKED_OUT = "what goes to blocked addresses is dropped, unless they are allowed"
BLOCKING_CHAINS = {"refuse4": BLOCKED, "refuse6": BLOCKED, "refuse_out4": BLOCKED_OUT, "refuse_out6": BLOCKED_OUT}
NO_RULE = "no rule decided; the kernel itself lets it go nowhere (no such address here, or no way there)"
PASSING, ENDING = ("accept", "stolen"), ("drop", "stolen")  # stolen: the SYN proxy answers in this host's name
# The end of a chain that says nothing of whom it is about: whoever led there is asked.
BARE = re.compile(r'(?:counter )?(?:drop|accept|reject(?: with [a-z6 -]+)?)(?: comment "[^"]*")?')
COUNTED = re.compile(r"counter packets \d+ bytes \d+")


class Hit(NamedTuple):
    """One rule that a packet came to and that said something. `target` is the chain of a jump."""

    table: str
    chain: str
    handle: int
    verdict: str
    target: str = ""


class Rule(NamedTuple):
    """One rule as the kernel gives it back; `handle` is its number there."""

    handle: int
    text: str


class Place(NamedTuple):
    """A rule on the way. `position` counts from 0 in its chain."""

    chain: str
    position: int
    rule: str


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a packet came to. `places`: the rules that led to the decision, and it as the last; none where none did.

    `is_answer`: the packet got there, and this is what became of the answer to it.
    """

    passes: bool
    places: tuple[Place, ...] = ()
    is_answer: bool = False

    @property
    def blocked(self) -> bool:
        """Whether the sets of blocked addresses refused it."""
        return not self.passes and bool(self.places) and self.places[-1].chain in BLOCKING_CHAINS

    @property
    def rule(self) -> str:
        """The rule that decided: the last one that says of whom it is about; empty where none decided."""
        for place in reversed(self.places):
            if not BARE.fullmatch(place.rule) and not place.chain.startswith("refused_"):
                return place.rule
        return self.places[-1].rule if self.places else ""


def journey_of(hits: Sequence[Hit], rules: Mapping[str, Sequence[Rule]], *, arrived: bool) -> Journey:
    """Put together what the trace of one packet says; `arrived` is whether it got past all rules."""
    ours = [hit for hit in hits if hit.table == TABLE]
    passes = arrived or (bool(ours) and ours[-1].verdict == "stolen")
    verdicts = PASSING if passes else ENDING
    deciding = next((index for index in reversed(range(len(ours))) if ours[index].verdict in verdicts), None)
    if deciding is None:
        return Journey(passes)
    return Journey(passes, tuple(_place(hit, rules) for hit in _led_to(ours, deciding)))


def step_of(journey: Journey, policy: Policy | None, generation: str) -> str:
    """What happened, in the words of the precedence. `policy` is None where there is no firewall, only blocks."""
    if journey.is_answer:
        return f"the answer to it does not pass: {step_of(replace(journey, is_answer=False), policy, generation)}"
    if not journey.places:
        return "nothing refuses it" if journey.passes else NO_RULE
    said = BLOCKING_CHAINS.get(journey.places[-1].chain, "") if journey.blocked else ""
    for place in reversed(journey.places):
        said = said or (_said(place, policy, generation) if policy is not None else "")
    return said or ("nothing refuses it" if journey.passes else "a rule refuses it")


def _led_to(hits: Sequence[Hit], deciding: int) -> list[Hit]:
    """The jumps that were not returned from, and the hit that they led to."""
    path = [hits[deciding]]
    for hit in reversed(hits[:deciding]):
        if hit.verdict in {"jump", "goto"} and hit.target == path[0].chain:
            path.insert(0, hit)
    return path


def _place(hit: Hit, rules: Mapping[str, Sequence[Rule]]) -> Place:
    for position, rule in enumerate(rules.get(hit.chain, ())):
        if rule.handle == hit.handle:
            return Place(hit.chain, position, COUNTED.sub("counter", rule.text))
    return Place(hit.chain, -1, "")


def _said(place: Place, policy: Policy, generation: str) -> str:
    """The words of the step that a rule belongs to; one without words belongs to the step before it."""
    for way in ways(policy, generation, Parts.of(policy, generation)):
        if f"{way.chain}_{generation}" != place.chain:
            continue
        said, count = "", 0
        for step in way.steps:
            said = step.says or said
            count += len(step.rules)
            if 0 <= place.position < count:
                return said
    return ""
