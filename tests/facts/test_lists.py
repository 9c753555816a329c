"""From settings and files to merged lists; what is not there is named; the line that lists an address is found."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.traffic import PortRange
from durward.config import lists as config_lists
from durward.config.home import Home
from durward.config.lists import ListFile
from durward.config.loading import load
from durward.facts import lists as facts_lists
from durward.facts.complaints import Complaints
from durward.facts.lists import Listed, lines_of, listed_in, merged_lists
from durward.model import parse_address
from durward.ruleset.matching import EVERY_PORT
from durward.ruleset.policy import DENY_LIST, MergedList

GONE = "is not there; the networks of {}, one a line, were expected in it"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.below(tmp_path)
    home.etc.mkdir()
    home.lists.mkdir(parents=True)
    return home


def asked(home: Home, text: str, deny: ListFile | None = None) -> tuple[tuple[MergedList, ...], list[str]]:
    (home.etc / "durward.toml").write_text(f"[countries]\n{text}\n")
    settings = load(home).settings
    complaints = Complaints(settings)
    found = merged_lists(settings, deny or ListFile(), home.lists, complaints)
    return found, [f"{one.line}: {one.key}: {one.message}" for one in complaints.problems]


def test_nothing_is_asked_for(home: Home) -> None:
    assert asked(home, "") == ((), [])


def test_every_mode(home: Home) -> None:
    for name in ("country-nl.txt", "as64500.txt", "feed-example.txt"):
        (home.lists / name).write_text("192.0.2.0/24\n")
    found, problems = asked(
        home,
        'deny = ["NL", "AS64500"]\nallow_only = ["nl"]\nallow = ["NL"]\nallow_ports = ["NL"]\nallow_ports_tcp = "22"\n'
        'deny_ports = ["NL"]\ndeny_ports_udp = "53"',
        ListFile(further=3),
    )
    country, port = ("country-nl.txt",), (PortRange(22, 22),)
    assert problems == []
    assert found == (
        MergedList("countriesdeny", "deny", files=("as64500.txt", "country-nl.txt")),
        MergedList("countriesonly", "allow_only", files=country),
        MergedList("countriesallow", "allow_ports", EVERY_PORT, EVERY_PORT, files=country),
        MergedList("countriesopen", "allow_ports", tcp=port, files=country),
        MergedList("countriesclosed", "deny_ports", udp=(PortRange(53, 53),), files=country),
        MergedList("feeds", "deny", early=True, files=("feed-*.txt",)),
        MergedList("denied", "deny", early=True, files=(DENY_LIST,)),
    )


def test_what_is_not_there_is_named_with_its_file_and_the_line_that_asks(home: Home) -> None:
    found, problems = asked(home, 'allow_only = ["AS64500"]\ndeny_ports = ["NL"]')
    assert problems == [
        f"2: countries.allow_only: {home.lists}/as64500.txt {GONE.format('AS64500')}",
        f"3: countries.deny_ports: {home.lists}/country-nl.txt {GONE.format('NL')}",
        "3: countries.deny_ports: deny_ports_tcp or deny_ports_udp was expected beside it: at no port it does nothing",
    ]
    assert [one.name for one in found] == ["countriesonly"]


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("192.0.2.9", [("192.0.2.0/24", 2), ("192.0.2.9", 5), ("192.0.2.8/30", 6)]),
        ("192.0.2.66", [("192.0.2.0/24", 2)]),
        ("203.0.113.9", []),
        ("198.51.100.7", [("198.51.100.7", 8)]),
        ("2001:db8::1", [("2001:db8::/32", 3), ("2001:db8::1", 7)]),
        ("3fff::1", []),
        ("::1", [("::1", 9)]),
    ],
)
def test_the_lines_that_list_an_address_are_found(tmp_path: Path, address: str, lines: list[tuple[str, int]]) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(
        b"# 192.0.2.9\n192.0.2.0/24\n2001:DB8::/32\n192.0.2.99/33\n  192.0.2.9\r\n192.0.2.11/30\n"
        b"2001:0db8:0:0::1\n::ffff:198.51.100.7\n0:0::1\n192.0.2.9 and more\n192.0.2\n"
    )
    assert lines_of(path, parse_address(address)) == [Listed(network, str(path), line) for network, line in lines]


def test_a_file_that_is_empty_or_gone_lists_nobody(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert lines_of(tmp_path / "empty", parse_address("192.0.2.1")) == []
    assert lines_of(tmp_path / "gone", parse_address("192.0.2.1")) == []


@given(
    st.lists(st.ip_addresses(network="192.0.2.0/24"), max_size=8),
    st.integers(8, 32),
    st.ip_addresses(network="192.0.2.0/24"),
)
def test_the_same_are_found_as_python_finds(
    tmp_path_factory: pytest.TempPathFactory, bases: list[object], length: int, address: ipaddress.IPv4Address
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_text("".join(f"{base}/{length}\n" for base in bases))
    expected = [
        number
        for number, base in enumerate(bases, 1)
        if address in ipaddress.ip_network(f"{base}/{length}", strict=False)
    ]
    assert [one.line for one in lines_of(path, address)] == expected


def test_patterns_and_what_is_beyond_decisions(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (config_lists, facts_lists):
        monkeypatch.setattr(module, "SYNCED_MAX", 2)
    for name in ("feed-one.txt", "feed-two.txt", "feed-two.txt.new", "country-nl.txt"):
        (home.lists / name).write_text("192.0.2.0/24\n")
    deny = home.etc / DENY_LIST
    deny.write_text("192.0.2.1\n192.0.2.2\n# more\n192.0.2.3 # why\ntcp|in|d=22|s=192.0.2.3\n192.0.2.0/30\n")
    feeds = MergedList("feeds", "deny", files=("feed-*.txt",))
    asked_for = parse_address("192.0.2.3")
    assert [Path(one.file).name for one in listed_in(feeds, home.lists, deny, asked_for)] == [
        "feed-one.txt",
        "feed-two.txt",
    ]
    denied = MergedList("denied", "deny", files=(DENY_LIST,))
    assert [one.line for one in listed_in(denied, home.lists, deny, asked_for)] == [4, 6]
    assert [one.line for one in listed_in(denied, home.lists, deny, parse_address("192.0.2.1"))] == [6]
