"""The whole firewall as text: every part in its place. What the order is, and why, is said in order.py."""

from collections.abc import Iterator

from durward.catalog.traffic import PortRange
from durward.ruleset import merged, stateful
from durward.ruleset.ending import ending
from durward.ruleset.levels import TABLE
from durward.ruleset.matching import EVERY_PORT, chain, in_families
from durward.ruleset.order import Parts, Way, listed, ways
from durward.ruleset.policy import Policy, Ports


def firewall(policy: Policy, generation: str) -> str:
    """Write one generation ("a" or "b"). It loads into the table of the skeleton, whose `allow` sets it asks.

    Raises InvalidPolicyError for what cannot be written as rules.
    """
    parts = Parts.of(policy, generation)
    sets = dict.fromkeys(f"\t{line.strip()}" for line in parts.slot("sets"))
    helper = [stateful.FTP_HELPER] if policy.ftp_helper else []
    chains = [*_lists(policy, generation), *ending(policy, generation).chains, *parts.slot("chains")]
    ruled = ((way.chain, _rules(way)) for way in ways(policy, generation, parts))
    chains += [chain(f"{name}_{generation}", rules) for name, rules in ruled if rules]
    spelled = "".join(f"{merged.spelled(one)}\n" for one in policy.merged)
    return f"{spelled}table inet {TABLE} {{\n" + "\n".join([*sets, *helper, *chains]) + "\n}\n"


def precedence(policy: Policy | None = None) -> str:
    """Tell people the order in which a packet is judged; with a policy, only the steps that it makes use of."""
    asked = policy or Policy(outbound=Ports(EVERY_PORT))  # some list, so that the steps of one are told
    lines = []
    for way in ways(asked, "a", Parts.of(asked, "a")):
        steps = [step.says for step in way.steps if step.says and (step.rules or policy is None)]
        if way.title and steps:
            lines += [way.title, *(f"  {number}. {says}" for number, says in enumerate(steps, 1))]
    return "\n".join(lines) + "\n"


def open_ports(policy: Policy) -> tuple[PortRange, ...]:
    """TCP ports of this host that anybody reaches by both address families, in order."""
    return stateful.open_tcp_ports(policy)


def _rules(way: Way) -> list[str]:
    return [rule for step in way.steps for rule in step.rules]


def _lists(policy: Policy, generation: str) -> Iterator[str]:
    """The chains of the lists, for each family; those for translated packets look at what the sender asked for."""
    for name, lines in listed(policy).items():
        yield from in_families(name, generation, lines)[0]
    for translated in (False, True):
        yield from stateful.ports_of_interfaces(policy, generation, translated=translated)[0]
