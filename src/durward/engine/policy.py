"""What the engine is told to do: thresholds per service, block lengths, whose lines do not count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["enforce", "shadow", "off"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """How much is too much for one service, and how long the block is then. Times in seconds."""

    count: int
    within_seconds: float
    block_seconds: float
    block_seconds_max: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class DetectorPolicy:
    """One detector's settings. `hears` are the kinds of events that concern it; a count of 0 watches nobody."""

    default: Threshold
    hears: frozenset[str]
    services: Mapping[str, Threshold] = field(default_factory=dict)
    mode: Mode = "enforce"
    escalate: float = 2.0
    remember_seconds: float = 30 * 86400.0

    def threshold(self, service: str) -> Threshold:
        """The threshold that holds for `service`."""
        return self.services.get(service, self.default)

    @property
    def longest_seconds(self) -> float:
        """The longest window of all services: what must be read again after a restart."""
        return max(threshold.within_seconds for threshold in (self.default, *self.services.values()))


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the engine decides by. `exempt` names the list entry that exempts an address, or gives None."""

    detectors: Mapping[str, DetectorPolicy]
    exempt: Callable[[str], str | None] = lambda _address: None
    block_prefix_v6: int = 64
