"""Countries and autonomous systems as settings name them: `NL`, `AS64500`; and the files that hold their networks."""

import re

COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
SYSTEM = re.compile(r"AS(\d{1,10})", re.ASCII)
SYSTEM_MAX = (1 << 32) - 1  # RFC 6793
PLACES_MAX = 1000  # in one setting; there are some 250 countries
EXPECTED = 'a list of countries and networks by number like ["NL", "AS64500"] was expected'
COUNTRY_FILE = re.compile(r"country-([a-z]{2})\.txt", re.ASCII)
SYSTEM_FILE = re.compile(r"as(\d{1,10})\.txt", re.ASCII)
FEED_FILE = re.compile(r"feed-([a-z0-9][a-z0-9_-]{0,63})\.txt", re.ASCII)


def parse_places(value: object) -> tuple[str, ...]:
    """Read a setting: two letters are a country, `AS` and a number an autonomous system. Raises ValueError."""
    if not isinstance(value, list) or len(value) > PLACES_MAX or not all(isinstance(item, str) for item in value):
        raise ValueError(EXPECTED)
    places = []
    for item in value:
        place = item.strip().upper()
        system = SYSTEM.fullmatch(place)
        if system is None and not COUNTRY.fullmatch(place):
            raise ValueError(f"{item[:40]!r} is neither a country of two letters nor a number like AS64500")
        if system is not None:
            if not 0 < int(system[1]) <= SYSTEM_MAX:
                raise ValueError(f"{place} is no number of an autonomous system; AS1 to AS{SYSTEM_MAX} were expected")
            place = f"AS{int(system[1])}"
        places.append(place)
    return tuple(dict.fromkeys(places))


def file_of(place: str) -> str:
    """The file, below the directory of lists, that holds the networks of a place."""
    return f"{place.lower()}.txt" if SYSTEM.fullmatch(place) else f"country-{place.lower()}.txt"


def place_of(file_name: str) -> str | None:
    """The place whose networks such a file holds; None for a file of another kind."""
    if found := COUNTRY_FILE.fullmatch(file_name):
        return found[1].upper()
    found = SYSTEM_FILE.fullmatch(file_name)
    return f"AS{int(found[1])}" if found else None


def feed_of(file_name: str) -> str | None:
    """The name of the feed whose networks such a file holds; None for a file of another kind."""
    found = FEED_FILE.fullmatch(file_name)
    return found[1] if found else None
