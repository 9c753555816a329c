"""What the engine is told to do: thresholds per service, block lengths, whose lines do not count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from durward.catalog.counting import Counting
from durward.model import FOREVER, Port

Mode = Literal["enforce", "shadow", "off"]
Remedy = Literal["block", "ports", "throttle", "alert"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """How much is too much for one service, how long the block is then, and whether it is meant. Times in seconds.

    `off` does not even look, and a count of 0 watches nobody; `shadow` decides and records, but blocks nobody. `ports`
    are the service's own, for the remedy that blocks nothing else. `permanent_after` of 0: never.
    """

    count: int
    within_seconds: float
    block_seconds: float
    block_seconds_max: float
    name: str = ""
    mode: Mode = "enforce"
    escalate: float = 2.0
    remember_seconds: float = 30 * 86400.0
    distinct: int = 1
    remedy: Remedy = "block"
    ports: tuple[Port, ...] = ()
    permanent_after: int = 0
    until_hour_ends: bool = False

    @property
    def watches(self) -> bool:
        """Whether anything of this service is counted at all."""
        return self.mode != "off" and self.count > 0

    @property
    def longest_seconds(self) -> float:
        """The longest block that it may ever lead to; FOREVER where a lasting one may be."""
        return FOREVER if self.permanent_after else max(self.block_seconds, self.block_seconds_max)


@dataclass(frozen=True, slots=True)
class DetectorPolicy:
    """One detector's settings. `hears` are the kinds of events that concern it, `of` their services (none: any).

    `values` are its settings as they were written, for those that only this detector has.
    """

    default: Threshold
    hears: frozenset[str]
    services: Mapping[str, Threshold] = field(default_factory=dict)
    of: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    counting: Counting | None = None

    def threshold(self, service: str) -> Threshold:
        """The threshold that holds for `service`."""
        return self.services.get(service, self.default)

    def moved(self, service: str, before: tuple[Port, ...], ports: tuple[Port, ...]) -> "DetectorPolicy":
        """The same for a `service` that is reached at other ports than `before`."""
        threshold = self.threshold(service)
        if threshold.ports != before:
            return self
        return replace(self, services={**self.services, service: replace(threshold, ports=ports)})

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
    """Everything the engine decides by. `exempt` names the list entry that exempts an address, or gives None.

    `spared` does so for the lines of one service alone. None: it exempts nobody.
    A detector that blocks a larger share than `familiar_share_max` (0 to 1) of addresses that log in well is held.
    """

    detectors: Mapping[str, DetectorPolicy]
    exempt: Callable[[str], str | None] = lambda _address: None
    block_prefix_v6: int = 64
    familiar_share_max: float = 1.0

    def moved(self, service: str, before: tuple[Port, ...], ports: tuple[Port, ...]) -> "Policy":
        """The same for a `service` that is reached at other ports; those that a detector was given itself stay."""
        detectors = {
            name: one if one.values.get("block_ports") else one.moved(service, before, ports)
            for name, one in self.detectors.items()
        }
        return replace(self, detectors=detectors)

    spared: Callable[[str, str], str | None] | None = None
