"""Every story of every detector's card gives exactly what it says, by the engine that runs live."""

import pytest

from durward.catalog.detector_card import DetectorCard, Story
from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.engine.assembly import assemble, detector_policy
from durward.engine.policy import Policy
from durward.engine.replay import replay
from durward.model import FOREVER, Event

BEGIN = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
CARDS = load_detectors(directories_of("detectors"))
SERVICES = load_services(directories_of("services"))
STORIES = [(card, story) for card in CARDS for story in card.stories]


def events_of(story: Story) -> list[Event]:
    return [
        Event(
            *(one.kind, BEGIN + one.at, BEGIN + one.at, one.service, "file:story", number, b"a line"),
            source_ip=one.ip,
            user_name=one.user,
            hits=one.hits,
        )
        for number, one in enumerate(story.events)
    ]


@pytest.mark.parametrize(("card", "story"), STORIES, ids=lambda one: one.title)
def test_a_story_gives_what_it_says(card: DetectorCard, story: Story) -> None:
    settings = detector_settings(card, story.settings, SERVICES)
    names = {service.id: service.title for service in SERVICES}
    engine = assemble(Policy({card.id: detector_policy(card, settings, names)}), [card])
    decisions = [
        (one.made_at - BEGIN, one.verdict, one.subject.value, FOREVER if one.until is None else one.until - BEGIN)
        for one in replay(engine, events_of(story))
    ]
    assert decisions == [(one.at, one.verdict, one.subject, one.until) for one in story.gives]
    assert engine.findings == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_tells_both_kinds_of_story(card: DetectorCard) -> None:
    """What is stopped, and what must not be."""
    assert any(story.gives for story in card.stories)
    assert any(not story.gives for story in card.stories)
