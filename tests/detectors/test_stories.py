"""Every story of every detector's card gives exactly what it says, by the engine that runs live."""

import pytest

from durward.catalog.detector_card import DetectorCard
from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.catalog.story import Story
from durward.engine.rehearsing import rehearsed

CARDS = load_detectors(directories_of("detectors"))
SERVICES = load_services(directories_of("services"))
STORIES = [(card, story) for card in CARDS for story in card.stories]


@pytest.mark.parametrize(("card", "story"), STORIES, ids=lambda one: one.title)
def test_a_story_gives_what_it_says(card: DetectorCard, story: Story) -> None:
    decisions, engine = rehearsed(card, story, SERVICES)
    assert decisions == list(story.gives)
    assert engine.findings == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_card_tells_both_kinds_of_story(card: DetectorCard) -> None:
    """What is stopped, and what must not be."""
    assert any(story.gives for story in card.stories)
    assert any(not story.gives for story in card.stories)
