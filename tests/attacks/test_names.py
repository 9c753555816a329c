"""Exemptions by name, against a real name server: blocks are taken back, lies not believed, outages change nothing."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.attacks.test_alerts import Town
from tests.daemons.nameserver import HOST, PTR, NameServer, Zone, host, pointer

from durward.control.requests import ask, ask_one

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CRAWLER = "crawl-203-0-113-7.googlebot.com"
ZONE: Zone = {
    **host("mail.example.com", "203.0.113.20", "2001:db8::20"),
    **host(CRAWLER, "203.0.113.7"),
    **host("host9.example.org", "203.0.113.9"),
    (pointer("198.51.100.9"), PTR): ["mail.example.com"],
    (pointer("198.51.100.10"), PTR): [CRAWLER],
    **host("home.example.net", "198.51.100.77"),
}
AGENT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
WEB = """
[services.nginx]
files = ["{log}"]
"""
IMPOSTORS = """
title = "Whoever lies about being a crawler"
why   = "Tried here."
hears = ["http.impostor"]
[counting]
key  = "source"
says = "calls itself a crawler and is none"
[settings.count]
default = 1
[[story]]
title  = "One lie is enough"
events = [{ at = "+0s", ip = "203.0.113.9", kind = "http.impostor", service = "web" }]
gives  = [{ at = "+0s", verdict = "block", subject = "203.0.113.9", until = "+1h" }]
[[story]]
title  = "Nothing is nothing"
events = [{ at = "+0s", ip = "203.0.113.9", kind = "http.forbidden", service = "web" }]
gives  = []
"""


class Place(Town):
    """A town whose resolver asks our name server, and which has a web server's log."""

    def __init__(self, settings: str) -> None:
        super().__init__(settings)
        self.web = self.home / "access.log"
        self.web.touch()
        (self.home / "resolv.conf").write_text(f"nameserver {HOST}\noptions timeout:1 attempts:1\n")
        with (self.home / "etc" / "durward.toml").open("a") as file:
            file.write(WEB.format(log=self.web))

    def words(self, *words: str) -> list[str]:
        typed = super().words(*words)
        if words != ("run",):
            return typed
        mount = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", mount, str(self.home / "resolv.conf"), *typed]

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        return ask_one(self.home / "run" / "engine.sock", verb, **fields)

    def listed(self, listing: str) -> dict[str, str]:
        found = ask(self.home / "run" / "engine.sock", "list", listing=listing)
        return {one["subject"]: one["ports"] for one in found}

    def verdicts(self, address: str) -> list[str]:
        return [one["verdict"] for one in self.ask("why", subject=address)["history"]]

    def begin_again(self) -> None:
        """Have the engine begin with what it knows from before."""
        before = self.child("engine")
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: self.child("engine") not in {0, before} and self.say("status").returncode == 0)

    def visit(
        self, source: str, target: str = "/shoes", *, times: int = 1, agent: str = AGENT, method: str = "GET"
    ) -> None:
        stamp = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        with self.web.open("a") as log:
            for _ in range(times):
                log.write(f'{source} - - [{stamp}] "{method} {target} HTTP/1.1" 200 153 "-" "{agent}"\n')

    def guess(self, source: str, *, times: int = 6) -> None:
        """Guess passwords of WordPress."""
        self.visit(source, "/wp-login.php", times=times, agent="Mozilla/5.0", method="POST")


@contextmanager
def place(exemptions: str, zone: Zone = ZONE) -> Iterator[tuple[Place, NameServer]]:
    made = Place(f"[exemptions]\n{exemptions}\n")
    with ExitStack() as stack:
        stack.enter_context(made.stack)
        server = stack.enter_context(NameServer(made.network, dict(zone)))
        made.start()
        yield made, server


def test_a_block_of_an_exempt_name_is_taken_back_and_told_and_does_not_come_again() -> None:
    with place('reverse_names = ["mail.example.com"]') as (town, _server):
        for source in ("203.0.113.20", "2001:db8::20"):
            town.attack(source)
            town.until(lambda source=source: "unblock" in town.verdicts(source))  # type: ignore[misc]
            why = town.ask("why", subject=source)
            assert not why["blocked"]
            assert why["ignored"]
            assert why["history"][0]["reason"] == "mail.example.com, confirmed by DNS, is exempt: reverse_names"
            town.attack(source)
        town.attack("198.51.100.9")  # says that it is mail.example.com, and comes after both second attacks
        town.until(lambda: town.ask("why", subject="198.51.100.9")["blocked"])
        assert [town.verdicts(source).count("block") for source in ("203.0.113.20", "2001:db8::20")] == [1, 1]
        town.attack("203.0.113.9")
        town.until(lambda: town.ask("why", subject="203.0.113.9")["layers"][0].get("name") == "host9.example.org")
        shown = town.say("why", "203.0.113.9").stdout
        assert "host9.example.org, confirmed by DNS" in shown
        (liar,) = town.ask("why", subject="198.51.100.9")["layers"][:1]
        assert liar["in_kernel"]
        assert "name" not in liar


