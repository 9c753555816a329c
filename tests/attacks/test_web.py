"""Real web servers are attacked: a scanner loses the server, a visitor with bad luck its pages, all others nothing."""

import http.client
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from arena.attacker import Attacker
from arena.network import DOOR_IPV4
from tests.attacks.scene import Scene, is_silent
from tests.services.web_daemons import PORT, Apache, Nginx, Writer, furnish

WEB_PORTS = "80,443,443/udp"
SETTINGS = """\
[firewall]
tcp_in = "22,80"

[services.{service}]
files = ["{logs}/error.log", "{logs}/access.log"]
journal = []

[services.modsecurity]
files = ["{logs}/error.log"]
journal = []
"""
RULES = "".join(
    f'SecRule ARGS "@contains {word}" "id:{number},phase:2,deny,status:403,log,severity:CRITICAL"\n'
    for number, word in ((930900, "passwd"), (932900, "wget"), (941900, "script"), (942900, "union"), (933900, "eval"))
)
ATTACKS = [
    *("/.env", "/.git/config", "/wp-config.php.bak", "/backup/dump.sql", "/phpinfo.php", "/vendor/phpunit/x"),
    *("/cgi-bin/.%2e/.%2e/bin/sh", "/boaform/admin", "/actuator/heapdump", "/?x=$%7Bjndi:ldap://a%7D"),
]

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


class Web(Scene):
    """A web server behind a running durward, on port 80 of the door."""

    def __init__(self, write: Writer, service: str) -> None:
        super().__init__(settings="")
        self._write, self.service = write, service

    def before_start(self) -> None:
        """Start the server, and have durward read its logs."""
        directory = self.door.work / "web"
        directory.mkdir()
        furnish(directory)
        (directory / "logs").chmod(0o755)
        argv = self._write(directory)
        settings = directory / "settings"
        text = settings.read_text().replace(f"127.0.0.1:{PORT}", f"{DOOR_IPV4}:80")
        text = text.replace("User www-data\nGroup www-data", "User sshd\nGroup nogroup")
        settings.write_text(text.replace("SecAuditEngine RelevantOnly\n", RULES + "SecAuditEngine Off\n"))
        for log in ("error.log", "access.log"):
            (directory / "logs" / log).touch()
        self.etc("durward.toml").write_text(SETTINGS.format(service=self.service, logs=directory / "logs"))
        server = self.door.popen(argv)
        visitor = self.stranger()
        self.wait(lambda: server.poll() is None and visitor.can_connect(80), "the web server answers", 20.0)

    def ask(self, who: Attacker, path: str, **headers: str) -> int:
        """Ask for a page; give the status."""
        connection = http.client.HTTPConnection(DOOR_IPV4, 80)
        connection.sock = who.connect(80, 2.0)
        try:
            connection.request("GET", path, headers={"Host": "shop.example.com", **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def access_lines(self) -> list[str]:
        """What the server wrote of the requests so far."""
        return (self.door.work / "web/logs/access.log").read_text().splitlines()

    def await_free(self, who: Attacker, hits: int) -> None:
        """Wait until so many hits stand against somebody, and see that he is not blocked."""
        self.await_count(who.address, hits)
        assert not self.is_blocked(who.address)


@pytest.fixture(scope="module", params=[(Apache(), "apache"), (Nginx(), "nginx")], ids=lambda one: one[1])
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    write, service = request.param
    if shutil.which(write.program) is None or (isinstance(write, Nginx) and not write.module.exists()):
        pytest.skip(f"{write.program} is not installed")
    with Web(write, service) as web:
        yield web


def test_a_scanner_has_four_requests_and_the_fifth_is_the_last(web: Web) -> None:
    scanner, visitor = web.stranger(), web.stranger()
    assert all(web.ask(scanner, path) in (400, 403, 404) for path in ATTACKS[:4])
    web.await_free(scanner, 4)
    web.ask(scanner, ATTACKS[4])
    web.await_block(scanner.address)
    assert is_silent(scanner, 80)
    assert is_silent(scanner)
    assert web.ask(visitor, "/index.html") == 200
    layer = web.layer(scanner.address)
    assert (layer["count"], layer["threshold"], layer["ports"]) == (5, 5, "")
    assert layer["reason"].startswith("5 requests to attack web applications with, 3 or more different ones, in ")
    texts = [line["text"] for line in layer["evidence"]]
    assert len(texts) == 5
    # Apache's threads swap lines now and then: the order of the evidence is the log's, not that of the requests.
    logged = [line for line in web.access_lines() if scanner.address in line]
    assert texts == logged[:5]
    assert all(sum(path in text for text in texts) == 1 for path in ATTACKS[:5])
    assert web.durward.command("unblock", layer["receipt"]).returncode == 0
    assert web.ask(scanner, "/index.html") == 200


def test_three_hundred_names_that_are_not_there_close_the_web_and_nothing_else(web: Web) -> None:
    scanner, visitor = web.stranger(), web.stranger()
    assert {web.ask(scanner, f"/name{number}") for number in range(299)} == {404}
    assert {web.ask(visitor, "/thumb.jpg") for _ in range(40)} == {404}
    web.await_free(scanner, 299)
    web.ask(scanner, "/name299")
    web.await_block(scanner.address)
    assert is_silent(scanner, 80)
    assert scanner.can_connect()
    layer = web.layer(scanner.address)
    assert (layer["ports"], layer["threshold"], layer["service"]) == (WEB_PORTS, 300, web.service)
    assert web.ask(visitor, "/index.html") == 200


def test_a_cookie_that_one_rule_does_not_like_costs_ten_minutes_of_the_shop(web: Web) -> None:
    customer, visitor = web.stranger(), web.stranger()
    for number in range(19):
        assert web.ask(customer, f"/index.html?page={number}&list=union") == 403
    web.await_free(customer, 19)
    web.ask(customer, "/index.html?page=20&list=union")
    web.await_block(customer.address)
    layer = web.layer(customer.address)
    assert layer["ports"] == WEB_PORTS
    assert "all by rule 942900 on shop.example.com: that rule may be wrong about an honest visitor" in layer["reason"]
    assert customer.can_connect()
    assert is_silent(customer, 80)
    assert web.ask(visitor, "/index.html") == 200


def test_an_attack_that_several_kinds_of_rules_refuse_closes_everything(web: Web) -> None:
    attacker = web.stranger()
    words = ("passwd", "wget", "script", "union", "eval")
    for number, word in enumerate(words[:4]):
        assert web.ask(attacker, f"/page{number}?q={word}") == 403
    web.await_free(attacker, 4)
    web.ask(attacker, f"/page5?q={words[4]}")
    web.await_block(attacker.address)
    layer: dict[str, Any] = web.layer(attacker.address)
    assert (layer["ports"], layer["service"]) == ("", "modsecurity")
    assert "by the rules 930900, 932900, 941900, 942900, 933900" in layer["reason"]
    assert is_silent(attacker)
