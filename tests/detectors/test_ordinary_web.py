"""An ordinary hour of a busy shop blocks nobody, although a tenth of it was not found, closed, or odd in some way."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.policy import Policy
from durward.engine.replay import replay
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.twins import Twins

SERVICES = load_services(directories_of("services"))
CARDS = load_detectors(directories_of("detectors"))
BEGIN = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
REQUESTS, VISITORS = 10_000, 200
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
PAGES = (
    "/",
    "/shop/shoes?size=42",
    "/cart/",
    "/product/[n]",
    "/blog/2026/11/[n]",
    "/img/[n].jpg",
    "/css/main.css?v=[n]",
)
# What is asked for on every site and answered with an error, and how often out of 10,000: old links, pictures that
# are gone, what browsers and their plugins ask for, pages that need a password, a form that was sent twice, a shop
# that says "not so fast", an owner's bookmark, and what a customer searches for.
ODD = (
    ("GET", "/old-page-[n]", 404, 250),
    ("GET", "/product/[n]", 410, 60),
    ("GET", "/img/gone-[n].png", 404, 300),
    ("GET", "/thumbnail/[n]", 404, 100),
    ("GET", "/favicon.ico", 404, 100),
    ("GET", "/apple-touch-icon.png", 404, 60),
    ("GET", "/.well-known/traffic-advice", 404, 60),
    ("GET", "/feed/?page=[n]", 404, 50),
    ("GET", "/api/me", 401, 80),
    ("GET", "/downloads/", 403, 40),
    ("GET", "/img/lent-[n].jpg", 403, 40),
    ("POST", "/search", 429, 30),
    ("POST", "/xmlrpc.php", 200, 40),
    ("POST", "/wp-admin/admin-ajax.php", 200, 80),
    ("POST", "/wp-login.php", 302, 8),
    ("POST", "/wp-login.php", 200, 4),
    ("GET", "/wp-login.php", 404, 4),
    ("GET", "/search?q=select+a+gift+from+the+union", 200, 10),
    ("POST", "/api/orders", 400, 10),
)


def lines(seed: int) -> Iterator[str]:
    """An hour of a shop; everybody has a turn at everything."""
    chance = random.Random(seed)
    odd = [one for one in ODD for _ in range(one[3])]
    for number in range(REQUESTS):
        second = number * 3600 // REQUESTS
        stamp = f"23/Nov/2026:08:{10 + second // 60:02d}:{second % 60:02d}" if second < 3000 else ""
        stamp = stamp or f"23/Nov/2026:09:{second // 60 - 50:02d}:{second % 60:02d}"
        place = chance.randrange(10_000)
        method, target, status, _ = odd[place] if place < len(odd) else ("GET", chance.choice(PAGES), 200, 0)
        target = target.replace("[n]", str(chance.randrange(500)))
        visitor = min(int(chance.expovariate(0.02)), VISITORS - 1)  # some ask for far more than others
        yield (
            f'198.51.100.{visitor + 1} - - [{stamp} +0000] "{method} {target} HTTP/1.1" {status} 512 "-" "{BROWSER}"\n'
        )


def events(text: str, source: str = "file:access.log", service: str = "nginx") -> list[Event]:
    """What is read in a log of a web server."""
    return Scanner(SERVICES).events(
        text.encode(),
        source=source,
        position=0,
        observed_at=BEGIN,
        calendar=Calendar(BEGIN),
        services=frozenset({service}),
    )


def blocked(found: list[Event]) -> list[tuple[str, str]]:
    """Whom all detectors together would block, and why."""
    known = {service.id: Known(service.name, service.ports) for service in SERVICES}
    policies = {card.id: detector_policy(card, detector_settings(card, {}, SERVICES), known) for card in CARDS}
    engine = assemble(Policy(policies), CARDS)
    decided = [(one.subject.value, one.reason) for one in replay(engine, found)]
    assert engine.findings == []
    return decided


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_a_shop(seed: int) -> None:
    text = "".join(lines(seed))
    assert text.count("\n") == REQUESTS
    found = events(text)
    counted = Counter(event.kind for event in found)
    assert counted["http.not_found"] > 700
    assert counted["http.unauthorized"] > 50
    assert blocked(found) == []


def test_the_same_hour_with_one_scanner_in_it_blocks_only_him() -> None:
    shop = list(lines(7))
    asked = ("/.env", "/.git/config", "/wp-config.php.bak", "/phpinfo.php", "/vendor/phpunit/a", "/.aws/credentials")
    for number, path in enumerate(asked):
        place = 5000 + number
        stamp = shop[place].partition("[")[2].partition("]")[0]
        shop[place] = f'203.0.113.9 - - [{stamp}] "GET {path} HTTP/1.1" 404 153 "-" "{BROWSER}"\n'
    assert {subject for subject, _ in blocked(events("".join(shop)))} == {"203.0.113.9"}


def test_a_log_of_errors_beside_it_counts_nothing_twice() -> None:
    """299 misses are told in two logs, in different words; the next one is the one too many."""
    asked = [(f"/name{number}", f"23/Nov/2026:08:{10 + number // 60:02d}:{number % 60:02d}") for number in range(300)]
    access = [f'203.0.113.9 - - [{at} +0000] "GET {path} HTTP/1.1" 404 153 "-" "{BROWSER}"\n' for path, at in asked]
    errors = [
        f'2026/11/23 {at[12:]} [error] 42#42: *17 open() "/var/www{path}" failed (2: No such file or directory), '
        f'client: 203.0.113.9, server: _, request: "GET {path} HTTP/1.1", host: "www.example.com"\n'
        for path, at in asked
    ]
    for count, expected in ((299, 0), (300, 1)):
        twins = Twins(frozenset({"nginx"}))
        told = [*events("".join(errors[:count]), "file:error.log"), *events("".join(access[:count]))]
        found = twins.only_first(sorted(told, key=lambda event: event.at), journal=False)
        assert len(blocked(found)) == expected