def test_a_search_engine_is_let_off_for_the_web_alone_and_a_liar_is_an_impostor() -> None:
    made = Place("[exemptions]\n")
    with made.stack, NameServer(made.network, dict(ZONE)) as server:
        (made.home / "etc" / "detectors").mkdir()
        (made.home / "etc" / "detectors" / "impostor.toml").write_text(IMPOSTORS)
        server.dead = {pointer("198.51.100.11")}
        made.start()
        made.guess("203.0.113.7")
        made.until(lambda: "unblock" in made.verdicts("203.0.113.7"))
        assert made.listed("ignore") == {"203.0.113.7": "80,443"}
        for source in ("198.51.100.9", "198.51.100.10", "203.0.113.9", "198.51.100.11", "203.0.113.7"):
            made.visit(source)
        impostors = ("198.51.100.10", "203.0.113.9", "198.51.100.9")
        made.until(lambda: all(made.ask("why", subject=source)["blocked"] for source in impostors))
        assert "calls itself a crawler" in made.ask("why", subject="198.51.100.10")["layers"][0]["reason"]
        assert not made.ask("why", subject="198.51.100.11")["blocked"], "nobody said that it is none"
        made.guess("203.0.113.7")
        made.attack("203.0.113.7")  # at the door of SSH it is nobody
        made.until(lambda: made.ask("why", subject="203.0.113.7")["blocked"])
        assert made.verdicts("203.0.113.7").count("block") == 2
        assert "Spared by" in made.say("why", "203.0.113.7").stdout


def test_a_crawler_that_was_verified_is_not_blocked_at_all() -> None:
    with place("") as (town, server):
        town.visit("203.0.113.7")
        town.until(lambda: server.asked.count(CRAWLER) >= 1)
        town.until(lambda: bool(town.ask("why", subject="203.0.113.7")["spared_by"]))
        town.guess("203.0.113.7")
        town.guess("203.0.113.9")
        town.until(lambda: town.ask("why", subject="203.0.113.9")["blocked"])
        assert town.verdicts("203.0.113.7") == []


def test_nothing_is_asked_where_nothing_needs_it() -> None:
    with place("lookups = false\nsearch_engines = false") as (town, server):
        town.attack("203.0.113.9")
        town.until(lambda: town.ask("why", subject="203.0.113.9")["blocked"])
        assert town.child("herald") == 0
        assert not (town.home / "run" / "names.sock").exists()
        assert server.asked == []


def test_a_name_is_let_in_follows_its_addresses_and_survives_an_outage() -> None:
    names = 'names = ["home.example.net", "tcp|in|d=22|s=mail.example.com"]\nresolve_every = "1m"'
    with place(names) as (town, server):
        town.until(lambda: len(town.listed("allow")) == 3)
        assert town.listed("allow") == {"198.51.100.77": "", "203.0.113.20": "22", "2001:db8::20": "22"}
        assert town.say("block", "198.51.100.77").returncode != 0, "whoever is allowed is guarded"
        town.attack("198.51.100.77")
        server.silent = True
        town.begin_again()
        town.until(lambda: "does not answer; its last known addresses stay" in town.say("doctor").stdout)
        assert town.listed("allow") == {"198.51.100.77": "", "203.0.113.20": "22", "2001:db8::20": "22"}
        assert not town.ask("why", subject="198.51.100.77")["blocked"]
        server.silent = False
        server.zone |= {**host("home.example.net", "198.51.100.78", "10.0.0.5")}
        town.begin_again()
        town.until(lambda: "198.51.100.78" in town.listed("allow"))
        assert set(town.listed("allow")) == {"198.51.100.78", "203.0.113.20", "2001:db8::20"}
        found = town.say("doctor").stdout
        assert "10.0.0.5 (private)" in found


def test_the_herald_may_die_and_may_do_nothing() -> None:
    with place('reverse_names = ["mail.example.com"]') as (town, _server):
        town.until(lambda: town.child("herald") != 0)
        herald = town.child("herald")
        lines = Path(f"/proc/{herald}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        inside = subprocess.run(
            ["nsenter", "-t", str(herald), "-m", "ls", "-A", str(town.home / "etc"), str(town.home / "lib")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "durward" not in inside.stdout.replace(str(town.home), "")
        os.kill(herald, signal.SIGKILL)
        town.attack("203.0.113.20")
        town.until(lambda: "unblock" in town.verdicts("203.0.113.20"))
        assert town.child("herald") not in {0, herald}


def test_a_country_is_exempt_as_soon_as_its_file_is_there() -> None:
    with place('countries = ["NL"]') as (town, _server):
        town.attack("203.0.113.30")
        town.until(lambda: town.ask("why", subject="203.0.113.30")["blocked"])
        (town.home / "lib" / "lists" / "country-nl.txt").write_text("203.0.113.0/24\n")
        (town.home / "lib" / "lists" / "country-nl.txt").chmod(0o644)
        town.until(lambda: town.ask("why", subject="203.0.113.31")["ignored_by"] == "exemptions.countries: NL")
        town.attack("203.0.113.31")
        town.attack("198.51.100.31")
        town.until(lambda: town.ask("why", subject="198.51.100.31")["blocked"])
        assert town.verdicts("203.0.113.31") == []
