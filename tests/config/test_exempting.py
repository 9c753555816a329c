"""`[exemptions]`: names, filters with names, and every mistake with its line."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config.changes import Ground
from durward.config.csf_values import instead_of
from durward.config.exempting import NAMES_MAX, DynamicName, Exempting, parse_dynamic_name
from durward.config.home import Home
from durward.config.loading import load
from durward.model import EVERYTHING, Scope


def exempting(directory: Path, text: str) -> Exempting:
    home = Home.below(directory)
    home.etc.mkdir(exist_ok=True)
    (home.etc / "durward.toml").write_text(f"[exemptions]\n{text}\n")
    return load(home).exempting


def test_what_is_written_is_understood(tmp_path: Path) -> None:
    rules = exempting(
        tmp_path,
        'reverse_names = [".Example.com", "mail.example.org"]\nnames = ["home.example.net"]\n'
        'ignored_names = ["probe.example.net", "home.example.net"]\ncountries = ["nl", "AS64500"]',
    )
    assert rules.reverse_name("a.example.com") == ".example.com"
    assert rules.reverse_name("evil-example.com") is None
    assert rules.hosts == ("home.example.net", "probe.example.net")
    assert rules.places == ("NL", "AS64500")
    assert rules.asks
    crawler = rules.crawler("crawl.googlebot.com")
    assert crawler is not None
    assert crawler.id == "google"
    assert rules.crawler("googlebot.com.example.org") is None


def test_what_is_switched_off_asks_nobody(tmp_path: Path) -> None:
    off = "lookups = false\nsearch_engines = false\n"
    assert not exempting(tmp_path, off).asks
    assert not exempting(tmp_path, f'{off}names = ["home.example.net"]\nresolve_every = "0s"').asks
    assert exempting(tmp_path, f'{off}names = ["home.example.net"]').asks
    assert exempting(tmp_path, f'{off}reverse_names = ["home.example.net"]').asks
    assert exempting(tmp_path, "lookups = false").crawlers


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("home.example.net", EVERYTHING),
        ("tcp|in|d=22|s=home.example.net", Scope.parse("in:22")),
        ("TCP:IN:D=22,80:S=Home.Example.Net", Scope.parse("in:22,80")),
        ("udp|out|d=53|d=home.example.net", Scope.parse("out:53/udp")),
        ("d=22|s=home.example.net", Scope.parse("in:22")),
    ],
)
def test_a_name_may_stand_where_a_filter_has_its_address(text: str, scope: Scope) -> None:
    assert parse_dynamic_name(text) == DynamicName("home.example.net", scope)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "203.0.113.9",
        "tcp|in|d=22|s=203.0.113.9",
        "tcp|in|d=22",
        "tcp|in|s=22|s=home.example.net",
        "home.example.net #x",
        "tcp|in|d=22|s=home.example.net|d=b.example.net",
        "icmp|in|d=ping|s=home.example.net",
        "tcp|in|s=home.example.net",
        "tcp|in|d=1_9999|s=home.example.net",
        "tcp|out|d=22|s=home.example.net|u=0",
        "tcp|in|d=22|s=home.example.net|x",
    ],
)
def test_what_is_no_name_and_no_such_filter(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_dynamic_name(text)


def test_mistakes_are_named_with_their_lines(tmp_path: Path) -> None:
    many = ", ".join(f'"h{number}.example.net"' for number in range(NAMES_MAX + 1))
    with pytest.raises(ProblemsError) as caught:
        exempting(tmp_path, f'reverse_names = [".com"]\nignored_names = ["tcp|in|d=22|s=a.example"]\nnames = [{many}]')
    said = str(caught.value)
    assert "durward.toml:2: exemptions.reverse_names: 'com'" in said
    assert "durward.toml:3: exemptions.ignored_names: 'tcp|in" in said
    assert f"durward.toml:4: exemptions.names: more than {NAMES_MAX} names" in said


def test_what_csf_calls_it(tmp_path: Path) -> None:
    home = Home.below(tmp_path)
    home.etc.mkdir()
    ground = Ground.of(home)
    for name, key in (("LF_LOOKUPS", "lookups"), ("DYNDNS", "resolve_every"), ("CC_IGNORE", "countries")):
        assert ground.schema.lookup(name) == (f"exemptions.{key}",)
    assert "exemptions.ignored_names" in instead_of("dyndns_ignore", "1", ground.value)
