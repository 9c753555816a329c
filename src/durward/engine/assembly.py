"""Puts an engine together from settings and cards: the same for the daemon, a replay and a test."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import NamedTuple, cast

from durward.catalog.detector_card import DetectorCard
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.catalog.shelf import code_of
from durward.config.settings import DetectorSettings, Settings, Values
from durward.engine.counting import Counting
from durward.engine.detector import Detector
from durward.engine.engine import Engine
from durward.engine.familiar import Familiar
from durward.engine.policy import DetectorPolicy, Policy, Remedy, Threshold
from durward.engine.room import Room
from durward.model import Port


class Known(NamedTuple):
    """What a threshold takes from a service: its name as a reason says it, and its ports."""

    name: str
    ports: tuple[Port, ...] = ()


QUIET_SECONDS = 3600.0  # where a block would last no time, and it is only told: so long the same is not told again

Exempt = Callable[[str], str | None]


def nobody(_address: str) -> str | None:
    """Exempt no address."""
    return None


def policy_of(
    settings: Settings, services: Sequence[ServiceCard], detectors: Sequence[DetectorCard], exempt: Exempt = nobody
) -> Policy:
    """What the settings tell the engine to do."""
    known = {service.id: Known(service.name, settings.services[service.id].ports) for service in services}
    policies = {card.id: detector_policy(card, settings.detectors[card.id], known) for card in detectors}
    return Policy(policies, exempt, settings.ipv6.block_prefix, settings.guards.familiar_share_max)


def detector_policy(card: DetectorCard, settings: DetectorSettings, known: Mapping[str, Known]) -> DetectorPolicy:
    """One detector's policy, with what is known of the services."""
    general = settings.general
    services = {
        service: _threshold(settings.of(service), known.get(service, Known(service)))
        for service in {*known, *settings.services}
    }
    return DetectorPolicy(
        default=_threshold(general, Known("")),
        hears=card.hears,
        services=services,
        of=card.of,
        values=general,
        counting=card.counting,
    )


def assemble(
    policy: Policy,
    detectors: Sequence[DetectorCard],
    earlier: dict[str, tuple[int, float]] | None = None,
    familiar: Familiar | None = None,
) -> Engine:
    """An engine with a detector for each card. Raises ProblemsError for a card whose code is missing."""
    room = Room(familiar)
    made = {card.id: _detector(card, policy.detectors[card.id], room) for card in detectors}
    return Engine(policy, made, earlier, room)


def import_detectors(detectors: Sequence[DetectorCard]) -> None:
    """Import the code of all detectors. Raises ProblemsError for a card whose code is missing."""
    for card in detectors:
        if card.counting is None:
            _code(card)


def _detector(card: DetectorCard, policy: DetectorPolicy, room: Room) -> Detector:
    if card.counting is not None:
        return Counting(card.id, policy, room)
    return cast("Detector", _code(card).Detector(card.id, policy, room))


def _code(card: DetectorCard) -> ModuleType:
    module = code_of("detectors", card.code)
    if module is None:
        raise ProblemsError([Problem(f"{card.id}.toml", 1, "code", f"there is no packaged detector {card.code!r}")])
    return module


def _threshold(values: Values, service: Known) -> Threshold:
    only_told = values["block_for"] == 0 and values["remedy"] != "alert"
    # What counts for all services together has a length of its own, and is about no service's ports.
    total = bool(values.get("total"))
    remedy: Remedy = "block" if total and values["remedy"] == "ports" else values["remedy"]
    return Threshold(
        count=values["count"],
        within_seconds=values["within"],
        block_seconds=QUIET_SECONDS if only_told else values["total_block_for" if total else "block_for"],
        block_seconds_max=values["block_for_max"],
        name=service.name,
        mode=values["mode"],
        escalate=values["escalate"],
        remember_seconds=values["remember"],
        distinct=values["distinct"],
        remedy="alert" if only_told else remedy,
        ports=values["block_ports"] or service.ports,
        permanent_after=values["permanent_after"],
        until_hour_ends=values["until_hour_ends"],
    )
