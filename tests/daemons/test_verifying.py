"""Blocks that are asked about, and what is done with each answer; crawlers and those who only say so."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.store.samples import decision, incident

from durward.catalog.crawler_card import CrawlerCard, load_crawlers
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.exempting import Exempting
from durward.control.naming import Answer, Outcome
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.names import Names
from durward.daemons.sparing import Verified
from durward.daemons.verifying import AGAIN_SECONDS, AGAIN_TIMES, RECENT_SECONDS, Verifying, addresses_of, is_impostor
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.model import Decision, Event, Evidence, Subject, parse_network
from durward.store import source_names, standing

CARDS = load_crawlers(directories_of("crawlers"))
PUBLISHING = replace(CARDS["google"], networks=(parse_network("192.0.2.0/24"),), as_of="2026-01")
RULES = Exempting(True, (".example.com",), crawlers=MappingProxyType({**CARDS, "google": PUBLISHING}))
CRAWLER = "crawl-203-0-113-7.googlebot.com"


class Scene:
    """A ledger, somebody to act, and a name service that the test plays."""

    def __init__(self, directory: Path, rules: Exempting = RULES) -> None:
        self.now = time.time()
        self.ledger = Ledger(directory / "durward.db", self.now)
        self.names = Names()
        self.fed: list[Event] = []
        self.exempted = 0
        acting = Acting(Engine(Policy({}), {}), self.ledger, Door(directory / "nobody.sock"))
        self.acting = acting
        self.verified = Verified()
        self.verifying = Verifying(
            rules,
            self.names,
            self.ledger,
            acting,
            self.verified,
            web=frozenset({"nginx"}),
            detectors=load_detectors(directories_of("detectors")),
            feed=self.fed.append,
            exempted=self._count,
        )
        acting.listeners.append(self.verifying.decided)
        self.names.tick(self.now)

    def _count(self) -> None:
        self.exempted += 1

    def block(self, subject: str, *, detector: str = "brute_force", service: str = "sshd", text: str = "") -> Decision:
        made = decision(subject, made_at=self.now, until=self.now + 3600, origin=f"detector:{detector}")
        about = replace(incident(made.subject), detector=detector, service=service)
        if text:
            about = replace(about, evidence=(Evidence("file:x", 0, self.now, text),))
        (decided, *_), _ = self.acting.act([replace(made, incident=about)], {}, self.now)
        return decided

    def asked(self) -> list[str]:
        return [one["value"] for one in self._claim()]

    def _claim(self) -> list[dict[str, str]]:
        (handed,) = self.names.answer({"verb": "claim", "most": 32})
        return list(handed["questions"])

    def answer(self, outcome: Outcome, name: str = "") -> list[str]:
        """Answer all that is asked; give whose names were asked for."""
        questions = self._claim()
        answers = [Answer(int(one["id"]), outcome, name).entry() for one in questions]
        self.names.answer({"verb": "answer", "answers": answers})
        self.names.deliver()
        self.verifying.flush(self.now)
        return [one["value"] for one in questions]

    def stands(self, listing: str) -> list[tuple[str, str]]:
        found = standing.all_of(self.ledger.store, listing)  # type: ignore[arg-type]
        return [(one.subject.value, str(one.scope)) for one in found]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.ledger.close()


def test_an_exempt_name_takes_the_block_back_and_is_exempt_for_a_day(scene: Scene) -> None:
    blocked = scene.block("203.0.113.20")
    assert scene.stands("block") == [("203.0.113.20", "in:")]
    assert scene.answer("confirmed", "mail.example.com") == ["203.0.113.20"]
    assert scene.stands("block") == []
    assert scene.stands("ignore") == [("203.0.113.20", "in:")]
    assert scene.exempted == 1
    assert source_names.of(scene.ledger.store, blocked.id) == "mail.example.com"


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        ("confirmed", "mail.example.org"),
        ("confirmed", "evil-example.com"),
        ("denied", "mail.example.com"),
        ("nameless", ""),
        ("failed", ""),
    ],
)
def test_other_answers_change_nothing(scene: Scene, outcome: Outcome, name: str) -> None:
    scene.block("203.0.113.20")
    scene.answer(outcome, name)
    assert scene.stands("block") == [("203.0.113.20", "in:")]
    assert scene.stands("ignore") == []


def test_a_search_engine_is_let_off_for_the_web_and_not_for_passwords(scene: Scene) -> None:
    scene.block("203.0.113.7", service="nginx")
    scene.answer("confirmed", CRAWLER)
    assert scene.stands("block") == []
    assert scene.stands("ignore") == [("203.0.113.7", "in:80,443")]
    scene.block("203.0.113.8", service="sshd")
    scene.answer("confirmed", CRAWLER)
    assert scene.stands("block") == [("203.0.113.8", "in:")]


@pytest.mark.parametrize("detector", ["port_scan", "connections", "neighbourhood", "nobody"])
def test_what_need_not_have_been_sent_by_its_source_is_not_verified(scene: Scene, detector: str) -> None:
    scene.block("203.0.113.20", detector=detector)
    scene.answer("confirmed", "mail.example.com")
    assert scene.stands("block") == [("203.0.113.20", "in:")]


def test_what_others_decided_is_left_as_it_is(scene: Scene) -> None:
    scene.block("203.0.113.20")
    by_hand = decision("203.0.113.20", made_at=scene.now, until=None, origin="operator:root")
    scene.acting.act([by_hand], {}, scene.now)
    scene.answer("confirmed", "mail.example.com")
    assert scene.stands("block") == [("203.0.113.20", "in:")]
    scene.acting.act([decision("203.0.113.21", made_at=scene.now, origin="operator:root")], {}, scene.now)
    scene.acting.act([decision("203.0.113.22", made_at=scene.now, simulated=True)], {}, scene.now)
    scene.acting.act([replace(decision("203.0.113.23", made_at=scene.now), held="because")], {}, scene.now)
    assert scene.asked() == []


def test_a_network_is_asked_about_by_the_addresses_that_its_lines_name(scene: Scene) -> None:
    text = (
        "from 2001:DB8:0:1::7 port 22, 2001:db8:0:2::9, 203.0.113.9, 2001:db8:0:1:: and 2001:db8:0:1::7: x :::::::::::"
    )
    blocked = scene.block("2001:db8:0:1::/64", text=text)
    assert addresses_of(blocked) == ["2001:db8:0:1::7", "2001:db8:0:1::"]
    assert addresses_of(scene.block("203.0.113.0/24", text="203.0.113.9")) == []
    scene.answer("confirmed", "mail.example.com")
    assert [one for one in scene.stands("block") if ":" in one[0].partition("/")[0]] == []
    assert ("2001:db8:0:1::7", "in:") in scene.stands("ignore")


def test_it_is_asked_again_until_somebody_answers(scene: Scene) -> None:
    scene.block("203.0.113.20")
    for number in range(AGAIN_TIMES + 1):
        assert scene.answer("failed") == ["203.0.113.20"], number
        scene.now += AGAIN_SECONDS + 1
        scene.names.tick(scene.now)
        scene.verifying.tick(scene.now + 10 * AGAIN_SECONDS)
    assert scene.asked() == []


def test_the_next_engine_asks_about_the_last_blocks(tmp_path: Path) -> None:
    before = Scene(tmp_path)
    before.block("203.0.113.20")
    old = decision("203.0.113.21", made_at=before.now - RECENT_SECONDS - 1, until=before.now + 60)
    before.acting.act([old], {}, before.now)
    before.ledger.close()
    after = Scene(tmp_path)
    after.verifying.begin(after.now)
    assert after.answer("confirmed", "mail.example.com") == ["203.0.113.20"]
    assert after.stands("ignore") == [("203.0.113.20", "in:")]
    after.ledger.close()


def test_without_lookups_only_what_may_be_exempt_is_asked_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Exempting(crawlers=CARDS))
    scene.block("203.0.113.20")
    assert scene.asked() == []
    blocked = scene.block("203.0.113.7", service="nginx")
    assert scene.answer("confirmed", CRAWLER) == ["203.0.113.7"]
    assert source_names.of(scene.ledger.store, blocked.id) == ""
    scene.ledger.close()


def claim(address: str | None, about: str | None = "google") -> Event:
    return Event("crawler.claimed", 1.0, 1.0, "nginx", "file:x", 0, b"line", address, hits=0, about=about)


def test_crawlers_are_verified_before_there_is_a_block(scene: Scene) -> None:
    scene.verifying.claimed(claim("203.0.113.7"), scene.now)
    scene.answer("confirmed", CRAWLER)
    assert "confirmed by DNS" in (scene.verified.reason("203.0.113.7") or "")
    scene.verifying.claimed(claim("192.0.2.7"), scene.now)
    assert "published as Google's (2026-01)" in (scene.verified.reason("192.0.2.7") or "")
    for nobody in (claim(None), claim("203.0.113.9", None), claim("203.0.113.9", "unknown"), claim("nonsense")):
        scene.verifying.claimed(nobody, scene.now)
    scene.verifying.claimed(claim("203.0.113.7"), scene.now)
    assert scene.asked() == []
    assert scene.fed == []


def test_a_liar_is_an_impostor_each_time_it_lies_and_no_answer_is_no_lie(scene: Scene) -> None:
    for _ in range(3):
        scene.verifying.claimed(claim("203.0.113.9"), scene.now)
    scene.answer("confirmed", "host.example.org")
    assert [(one.kind, one.hits, one.source_ip, one.about) for one in scene.fed] == [
        ("http.impostor", 1, "203.0.113.9", "google")
    ] * 3
    scene.verifying.claimed(claim("203.0.113.10"), scene.now)
    scene.answer("failed")
    assert len(scene.fed) == 3


@pytest.mark.parametrize(
    ("card", "answer", "impostor"),
    [
        ("google", Answer(1, "nameless"), True),
        ("google", Answer(1, "denied", CRAWLER), True),
        ("google", Answer(1, "confirmed", "google-proxy-192-0-2-1.google.com"), False),
        ("google", Answer(1, "confirmed", "x.search.msn.com"), True),
        ("google", Answer(1, "failed"), False),
        ("baidu", Answer(1, "denied", "baiduspider-192-0-2-1.crawl.baidu.com"), False),
        ("baidu", Answer(1, "denied", "host.example.org"), True),
    ],
)
def test_who_is_an_impostor(card: str, answer: Answer, impostor: bool) -> None:
    found: CrawlerCard = CARDS[card]
    assert is_impostor(found, answer) is impostor


def test_nobody_is_a_subject_of_his_own() -> None:
    assert addresses_of(replace(decision("203.0.113.9"), subject=Subject("user", "bob"))) == []
