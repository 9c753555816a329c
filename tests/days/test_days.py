"""Days of one host in mixed logs: every attacker is found in time, and nobody else is blocked."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from bench.days.judging import Decision, day, decisions_of, judged, replay, strangers, subject_of, write
from bench.days.trace import Party

from durward.catalog.shelf import directories_of, load_detectors

SEEDS = (7, 8)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=SEEDS)
def decided(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Party], list[Decision]]:
    parties = day(request.param)
    folder = tmp_path_factory.mktemp("day")
    return parties, decisions_of(replay(write(parties, folder), folder))


def test_a_day_is_the_same_each_time_it_is_made() -> None:
    assert day(7) == day(7)
    assert day(7) != day(8)


def test_a_day_is_as_mixed_as_it_says() -> None:
    parties = day(7)
    logs = Counter(line.log for party in parties for line in party.lines)
    assert len(logs) == 9
    assert sum(logs.values()) > 75_000
    assert min(logs.values()) > 50
    addresses = [address for party in parties for address in party.addresses]
    assert len(addresses) == len(set(addresses))
    assert {":" in one for one in addresses} == {True, False}


def test_detectors_that_the_truth_names_exist() -> None:
    known = {card.id for card in load_detectors(directories_of("detectors"))}
    assert {name for party in day(7) for name in party.found_by} <= known


def test_every_attacker_is_found_in_time_and_nobody_else_is_blocked(
    decided: tuple[list[Party], list[Decision]],
) -> None:
    parties, decisions = decided
    wrong = {one.party.name: one.wrong for one in judged(parties, decisions) if one.wrong}
    assert wrong == {}
    assert strangers(parties, decisions) == []
    attackers = sum(len(party.addresses) for party in parties if party.is_to_be_blocked)
    assert attackers > 300
    people = [party for party in parties if not (party.found_by or party.unseen)]
    assert sum(len(party.addresses) for party in people) > 150
    assert sum(party.lost_max for party in people) <= 1


def test_each_decision_shows_lines_that_name_whom_it_is_about(decided: tuple[list[Party], list[Decision]]) -> None:
    parties, decisions = decided
    addresses = {subject_of(address): address for party in parties for address in party.addresses}
    blocks = [one for one in decisions if one["verdict"] == "block"]
    assert len(blocks) > 300
    for one in blocks:
        texts = [line["text"] for line in one["evidence"]]
        assert any(addresses[one["subject"]] in text for text in texts), one


def test_the_truth_can_tell_a_bad_rule_from_a_good_one(tmp_path: Path) -> None:
    """With one failure too many for anybody, people are lost; with none, attackers are let go."""
    parties = [party for party in day(7) if party.name in {"people who mistype, and come in", "bots that guess SSH"}]
    files = write(parties, tmp_path)
    for count, wrong in ((1, "people who mistype, and come in"), (1000, "bots that guess SSH")):
        etc = tmp_path / f"home-{count}" / "etc"
        etc.mkdir(parents=True)
        settings = f"[detectors.brute_force]\ncount = {count}\naccounts = {min(count, 1000)}\n"
        off = '[detectors.distributed]\nmode = "off"\n[detectors.slow_guessing]\nmode = "off"\n'
        one = f"[detectors.brute_force.services.sshd]\ncount = {count}\n"
        (etc / "durward.toml").write_text(settings + one + off)
        verdicts = judged(parties, decisions_of(replay(files, etc.parent)))
        assert [one.party.name for one in verdicts if one.wrong] == [wrong]


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = write(day(9), tmp_path)
    in_order, again, mixed = (replay(one, tmp_path) for one in (files, files, _mixed(files)))
    assert in_order == again
    assert in_order == mixed
    assert len(in_order.splitlines()) > 400


def _mixed(files: Sequence[Path]) -> list[Path]:
    mixed = list(files)
    random.Random(9).shuffle(mixed)
    assert mixed != list(files)
    return mixed
