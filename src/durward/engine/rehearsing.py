"""Rehearsing: what a story of a detector's card really leads to, by the engine that runs live."""

from collections.abc import Sequence

from durward.catalog.detector_card import DetectorCard
from durward.catalog.service_card import ServiceCard
from durward.catalog.story import Story, StoryDecision
from durward.config.settings import detector_settings
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.engine import Engine
from durward.engine.explain import ports_of
from durward.engine.policy import Policy
from durward.engine.replay import replay
from durward.model import FOREVER, Decision, Event

BEGIN = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC: stories begin with an hour that is a little old


def rehearsed(card: DetectorCard, story: Story, services: Sequence[ServiceCard]) -> tuple[list[StoryDecision], Engine]:
    """The decisions that a story gives, in the words of stories, and the engine that gave them.

    Raises ProblemsError for settings that the card does not take.
    """
    settings = detector_settings(card, story.settings, services)
    known = {service.id: Known(service.name, service.ports) for service in services}
    engine = assemble(Policy({card.id: detector_policy(card, settings, known)}), [card])
    return [_as_told(decision) for decision in replay(engine, _events(story))], engine


def _events(story: Story) -> list[Event]:
    return [
        Event(
            *(one.kind, BEGIN + one.at, BEGIN + one.at, one.service, "file:story", number, b"a line"),
            source_ip=one.ip,
            user_name=one.user,
            session=one.session,
            hits=one.hits,
            about=one.about,
            quantity=one.quantity,
        )
        for number, one in enumerate(story.events)
    ]


def _as_told(decision: Decision) -> StoryDecision:
    """An end as a story writes it: seconds since its begin, FOREVER; nothing for an alert."""
    until = None if decision.until is None else decision.until - BEGIN
    if decision.until is None and decision.verdict != "alert":
        until = FOREVER
    return StoryDecision(
        at=decision.made_at - BEGIN,
        verdict=decision.verdict,
        subject=decision.subject,
        until=until,
        ports=ports_of(decision.scope),
        simulated=decision.simulated,
    )
