"""Puts an engine together from settings and cards: the same for the daemon, a replay and a test."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import cast

from durward.catalog.detector_card import DetectorCard
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.catalog.shelf import code_of
from durward.config.settings import DetectorSettings, Settings, Values
from durward.engine.detector import Detector
from durward.engine.engine import Engine
from durward.engine.policy import DetectorPolicy, Policy, Threshold
from durward.engine.recollection import Recollection

Exempt = Callable[[str], str | None]


def nobody(_address: str) -> str | None:
    """Exempt no address."""
    return None


def policy_of(
    settings: Settings, services: Sequence[ServiceCard], detectors: Sequence[DetectorCard], exempt: Exempt = nobody
) -> Policy:
    """What the settings tell the engine to do."""
    names = {service.id: service.name for service in services}
    policies = {card.id: detector_policy(card, settings.detectors[card.id], names) for card in detectors}
    return Policy(policies, exempt, settings.ipv6.block_prefix)


def detector_policy(card: DetectorCard, settings: DetectorSettings, names: Mapping[str, str]) -> DetectorPolicy:
    """One detector's policy; `names` gives the services' names as a reason says them."""
    general = settings.general
    services = {
        service: _threshold(settings.of(service), names.get(service, service))
        for service in {*names, *settings.services}
    }
    return DetectorPolicy(
        default=_threshold(general, ""),
        hears=card.hears,
        services=services,
    )


def assemble(
    policy: Policy, detectors: Sequence[DetectorCard], earlier: dict[str, tuple[int, float]] | None = None
) -> Engine:
    """An engine with a detector for each card. Raises ProblemsError for a card whose code is missing."""
    recollection = Recollection()
    made = {card.id: _detector(card, policy.detectors[card.id], recollection) for card in detectors}
    return Engine(policy, made, earlier)


def import_detectors(detectors: Sequence[DetectorCard]) -> None:
    """Import the code of all detectors. Raises ProblemsError for a card whose code is missing."""
    for card in detectors:
        _code(card)


def _detector(card: DetectorCard, policy: DetectorPolicy, recollection: Recollection) -> Detector:
    return cast("Detector", _code(card).Detector(card.id, policy, recollection))


def _code(card: DetectorCard) -> ModuleType:
    module = code_of("detectors", card.code)
    if module is None:
        raise ProblemsError([Problem(f"{card.id}.toml", 1, "code", f"there is no packaged detector {card.code!r}")])
    return module


def _threshold(values: Values, name: str) -> Threshold:
    return Threshold(
        count=values["count"],
        within_seconds=values["within"],
        block_seconds=values["block_for"],
        block_seconds_max=values["block_for_max"],
        name=name,
        mode=values["mode"],
        escalate=values["escalate"],
        remember_seconds=values["remember"],
    )
