"""Which generation of the firewall decides: the kept one and, as long as a trial is on, the new one.

The dead man's switch is in the kernel. Packets go to the new generation only while the set `trial` holds their protocol
family; its elements have a timeout. If nobody confirms, they expire, and the kept generation decides again (or, where
nothing was ever kept, everything passes), even if every process of ours is dead.
"""

import re
from dataclasses import dataclass
from typing import Literal

from durward.ruleset.levels import TABLE

Generation = Literal["a", "b"]

TRIAL = "trial"
FAMILIES = ("ipv4", "ipv6")
# Before the usual filter chains (priority 0), so that we decide first; raw ones after the blocks (priority -300).
BASES = {
    "early": "type filter hook prerouting priority -450; policy accept;",  # before fragments are put together
    "raw": "type filter hook prerouting priority -290; policy accept;",
    "input": "type filter hook input priority -10; policy accept;",
    "forward": "type filter hook forward priority -10; policy accept;",
    "output": "type filter hook output priority -10; policy accept;",
    "nat_arriving": "type nat hook prerouting priority -110; policy accept;",
    "nat_leaving": "type nat hook output priority -110; policy accept;",
    "nat_routed": "type nat hook postrouting priority 90; policy accept;",
    "pardon": "",  # no hook: what is blocked is led there, and allow filters are asked
    "pardon_out": "",
}
CHAIN = re.compile(r"^\tchain (\w+_[ab]) \{", re.MULTILINE)
METER = re.compile(r"^\tset (meter_\w+) \{", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Present:
    """The names that the kernel's table holds now."""

    chains: frozenset[str]
    sets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Firewall:
    """A compiled firewall: one generation and its text."""

    generation: Generation
    text: str

    @classmethod
    def marked(cls, generation: Generation, text: str) -> "Firewall":
        """A firewall whose text can be found again in a larger one."""
        return cls(generation, f"# begin {generation}\n{text.rstrip()}\n# end {generation}\n")

    @property
    def is_whole(self) -> bool:
        """Whether all its chains are of its generation; others would be mixed into what is kept."""
        return {chain[-1] for chain in CHAIN.findall(self.text)} == {self.generation}

    @property
    def slots(self) -> tuple[str, ...]:
        """The base chains that lead into it."""
        own = set(CHAIN.findall(self.text))
        return tuple(slot for slot in BASES if f"{slot}_{self.generation}" in own)


def other(generation: Generation) -> Generation:
    """The generation that is free while `generation` decides."""
    return "b" if generation == "a" else "a"


def switch(
    present: Present,
    kept: Firewall | None,
    trial: Firewall | None = None,
    trial_seconds: int = 0,
    *,
    reload: bool = True,
) -> str:
    """Commands that make `kept` decide and, for `trial_seconds`, `trial`; all else of the firewall is taken away.

    One transaction. Without `reload` a kept generation whose chains are all there stays as it is, with its counters.
    """
    wanted = [one for one in (kept, trial) if one is not None]
    stays = kept is not None and not reload and present.chains.issuperset(CHAIN.findall(kept.text))
    staying = set(CHAIN.findall(kept.text)) if stays and kept is not None else set()
    stale = sorted(chain for chain in present.chains if chain[-2:] in ("_a", "_b") and chain not in staying)
    slots = {slot for one in wanted for slot in one.slots}
    slots |= {slot for slot in BASES if _base(slot) in present.chains}
    lines = [_bases(slots)]
    lines += [f"flush chain inet {TABLE} {name}" for name in (*map(_base, sorted(slots)), *stale)]
    lines += [f"delete chain inet {TABLE} {name}" for name in stale]
    lines += [f"delete set inet {TABLE} {name}" for name in _stale_meters(present, wanted)]
    lines += [one.text for one in wanted if not (stays and one is kept)]
    lines.append(f"flush set inet {TABLE} {TRIAL}")
    if trial is not None:
        elements = ", ".join(f"{family} timeout {trial_seconds}s" for family in FAMILIES)
        lines.append(f"add element inet {TABLE} {TRIAL} {{ {elements} }}")
        lines += [_lead(slot, trial, f"meta nfproto @{TRIAL} ") for slot in trial.slots]
    if kept is not None:
        lines += [_lead(slot, kept, "") for slot in kept.slots]
    return "\n".join(lines) + "\n"


def _base(slot: str) -> str:
    """The base chain that leads to a slot of whichever generation decides."""
    return f"firewall_{slot}"


def _lead(slot: str, firewall: Firewall, condition: str) -> str:
    return f"add rule inet {TABLE} {_base(slot)} {condition}goto {slot}_{firewall.generation}"


def _bases(slots: set[str]) -> str:
    chains = "\n".join(f"\tchain {_base(slot)} {{\n\t\t{BASES[slot]}\n\t}}" for slot in BASES if slot in slots)
    return f"table inet {TABLE} {{\n\tset {TRIAL} {{ type nf_proto; flags timeout; }}\n{chains}\n}}"


def _stale_meters(present: Present, wanted: list[Firewall]) -> list[str]:
    used = {name for one in wanted for name in METER.findall(one.text)}
    return sorted(name for name in present.sets if name.startswith("meter_") and name not in used)
