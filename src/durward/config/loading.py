"""Everything that is configured, read in one go: the cards of the package and of the site, and the settings."""

from dataclasses import dataclass

from durward.catalog.detector_card import DetectorCard
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard, load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.home import Home
from durward.config.lists import ListFile, read_list
from durward.config.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings with the cards they are about. `services` are those that are switched on."""

    settings: Settings
    services: list[ServiceCard]
    detectors: list[DetectorCard]


def load(home: Home) -> Loaded:
    """Read the cards and settings of `home`. Raises ProblemsError with all that is wrong."""
    services, detectors = load_cards(home)
    settings = load_settings(home.etc, services, detectors)
    return Loaded(settings, [card for card in services if settings.services[card.id].enabled], detectors)


def load_cards(home: Home) -> tuple[list[ServiceCard], list[DetectorCard]]:
    """Read the cards of the package and of `home`. Raises ProblemsError with all that is wrong."""
    problems = []
    services: list[ServiceCard] = []
    detectors: list[DetectorCard] = []
    try:
        services = load_services(directories_of("services", home.etc))
    except ProblemsError as error:
        problems += error.problems
    try:
        detectors = load_detectors(directories_of("detectors", home.etc))
    except ProblemsError as error:
        problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return services, detectors


@dataclass(frozen=True, slots=True)
class Lists:
    """What the three list files hold. Lines with a problem give no entry; all others do."""

    allow: ListFile
    deny: ListFile
    ignore: ListFile

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with any of them."""
        return [*self.allow.problems, *self.deny.problems, *self.ignore.problems]


def load_lists(home: Home) -> Lists:
    """Read `allow.list`, `deny.list` and `ignore.list` of `home`."""
    return Lists(*(read_list(home.etc / f"{name}.list") for name in ("allow", "deny", "ignore")))
