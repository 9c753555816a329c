"""Block first, verify after: whoever was blocked is asked for by name, and let in again if that name is exempt.

A name counts only if it leads back to the address: anybody can call an address of his own crawl.googlebot.com. Whoever
says that he is a crawler is verified before there is a reason to block him; a lie about it is an event of its own.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from durward.catalog.crawler_card import CrawlerCard
from durward.catalog.detector_card import DetectorCard
from durward.config.exempting import Exempting
from durward.control.naming import Answer
from durward.daemons.acting import Acting
from durward.daemons.ledger import Ledger
from durward.daemons.names import Names
from durward.daemons.sparing import SPARE_SECONDS, WEB, Verified
from durward.model import EVERYTHING, Decision, Event, InvalidAddressError, Subject, parse_address
from durward.store import decisions, explanations, standing

CLAIMED, IMPOSTOR = "crawler.claimed", "http.impostor"
UNSEEN = (
    "source.",
    "port.",
    "packet.",
    "connections.",
    "outbound.",
)  # what no server answered: nobody need have sent it
ADDRESSES_MAX = 3  # of an IPv6 network are asked for, those of its last lines
AGAIN_SECONDS, AGAIN_TIMES, AGAIN_MAX = 301.0, 12, 500  # after the name service did not answer; beyond it nobody asks
RECENT_SECONDS, RECENT_MAX = 600.0, 200  # blocks that a new engine asks about
WORD = re.compile(r"[0-9A-Fa-f:.]{4,45}", re.ASCII)

Act = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A block, as far as an answer needs it. `exemptable`: by a name; `web`: it is about requests of the web."""

    decision: int
    subject: Subject
    exemptable: bool
    web: bool
    tries: int = 0


