"""Advice is called for by the lines that show the problem, and by no others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from durward.catalog.service_card import Advice, ServiceCard, load_services
from durward.catalog.shelf import directories_of
from durward.model import parse_network
from durward.scan.advising import NEARBY_MIN, Advising
from durward.scan.topology import Topology

CARDS = {card.id: card for card in load_services(directories_of("services"))}
ADVICE = [(card, advice) for card in CARDS.values() for advice in card.advice]
NAMES = [f"{card.id}-{card.advice.index(advice)}" for card, advice in ADVICE]


def called(card: ServiceCard, *lines: str, topology: Topology | None = None) -> list[Advice]:
    advising = Advising([card], topology)
    advising.read("".join(f"{line}\n" for line in lines).encode(), [card.id])
    return [one.advice for one in advising.called()]


def lines_of(advice: Advice) -> Iterator[str]:
    yield from advice.shown_by
    if advice.unless is not None:
        yield from advice.settled_by


@pytest.mark.parametrize(("card", "advice"), ADVICE, ids=NAMES)
def test_each_example_calls_for_it(card: ServiceCard, advice: Advice) -> None:
    assert advice.shown_by
    for line in advice.shown_by:
        assert called(card, *[line] * (NEARBY_MIN if advice.nearby else 1)) == [advice]


@pytest.mark.parametrize(("card", "advice"), ADVICE, ids=NAMES)
def test_what_settles_it_does(card: ServiceCard, advice: Advice) -> None:
    shown = advice.shown_by * NEARBY_MIN
    assert bool(advice.settled_by) == (advice.unless is not None or advice.nearby)
    for line in advice.settled_by:
        assert called(card, *shown, line) == []
        assert called(card, line, *shown) == []


@pytest.mark.parametrize(("card", "advice"), ADVICE, ids=NAMES)
def test_every_line_of_it_is_needed_by_an_example(card: ServiceCard, advice: Advice) -> None:
    """A `when` or `unless` that no example needs may be a mistake."""
    for key in ("when", "unless"):
        pattern = getattr(advice, key)
        for place in range(len(pattern.lines) if pattern else 0):
            others = tuple(line for number, line in enumerate(pattern.lines) if number != place)
            numbers = pattern.places[: len(others)]
            alone = replace(pattern, lines=others, places=numbers)
            changed = replace(advice, **{key: alone})
            wanting = replace(card, advice=(changed,))
            if key == "when":
                assert any(called(wanting, *[line] * NEARBY_MIN) == [] for line in advice.shown_by)
            else:
                assert any(called(wanting, *advice.shown_by * NEARBY_MIN, line) for line in advice.settled_by)


@pytest.mark.parametrize("card", [card for card in CARDS.values() if card.advice], ids=lambda card: card.id)
def test_the_cards_own_lines_with_an_address_call_for_none(card: ServiceCard) -> None:
    lines = [
        example.line
        for pattern in card.patterns
        for example in pattern.examples
        if "source_ip" in example.gives and example.gives.get("hits", 1)
    ]
    assert called(card, *lines * NEARBY_MIN) == []


def test_a_few_lines_from_nearby_are_no_sign() -> None:
    line = CARDS["nginx"].advice[0].shown_by[0]
    assert called(CARDS["nginx"], *[line] * (NEARBY_MIN - 1)) == []


def test_a_proxy_that_the_topology_names_is_no_trouble() -> None:
    line = CARDS["nginx"].advice[0].shown_by[0]
    assert called(CARDS["nginx"], *[line] * 50, topology=Topology([parse_network("10.0.0.0/24")])) == []


def test_other_services_lines_are_not_read() -> None:
    advising = Advising([CARDS["slapd"]])
    advising.read(CARDS["slapd"].advice[0].shown_by[0].encode(), ["sshd"])
    assert list(advising.called()) == []
    assert advising.services == {"slapd"}


def test_postgresql_with_the_address_in_front_is_well_set() -> None:
    line = (
        '2026-11-23 08:10:00.123 UTC [4242] bob@shop 203.0.113.9 FATAL:  password authentication failed for user "bob"'
    )
    assert called(CARDS["postgresql"], line) == []
