"""Real web servers write the lines: each wrong password is one hit, of the right client, whichever logs are read."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from tests.services.web_daemons import PORT, Apache, Lighttpd, Nginx, Server, Writer, serving

from durward.catalog.service_card import load_services
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar
from durward.scan.twins import Twins

CARDS = load_services([Path(str(files("durward") / "services"))])
WEB = frozenset(card.id for card in CARDS if card.also)
SCANNER = Scanner(CARDS)
STRANGER, SCANNER_OF_PAGES, CUSTOMER = "127.0.0.9", "127.0.0.7", "127.0.0.4"
LOGINS = (
    "bob:wrong",
    "bob:wrong again",
    'car ol "x:wrong',
    "ünal:wrong",
    "x port 22: client: 127.0.0.4:wrong",
)
NAMES = ["bob", "bob", 'car ol "x', "ünal", "x port 22"]
MISSING = ["/.env", "/cgi-bin/%2e%2e/x", "/nothing"]
SERVERS = [(Apache(), "apache"), (Nginx(), "nginx"), (Lighttpd(), "lighttpd")]

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def scanned(block: bytes, source: str, service: str) -> list[Event]:
    """The events of some lines, as they are read."""
    services = frozenset({service, "modsecurity"})
    return SCANNER.events(block, source=source, position=0, observed_at=0.0, calendar=Calendar(2e9), services=services)


def events(server: Server, service: str, logs: Sequence[str]) -> list[Event]:
    """What the engine would make of the logs: each log's events, without twins, settled."""
    twins, sessions, found = Twins(WEB), Sessions(), []
    for log in logs:
        read = scanned((server.logs / log).read_bytes(), f"file:{log}", service)
        found += sessions.settle(twins.only_first(read, journal=False))
    return found


def counted(found: list[Event], kind: str = "") -> Counter[str | None]:
    """The hits of each source, of events of a kind."""
    return Counter(event.source_ip for event in found if event.kind.startswith(kind) for _ in range(event.hits))


@pytest.fixture(scope="module", params=SERVERS, ids=lambda one: one[1])
def tried(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A server at which a stranger tried passwords and other things, and a customer made a mistake or two."""
    write, service = request.param
    if shutil.which(write.program) is None or (isinstance(write, Nginx) and not write.module.exists()):
        pytest.skip(f"{write.program} is not installed")
    with serving(write) as server:
        assert server.ask(CUSTOMER, "/basic/") == 401
        assert server.ask(CUSTOMER, "/basic/", login="bob:right") == 200
        assert [server.ask(STRANGER, "/basic/", login=login) for login in LOGINS] == [401] * len(LOGINS)
        assert server.ask(CUSTOMER, "/favicon.ico") == 404
        assert [server.ask(SCANNER_OF_PAGES, path) for path in MISSING] == [404] * len(MISSING)
        assert server.ask(SCANNER_OF_PAGES, "/closed") == 403
        server.send(SCANNER_OF_PAGES, b"\x16\x03\x01\x02\x00\x01\n")
        server.stop()
        yield server, service


@pytest.mark.parametrize("logs", [["error.log", "access.log"], ["access.log", "error.log"], ["error.log"]])
def test_each_wrong_password_is_one_hit_whichever_logs_are_read(tried: tuple[Server, str], logs: list[str]) -> None:
    found = events(*tried, logs)
    assert counted(found, "auth.failure") == {STRANGER: len(LOGINS)}
    assert {event.service for event in found} == {tried[1]}


def test_the_accounts_are_those_that_were_tried(tried: tuple[Server, str]) -> None:
    found = events(*tried, ["error.log"])
    names = [event.user_name or "" for event in found if event.kind == "auth.failure"]
    written = [name.replace("ü", "\\xc3\\xbc") for name in NAMES] if tried[1] != "nginx" else NAMES
    assert sorted(names) == sorted(written)


def test_the_access_log_names_them_too(tried: tuple[Server, str]) -> None:
    """Its lines may stand in another order: processes of one server write them."""
    found = events(*tried, ["access.log"])
    refused = [event for event in found if event.kind in ("auth.failure", "http.unauthorized")]
    assert Counter(event.source_ip for event in refused) == {CUSTOMER: 1, STRANGER: len(LOGINS)}
    assert [event.hits for event in refused if event.source_ip == CUSTOMER] == [0]
    if tried[1] != "lighttpd":  # it names nobody who was not let in
        assert sorted(event.user_name or "" for event in refused if event.hits) == sorted(NAMES)


@pytest.mark.parametrize("logs", [["error.log", "access.log"], ["access.log"]])
def test_what_a_scanner_asks_for_counts_and_what_a_customer_lacks_does_not(
    tried: tuple[Server, str], logs: list[str]
) -> None:
    found = events(*tried, logs)
    assert counted(found, "http.attack") == {SCANNER_OF_PAGES: 2}
    assert counted(found, "http.forbidden") == {SCANNER_OF_PAGES: 1}
    if "error.log" in logs or tried[1] != "lighttpd":  # of what is no request it says nothing in the access log
        assert counted(found, "protocol.error")[SCANNER_OF_PAGES] >= 1
    assert counted(found)[CUSTOMER] == 0


@pytest.mark.parametrize("write", [Apache(), Nginx()], ids=lambda write: write.program)
def test_modsecurity_weighs_what_it_refuses(write: Writer) -> None:
    if shutil.which(write.program) is None or (isinstance(write, Nginx) and not write.module.exists()):
        pytest.skip(f"{write.program} is not installed")
    with serving(write) as server:
        assert server.ask(STRANGER, "/?f=/etc/shadow") == 403
        assert (
            server.ask(STRANGER, "/?f=/etc/shadow&x=%5Bclient%20127.0.0.4%5D%20ModSecurity:%20Access%20denied") == 403
        )
        assert server.ask(CUSTOMER, "/", headers={"X-Odd": "1"}) == 403
        assert server.ask(CUSTOMER, "/?odd=1") in (200, 404)
        server.stop()
        audit = "audit.json" if isinstance(write, Nginx) else "audit.log"
        for log in ("error.log", audit):
            found = events(server, "modsecurity", [log])
            assert counted(found, "waf.denied") == {STRANGER: 2}, log
            assert counted(found, "waf.warned") == {CUSTOMER: 1}, log


@pytest.mark.skipif(shutil.which("nginx") is None or not Nginx.module.exists(), reason="nginx is not installed")
def test_requests_beyond_a_limit() -> None:
    with serving(Nginx()) as server:
        answers = [server.ask(STRANGER, "/slow") for _ in range(3)]
        server.stop()
        assert answers.count(503) == counted(events(server, "nginx", ["error.log"]), "http.limited")[STRANGER] == 2


@pytest.mark.skipif(shutil.which("apache2") is None or shutil.which("curl") is None, reason="not installed")
def test_digests() -> None:
    with serving(Apache()) as server:
        for login in ("bob:right", "bob:wrong", "mallory:wrong"):
            url = f"http://127.0.0.1:{PORT}/digest/"
            server.network.run("curl", "-s", "-o", "/dev/null", "--digest", "-u", login, "--interface", STRANGER, url)
        server.stop()
        for logs in (["error.log", "access.log"], ["error.log"], ["access.log"]):
            failures = [event for event in events(server, "apache", logs) if event.kind == "auth.failure"]
            assert sorted((one.source_ip or "", one.user_name or "", one.hits) for one in failures) == [
                (STRANGER, "bob", 1),
                (STRANGER, "mallory", 1),
            ]
