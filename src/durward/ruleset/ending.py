"""Deny filters hold for connections that stand, too: each of their packets is judged, as a block judges it.

Only where there are deny filters is anything asked. Whoever is allowed is asked for after a hit, so that the others
pay for the filters alone.
"""

from typing import NamedTuple

from durward.ruleset import filters, stateful
from durward.ruleset.matching import chain, in_families
from durward.ruleset.policy import Policy
from durward.ruleset.refusals import REJECT

Rules = tuple[str, ...]

AGAIN = "ct status dnat"
STANDS = "ct state established"
STANDS_OUT = "ct state established,related"


class Ending(NamedTuple):
    """The chains, and for each way the rule that leads there; empty where no filter is about it."""

    chains: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    forward: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


def ending(policy: Policy, generation: str) -> Ending:
    """What `policy` wants of connections that stand. Raises InvalidPolicyError."""
    denied, denied_out = f"goto still_denied_{generation}", f"goto still_denied_out_{generation}"
    plain = in_families("still", generation, filters.stopping(policy, "in", denied))
    translated = in_families("still_translated", generation, filters.stopping(policy, "in", denied, translated=True))
    leaving = in_families("still_out", generation, filters.stopping(policy, "out", denied_out))
    chains = [*plain[0], *translated[0], *leaving[0]]
    if plain[1]:
        chains += _arriving(policy, generation, plain[1], translated[1])
    if leaving[1]:
        chains += _leaving(policy, generation, leaving[1])
    if plain[1] or leaving[1]:
        rules = _forward(policy, generation, plain[1], translated[1], leaves=bool(leaving[1]))
        chains.append(chain(f"still_forward_{generation}", rules))
    return Ending(
        tuple(chains),
        (f"{STANDS} jump still_input_{generation}",) if plain[1] else (),
        (f"{STANDS} jump still_forward_{generation}",) if plain[1] or leaving[1] else (),
        (f"{STANDS_OUT} jump still_output_{generation}",) if leaving[1] else (),
    )


def _arriving(policy: Policy, generation: str, plain: Rules, translated: Rules) -> list[str]:
    services = (rule for one in stateful.INNER_SERVICES for rule in stateful.from_inside(policy, _returning(one)))
    rules = ['iif "lo" return', *map(_returning, stateful.unfiltered(policy, "iifname")), *services]
    rules += [*plain, *(f"{AGAIN} {rule}" for rule in translated)]
    allowed = [_allowed("allowed", generation), f"{AGAIN} {_allowed('allowed_translated', generation)}"]
    return [
        chain(f"still_denied_{generation}", [*allowed, "counter drop"]),
        chain(f"still_input_{generation}", rules),
    ]


def _leaving(policy: Policy, generation: str, asked: Rules) -> list[str]:
    spared = (*stateful.unfiltered(policy, "oifname"), *stateful.to_inside(policy))
    return [
        chain(f"still_denied_out_{generation}", [_allowed("allowed_out", generation), f"counter {REJECT}"]),
        chain(f"still_output_{generation}", ['oif "lo" return', *map(_returning, spared), *asked]),
    ]


def _forward(policy: Policy, generation: str, plain: Rules, translated: Rules, *, leaves: bool) -> list[str]:
    inside = f"goto still_output_{generation}" if leaves else "return"
    rules = [*map(_returning, stateful.unfiltered(policy, "iifname")), *stateful.from_inside(policy, inside)]
    if plain:  # for a published port, the port that the sender asked for is what counts
        rules += [*(f"{AGAIN} {rule}" for rule in translated), f"{AGAIN} return", *plain]
    return rules


def _allowed(name: str, generation: str) -> str:
    return f"meta nfproto vmap {{ ipv4 : jump {name}4_{generation}, ipv6 : jump {name}6_{generation} }}"


def _returning(rule: str) -> str:
    return f"{rule.removesuffix('accept')}return"
