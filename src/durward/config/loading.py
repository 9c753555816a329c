"""Everything that is configured, read in one go: the cards of the package and of the site, and the settings."""

from dataclasses import dataclass, field

from durward.catalog.detector_card import DetectorCard
from durward.catalog.document import Problem, ProblemsError
from durward.catalog.service_card import ServiceCard, load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.exempting import Exempting, exempting_of
from durward.config.home import Home
from durward.config.list_checks import checked, left_out, not_deniable, not_whole, too_wide
from durward.config.lists import SYNCED_MAX, ListFile, read_list
from durward.config.proxies import proxies_of
from durward.config.settings import Settings, load_settings
from durward.model import Network


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings with the cards they are about. `services` are those that are switched on.

    `proxies` are the networks that ask for others, each with whose it is.
    """

    settings: Settings
    services: list[ServiceCard]
    detectors: list[DetectorCard]
    proxies: tuple[tuple[Network, str], ...] = ()
    exempting: Exempting = field(default_factory=Exempting)

    @property
    def topology(self) -> list[Network]:
        """The proxies' networks alone."""
        return [network for network, _ in self.proxies]


def load(home: Home) -> Loaded:
    """Read the cards and settings of `home`. Raises ProblemsError with all that is wrong."""
    services, detectors = load_cards(home)
    settings = load_settings(home.etc, services, detectors)
    on = [card for card in services if settings.services[card.id].enabled]
    return Loaded(settings, on, detectors, proxies_of(settings, home.etc), exempting_of(settings, home.etc))


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
        """What is wrong with any of them, and what is not in force."""
        found = [*self.allow.problems, *self.deny.problems, *self.ignore.problems]
        return [*found, *left_out(self.allow), *left_out(self.deny)]


def load_lists(home: Home) -> Lists:
    """Read `allow.list`, `deny.list` and `ignore.list` of `home`; of a long deny.list only what becomes decisions."""
    allow, ignore = (read_list(home.etc / f"{name}.list") for name in ("allow", "ignore"))
    deny = read_list(home.etc / "deny.list", SYNCED_MAX)
    return Lists(checked(allow, too_wide), checked(deny, not_deniable), checked(ignore, not_whole))
