"""All that the engine has to do with the name service: questions, what is done with the answers, and crawlers."""

import select
from collections.abc import Callable, Iterable
from pathlib import Path

from durward.config.home import Home
from durward.config.loading import Loaded
from durward.config.places import Places
from durward.daemons.acting import Acting
from durward.daemons.dynamic_names import DynamicNames
from durward.daemons.exemptions import Beyond
from durward.daemons.ledger import Ledger
from durward.daemons.names import Names
from durward.daemons.sparing import Verified, web_services
from durward.daemons.verifying import Act, Verifying
from durward.model import Event, Finding


def beyond_of(loaded: Loaded, home: Home) -> Beyond:
    """Who is exempt by place or as a crawler, before any question was asked."""
    places = Places(home.lists, loaded.exempting.places)
    places.read()
    return Beyond(places, Verified(), web_services(loaded.services) if loaded.exempting.crawlers else frozenset())


class NameService:
    """Does nothing where the settings ask for nothing by name. `exempted` is called when somebody became exempt."""

    def __init__(  # noqa: PLR0917 — what it composes
        self,
        loaded: Loaded,
        beyond: Beyond,
        ledger: Ledger,
        acting: Acting,
        feed: Act,
        exempted: Callable[[], object],
    ) -> None:
        rules = loaded.exempting
        self._asks, self._begun = rules.asks, False
        self._beyond, self._exempted = beyond, exempted
        self._names = Names()
        self._dynamic = DynamicNames(rules, self._names, ledger, acting, exempted)
        self._verifying = Verifying(
            rules,
            self._names,
            ledger,
            acting,
            beyond.verified,
            web=beyond.web,
            detectors=loaded.detectors,
            feed=feed,
            exempted=exempted,
        )
        acting.listeners.append(self._verifying.decided)

    def open(self, path: Path, epoll: select.epoll) -> None:
        """Listen for the herald, if there will be questions."""
        path.unlink(missing_ok=True)
        if self._asks:
            self._names.open(path, epoll)

    def close(self) -> None:
        """Listen no more."""
        self._names.close()

    def handle(self, descriptor: int, happened: int) -> bool:
        """Do what an event of `descriptor` asks for; gives whether it was ours."""
        return self._names.handle(descriptor, happened)

    def claimed(self, claims: Iterable[Event], now: float) -> None:
        """Hear of lines whose source calls itself a crawler."""
        for event in claims:
            self._verifying.claimed(event, now)

    @property
    def is_ready(self) -> bool:
        """Whether `deliver` has something to do."""
        return self._names.is_ready

    def deliver(self, now: float) -> None:
        """Tell the herald of new questions, and do what came of the answers."""
        if self._names.is_ready:
            self._names.deliver()
            self._verifying.flush(now)

    def tick(self, now: float) -> None:
        """Ask for what is due, give up what nobody answered, and look at the files of places."""
        if self._asks:
            if not self._begun:
                self._begun = True
                self._verifying.begin(now)
            self._names.tick(now)
            self._verifying.tick(now)
        self._dynamic.tick(now)
        if self._beyond.places is not None and self._beyond.places.read():
            self._exempted()

    def problems(self) -> list[str]:
        """What is wrong with the files of places."""
        return [str(problem) for problem in self._beyond.places.problems] if self._beyond.places is not None else []

    def findings(self, now: float) -> list[Finding]:
        """Whether names are looked up, and what is wrong with those of the settings."""
        if not self._asks:
            return []
        finding = self._names.finding(now)
        return [finding, *self._dynamic.findings()]
