"""What the engine is told to do: thresholds per service, block lengths, whose lines do not count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["enforce", "shadow", "off"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """How much is too much for one service, how long the block is then, and whether it is meant. Times in seconds.

    `off` does not even look, and a count of 0 watches nobody; `shadow` decides and records, but blocks nobody.
    """

    count: int
    within_seconds: float
    block_seconds: float
    block_seconds_max: float
    name: str = ""
    mode: Mode = "enforce"
    escalate: float = 2.0
    remember_seconds: float = 30 * 86400.0

    @property
    def watches(self) -> bool:
        """Whether anything of this service is counted at all."""
        return self.mode != "off" and self.count > 0


@dataclass(frozen=True, slots=True)
class DetectorPolicy:
    """One detector's settings. `hears` are the kinds of events that concern it."""

    default: Threshold
    hears: frozenset[str]
    services: Mapping[str, Threshold] = field(default_factory=dict)

    def threshold(self, service: str) -> Threshold:
        """The threshold that holds for `service`."""
        return self.services.get(service, self.default)

    @property
    def longest_seconds(self) -> float:
        """The longest window of all services: what must be read again after a restart."""
        return max(threshold.within_seconds for threshold in (self.default, *self.services.values()))

    @property
    def remember_seconds(self) -> float:
        """How long at most an earlier block still lengthens the next one: what must be known after a restart."""
        return max(threshold.remember_seconds for threshold in (self.default, *self.services.values()))


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the engine decides by. `exempt` names the list entry that exempts an address, or gives None."""

    detectors: Mapping[str, DetectorPolicy]
    exempt: Callable[[str], str | None] = lambda _address: None
    block_prefix_v6: int = 64
