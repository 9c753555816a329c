"""Which networks ask for others: what `web.proxies` names, as networks or by the name of a CDN."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from durward.catalog.document import Problem, ProblemsError
from durward.catalog.proxy_card import ProxyCard, load_proxies
from durward.catalog.shelf import directories_of
from durward.config.reading import MAIN_FILE
from durward.config.settings import Settings
from durward.model import InvalidAddressError, Network, parse_network

KEY = "web.proxies"
WIDEST = {4: 8, 6: 16}  # a wider network would let far too many say for whom they ask


def proxies_of(settings: Settings, etc: Path) -> tuple[tuple[Network, str], ...]:
    """Each network with whose it is, in plain words. Raises ProblemsError where a name or network is none."""
    cards = load_proxies(directories_of("proxies", etc))
    found: list[tuple[Network, str]] = []
    problems: list[Problem] = []
    for text in settings.web.proxies:
        if card := cards.get(text.lower()):
            found += [(network, f"a proxy of {card.title}'s ({KEY})") for network in card.networks]
            continue
        try:
            network = parse_network(text)
        except InvalidAddressError:
            problems.append(_problem(settings, f"{text!r} is neither a network nor a known CDN", _nearest(text, cards)))
            continue
        if network.prefixlen < WIDEST[network.version]:
            problems.append(_problem(settings, f"{text} is too wide; /{WIDEST[network.version]} is the widest"))
        found.append((network, f"a proxy of this host's ({KEY})"))
    if problems:
        raise ProblemsError(problems)
    return tuple(found)


def _problem(settings: Settings, text: str, nearest: str = "") -> Problem:
    origin = settings.origin(KEY)
    return Problem(origin.file if origin else MAIN_FILE, origin.line if origin else 1, KEY, text, nearest)


def _nearest(text: str, cards: Mapping[str, ProxyCard]) -> str:
    return next(iter(get_close_matches(text.lower(), cards, n=1)), "")