class Verifying:
    """Asks about blocks and crawlers, and does what the answers say. `exempted` is called when somebody is exempt."""

    def __init__(
        self,
        rules: Exempting,
        names: Names,
        ledger: Ledger,
        acting: Acting,
        verified: Verified,
        *,
        web: frozenset[str] = frozenset(),
        detectors: Iterable[DetectorCard] = (),
        feed: Act,
        exempted: Callable[[], object],
    ) -> None:
        self._rules, self._names, self._ledger, self._acting = rules, names, ledger, acting
        self._verified, self._web = verified, web
        self._answered = frozenset(
            card.id for card in detectors if any(not kind.startswith(UNSEEN) for kind in card.hears)
        )
        self._feed, self._exempted = feed, exempted
        self._made: list[Decision] = []
        self._named: dict[int, str] = {}
        self._again: deque[tuple[float, Case, str]] = deque()

    def decided(self, decided: Sequence[Decision], refused: Mapping[int, str]) -> None:
        """Ask about the blocks among some decisions."""
        now = time.time()  # not when they were made: that may be long ago, by lines that nobody had read
        for one in decided:
            automatic = one.verdict in ("block", "throttle") and one.origin.startswith("detector:")
            if automatic and not (one.simulated or one.held or one.id in refused):
                incident = one.incident
                service = incident.service if incident else ""
                exemptable = incident is not None and incident.detector in self._answered
                case = Case(one.id, one.subject, exemptable, exemptable and service in self._web)
                for address in addresses_of(one):
                    self._ask(case, address, now)

    def begin(self, now: float) -> None:
        """Ask about the last blocks of the engine before this one, which may have gone before it had an answer."""
        store = self._ledger.store
        recent = [one for one in decisions.latest(store, RECENT_MAX) if now - one.decision.made_at < RECENT_SECONDS]
        entries = [explanations.explain(store, one.decision.id) for one in recent if one.refused is None]
        self.decided([one.decision for one in entries if one is not None], {})

    def claimed(self, event: Event, now: float) -> None:
        """Hear that a line calls its source a crawler: true or not, that is known before long."""
        card = self._rules.crawlers.get(event.about or "")
        if card is None or event.source_ip is None:
            return
        try:
            address = parse_address(event.source_ip)
        except InvalidAddressError:
            return
        if self._verified.reason(event.source_ip) is not None:
            return
        if card.publishes(address):
            reason = f"{address} is published as {card.title}'s ({card.as_of}), and says so: search_engines"
            self._verified.note(str(address), reason, now + SPARE_SECONDS)
            return
        self._names.ask("address", str(address), partial(self._judge, card, event), now, patient=True)

    def flush(self, now: float) -> None:
        """Carry out and write down what the answers came to."""
        if self._named:
            named, self._named = self._named, {}
            self._ledger.keep_names(named)
        if self._made:
            made, self._made = self._made, []
            self._acting.act(made, {}, now)
            self._exempted()

    def tick(self, now: float) -> None:
        """Ask again about blocks that stand although nobody answered."""
        self._verified.expire(now)
        while self._again and self._again[0][0] <= now:
            _, case, address = self._again.popleft()
            if standing.of_decision(self._ledger.store, case.decision):
                self._ask(case, address, now)

    def _ask(self, case: Case, address: str, now: float) -> None:
        rules = self._rules
        if rules.lookups or (case.exemptable and rules.reverse_names) or (case.web and rules.crawlers):
            self._names.ask("address", address, partial(self._settle, case, address), now)

    def _settle(self, case: Case, address: str, answer: Answer) -> None:
        now = time.time()
        if answer.outcome == "failed" and case.exemptable and case.tries < AGAIN_TIMES and len(self._again) < AGAIN_MAX:
            again = Case(case.decision, case.subject, case.exemptable, case.web, case.tries + 1)
            self._again.append((now + AGAIN_SECONDS, again, address))
        if answer.outcome != "confirmed":
            return
        if self._rules.lookups:
            self._named[case.decision] = answer.name
        if case.exemptable and self._rules.reverse_name(answer.name):
            self._take_back(case, Subject.parse(address), answer.name, "reverse_names", now)
        elif case.web and self._rules.crawler(answer.name):
            self._take_back(case, Subject.parse(address), answer.name, "search_engines", now)

    def _take_back(self, case: Case, subject: Subject, name: str, rule: str, now: float) -> None:
        """Let in whoever was blocked, and exempt the address for a day: from everything, or for the web."""
        reason, origin = _reason(name, rule), f"exemption:{rule}"
        scope = WEB if rule == "search_engines" else EVERYTHING
        if not any(one.listing == "ignore" and one.scope == scope for one in standing.of(self._ledger.store, subject)):
            self._made.append(Decision("ignore", subject, now, now + SPARE_SECONDS, reason, origin, scope))
        self._made += [
            Decision("unblock", one.subject, now, None, reason, origin, one.scope)
            for one in standing.of_decision(self._ledger.store, case.decision)
        ]

    def _judge(self, card: CrawlerCard, event: Event, answer: Answer) -> None:
        """Whether it is what it says. It is an impostor only if the name service has said so."""
        if answer.outcome == "confirmed" and card.has(answer.name):
            reason = _reason(answer.name, "search_engines")
            self._verified.note(str(parse_address(event.source_ip or "")), reason, time.time() + SPARE_SECONDS)
        elif is_impostor(card, answer):
            self._feed(event._replace(kind=IMPOSTOR, hits=1))


def is_impostor(card: CrawlerCard, answer: Answer) -> bool:
    """Whether whoever has this answer cannot be a crawler of this search engine."""
    if answer.outcome == "confirmed":
        return not card.knows(answer.name)
    if answer.outcome == "denied":
        return card.confirms or not card.knows(answer.name)
    return answer.outcome == "nameless"


def addresses_of(block: Decision) -> list[str]:
    """The addresses that a block is about: its own, or those of an IPv6 network that its last lines name.

    A line may name any address, but only one within the network that was blocked for it counts.
    """
    subject = block.subject
    if subject.kind == "address":
        return [subject.value]
    if subject.kind != "network" or subject.network.version == 4 or block.incident is None:
        return []
    found: dict[str, None] = {}
    for line in reversed(block.incident.evidence):
        for word in WORD.findall(line.text):
            try:
                address = parse_address(word.rstrip(".:") if word.count(":") > 7 else word)
            except InvalidAddressError:
                continue
            if address.version == 6 and address in subject.network:
                found[str(address)] = None
        if len(found) >= ADDRESSES_MAX:
            break
    return list(found)[:ADDRESSES_MAX]


def _reason(name: str, rule: str) -> str:
    return f"{name}, confirmed by DNS, is exempt: {rule}"
