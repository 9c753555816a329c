"""What reading access logs costs: CPU microseconds for a line in which nothing happens, and for one that counts.

    python bench/access_logs.py [--lines 100000] [--rounds 5]

The calm log is that of a shop: pages, pictures, scripts, an administrator at work, and of each hundred requests two to
pages that are gone. The other logs are of one kind of request each, and one is of all of them. CPU is user and system
time of scanning and settling; the best of the rounds, because others use this machine.
"""

import argparse
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from durward.catalog.service_card import load_services
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

SHELF = Path(__file__).parent.parent / "src/durward/services"
SOURCE = "file:/var/log/nginx/access.log"
BLOCK_BYTES = 256 * 1024
BEGIN = 1_795_420_000.0
SEED = 7
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
)
REFERERS = ("-", "https://www.example.com/", "https://www.example.com/shop/shoes?size=42")
PAGES = (
    *("/", "/shop/shoes?size=42&color=red", "/wp-content/uploads/2026/11/photo-1024x768.jpg", "/cart/", "/feed/"),
    *("/wp-includes/js/jquery/jquery.min.js?ver=3.7.1", "/wp-admin/admin-ajax.php", "/product/blue-shoes-of-leather/"),
    *("/wp-json/wp/v2/posts?per_page=10", "/assets/css/main.css?v=17", "/api/orders/4711"),
)
ATTACKS: Mapping[str, tuple[str, int]] = {
    "wrong password (WordPress)": ("POST /wp-login.php HTTP/1.1", 200),
    "not found": ("GET /nothing-here HTTP/1.1", 404),
    "forbidden": ("GET /private/ HTTP/1.1", 403),
    "secrets": ("GET /.env HTTP/1.1", 404),
    "hole of a program": ("POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1", 404),
    "out of the directory": ("GET /cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh HTTP/1.1", 400),
    "words of SQL": ("GET /a?id=1+UNION+ALL+SELECT+1,2 HTTP/1.1", 200),
}


def line_of(number: int, chance: random.Random, client: str, request: str, status: int) -> str:
    """One line of the combined format, fifty of a second."""
    second = number // 50
    stamp = f"23/Nov/2026:{8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d} +0000"
    size, referer, agent = chance.randrange(100, 90_000), chance.choice(REFERERS), chance.choice(AGENTS)
    return f'{client}.{chance.randrange(1, 250)} - - [{stamp}] "{request}" {status} {size} "{referer}" "{agent}"\n'


def calm(count: int, gone: float) -> Iterator[str]:
    """Lines of a shop, of which the share `gone` is for pages that are not there any more."""
    chance = random.Random(SEED)
    for number in range(count):
        if chance.random() < gone:
            yield line_of(number, chance, "198.51.100", f"GET /old/page-{chance.randrange(999)} HTTP/2.0", 404)
        else:
            method = "POST" if chance.random() < 0.1 else "GET"
            status = chance.choice((200, 200, 200, 200, 304, 301))
            yield line_of(number, chance, "198.51.100", f"{method} {chance.choice(PAGES)} HTTP/2.0", status)


def attack(count: int, *requests: tuple[str, int]) -> Iterator[str]:
    """Lines of requests that count."""
    chance = random.Random(SEED)
    for number in range(count):
        yield line_of(number, chance, "203.0.113", *chance.choice(requests))


def read(scanner: Scanner, log: bytes) -> tuple[float, int]:
    """CPU seconds, and how many events there were."""
    calendar, sessions, events, position = Calendar(BEGIN + 1e5), Sessions(), 0, 0
    begin = time.process_time()
    while position < len(log):
        end = log.rfind(b"\n", position, position + BLOCK_BYTES) + 1
        found = scanner.events(
            log[position:end],
            source=SOURCE,
            position=position,
            observed_at=BEGIN,
            calendar=calendar,
            services=frozenset({"nginx"}),
        )
        events += len(sessions.settle(found))
        position = end
    return time.process_time() - begin, events


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    few = given.lines // 5
    logs = {
        "calm": "".join(calm(given.lines, 0.0)),
        "calm, 2 % not found": "".join(calm(given.lines, 0.02)),
        **{name: "".join(attack(few, request)) for name, request in ATTACKS.items()},
        "all of these": "".join(attack(few, *ATTACKS.values())),
    }
    scanner = Scanner(load_services([SHELF]))
    for name, log in logs.items():
        seconds, events = min(read(scanner, log.encode()) for _ in range(given.rounds))
        lines = log.count("\n")
        print(f"{name:28} {seconds / lines * 1e6:6.2f} µs a line, {events} events of {lines} lines")


if __name__ == "__main__":
    main()
