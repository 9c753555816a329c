"""The day of the web servers: visitors and crawlers, a shop with a broken theme, scanners, floods and false alarms."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.days.trace import (
    APACHE,
    APACHE_ERRORS,
    HOUR,
    MINUTE,
    NGINX,
    NGINX_ERRORS,
    Line,
    Party,
    Street,
    at_some_time,
    party,
    working_hours,
)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CRAWLER = "Mozilla/5.0 (compatible; Examplebot/2.1; +https://www.example.net/bot)"
SECRETS = (
    "/.env",
    "/.git/config",
    "/wp-config.php.bak",
    "/.aws/credentials",
    "/backup.sql",
    "/phpinfo.php",
    "/.ssh/id_rsa",
    "/server-status",
    "/config.json.bak",
    "/.svn/entries",
    "/db.sql.gz",
    "/.htpasswd",
)
# A rule of the Core Rule Set, and where a request of sqlmap sets it off.
RULES = (("942100", "/item"), ("941110", "/search"), ("930120", "/view"), ("932160", "/run"), ("933150", "/page"))


def parties(chance: random.Random, street: Street) -> Iterator[Party]:
    """Everybody who asks the web servers for something."""
    visitors, crawlers = street.people(80), street.people(3)
    yield party("visitors of a shop with a broken theme", visitors, _visitors(visitors, chance))
    yield party("crawlers, of pages that have moved", crawlers, _crawlers(crawlers, chance))
    editors, phones, owners = street.people(6), street.people(3), street.people(2)
    yield party("editors of WordPress", editors, _editors(editors, chance))
    yield party("programs that call XML-RPC", phones, _calls(phones, 60, 5, chance))
    yield party("owners who look whether a door is shut", owners, _owners(owners, chance))
    customers = street.people(12)
    yield party("customers whose cookie a rule dislikes", customers, _cookie(customers, chance))
    members = street.people(5)
    yield party("members with a password for a page", members, _members(members, chance))
    scanners, listers = street.strangers(12), street.strangers(5)
    yield party("scanners for secrets", scanners, _scanners(scanners, chance), "web_attack", tries=5)
    yield party("lists of names tried", listers, _listers(listers, chance), "http_not_found", tries=300)
    floods, callers = street.strangers(12), street.strangers(4)
    yield party("WordPress guessed", floods, _floods(floods, chance), "brute_force", tries=5)
    yield party("XML-RPC flooded", callers, _calls(callers, 600, 1, chance), "web_login_flood", tries=150)
    tools, guessers = street.strangers(6), street.strangers(8)
    yield party("attacks that ModSecurity refused", tools, _tools(tools, chance), "web_application_firewall", tries=5)
    yield party("page passwords guessed", guessers, _basic(guessers, chance), "brute_force", tries=5)


def _ask(
    at: float, address: str, request: str, status: int, *, log: str = NGINX, agent: str = BROWSER, by: str = ""
) -> Line:
    stamp = f"{datetime.fromtimestamp(at, UTC):%d/%b/%Y:%H:%M:%S} +0000"
    return Line(at, log, f'{address} - - [{stamp}] "{request} HTTP/1.1" {status} 812 "-" "{agent}"', by)


def _visitors(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    """Each page lacks four files; one of them has no ending that would tell what it is."""
    for number, address in enumerate(addresses):
        log = (NGINX, APACHE)[number % 2]
        for _ in range(chance.randint(2, 6)):
            start = at_some_time(chance)
            for page in range(chance.randint(3, 25)):
                at = start + 20 * page
                yield _ask(at, address, f"GET /shop/item-{chance.randint(1, 500)}", 200, log=log)
                for missing in ("/theme/old.css", "/theme/icons.woff2", f"/img/{page}.jpg", "/theme/banner"):
                    yield _ask(at + 1, address, f"GET {missing}", 404, log=log)
                yield _ask(at + 2, address, "GET /favicon.ico", 404, log=log)
            yield _ask(start + 900, address, "GET /cart", (200, 403)[number % 9 == 0], log=log)


def _crawlers(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        yield _ask(at_some_time(chance), address, "GET /robots.txt", 200, agent=CRAWLER)
        for turn, at in enumerate(working_hours(chance, 15, begin=0, end=24)):
            moved = turn % 4 == 0
            page = f"/old/article-{turn}" if moved else f"/article-{turn}"
            yield _ask(at, address, f"GET {page}", 404 if moved else 200, agent=CRAWLER)


def _editors(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start = at_some_time(chance, until=16 * HOUR)
        yield _ask(start, address, "GET /wp-login.php", 200)
        for turn in range(number % 4):
            yield _ask(start + 15 + 10 * turn, address, "POST /wp-login.php", 200)
        yield _ask(start + 60, address, "POST /wp-login.php", 302)
        for turn in range(200):
            yield _ask(start + 70 + 15 * turn, address, "POST /wp-admin/admin-ajax.php", 200)


def _calls(addresses: tuple[str, ...], times: int, every: int, chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start = at_some_time(chance)
        for turn in range(times):
            yield _ask(start + every * turn, address, "POST /xmlrpc.php", 200, agent="Jetpack", by=address)


def _owners(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start = at_some_time(chance)
        for turn, path in enumerate(("/.env", "/.git/config", "/.env", "/phpinfo.php")):
            yield _ask(start + 30 * turn, address, f"GET {path}", 403)


def _members(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    """A browser asks without a password first, and is told 401; some mistype it."""
    for number, address in enumerate(addresses):
        for at in working_hours(chance, 30 * MINUTE):
            yield _ask(at, address, "GET /private/", 401, log=APACHE)
            if number == 0:
                yield _apache_error(at + 5, address, "auth_basic:error", _mismatch("bob"))
            yield _ask(at + 9, address, "GET /private/", 200, log=APACHE)


def _mismatch(account: str) -> str:
    return f'AH01617: user {account}: authentication failure for "/private/": Password Mismatch'


def _cookie(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start = at_some_time(chance)
        for turn in range(4 + number):
            at = start + 30 * turn
            yield _refused(at, address, "942100", f"/shop/item-{turn}")
            yield _ask(at, address, f"GET /shop/item-{turn}", 403, log=APACHE)


def _scanners(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start = at_some_time(chance)
        for turn, path in enumerate(SECRETS):
            at = start + (1, 10, 60)[number % 3] * turn
            yield _ask(
                at,
                address,
                f"GET {path}",
                404,
                log=(NGINX, APACHE)[number % 2],
                agent="python-requests/2.32",
                by=address,
            )


def _listers(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start = at_some_time(chance)
        for turn in range(700):
            yield _ask(start + turn, address, f"GET /word{turn}", 404, by=address)


def _floods(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start, every = at_some_time(chance), (1, 30, 200)[number % 3]
        for turn in range(80):
            at = start + every * turn
            yield _ask(at, address, "POST /wp-login.php", 200, log=(NGINX, APACHE)[number % 2], by=address)


def _tools(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start = at_some_time(chance)
        for turn in range(40):
            rule, path = RULES[turn % len(RULES)]
            at = start + 3 * turn
            yield _refused(at, address, rule, f"{path}{turn}", by=address)
            yield _ask(at, address, f"GET {path}{turn}", 403, log=APACHE)


def _basic(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    """It is written twice by nginx: into the log of errors and into that of accesses."""
    for address in addresses:
        start = at_some_time(chance)
        for turn in range(40):
            at = start + 4 * turn
            rest = f'client: {address}, server: www.example.com, request: "GET /private/ HTTP/1.1", host: "example.com"'
            begin = f"{datetime.fromtimestamp(at, UTC):%Y/%m/%d %H:%M:%S} [error] 4242#4242: *{turn}"
            yield Line(at, NGINX_ERRORS, f'{begin} user "admin": password mismatch, {rest}', address)
            line = _ask(at, address, "GET /private/", 401)
            yield line._replace(text=line.text.replace(" - - ", " - admin ", 1))


def _refused(at: float, address: str, rule: str, path: str, by: str = "") -> Line:
    words = f'[client {address}] ModSecurity: Access denied with code 403 (phase 2). Pattern match "x" at ARGS:x.'
    tags = f'[id "{rule}"] [msg "Words of SQL"] [severity "CRITICAL"] [hostname "www.example.com"] [uri "{path}"]'
    where = '[file "/etc/modsecurity/rules.conf"] [line "62"]'
    end = f'[unique_id "awRTfE9X8-ZtwsxLeSq{int(at) % 100_000:05}"]'
    return _apache_error(at, address, "security2:error", f"{words} {where} {tags} {end}", by)


def _apache_error(at: float, address: str, module: str, message: str, by: str = "") -> Line:
    stamp = f"{datetime.fromtimestamp(at, UTC):%a %b %d %H:%M:%S.%f %Y}"
    return Line(at, APACHE_ERRORS, f"[{stamp}] [{module}] [pid 4242:tid 139852] [client {address}:40022] {message}", by)
