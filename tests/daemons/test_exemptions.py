"""Exemptions: whose lines do not count, and how list files become decisions that come and go with their lines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.samples import NOW, decision, opened, recorded

from durward.config.home import Home
from durward.config.loading import Lists, load_lists
from durward.config.places import Places
from durward.daemons.exemptions import Beyond, Exemptions, changes
from durward.daemons.sparing import WEB, Verified
from durward.model import Port, Scope, Subject
from durward.store import standing
from durward.store.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.below(tmp_path)
    made.etc.mkdir()
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as fresh:
        yield fresh


def lists(home: Home, **texts: str) -> Lists:
    for name, text in texts.items():
        (home.etc / f"{name}.list").write_text(text)
    return load_lists(home)


def follow(home: Home, store: Store, **texts: str) -> list[tuple[str, str, str]]:
    """Write lists, do what they ask for, and say what that was. Asked again, nothing is left to do."""
    made = recorded(store, changes(lists(home, **texts), store, NOW))
    assert changes(load_lists(home), store, NOW + 1) == []
    return [(one.verdict, one.subject.value, str(one.scope)) for one in made]


def standing_now(store: Store) -> set[tuple[str, str, str]]:
    return {
        (listing, one.subject.value, str(one.scope))
        for listing in ("allow", "block")
        for one in standing.all_of(store, listing)  # type: ignore[arg-type]
    }


def test_lines_become_decisions_and_go_with_them(home: Home, store: Store) -> None:
    made = follow(home, store, allow="198.51.100.7 # office\n", deny="203.0.113.0/24\n2001:db8::/32 # abuse\n")
    blocks = [("block", one, "in:") for one in ("203.0.113.0/24", "2001:db8::/32")]
    assert made == [("allow", "198.51.100.7", "in:"), *blocks]
    assert follow(home, store, deny="2001:db8::/32\n") == [("unblock", "203.0.113.0/24", "in:")]
    assert follow(home, store, allow="") == [("disallow", "198.51.100.7", "in:")]
    assert standing_now(store) == {("block", "2001:db8::/32", "in:")}


def test_decisions_of_lists_say_where_they_come_from(home: Home, store: Store) -> None:
    first, second = changes(lists(home, deny="203.0.113.9 # abuse\n203.0.113.10\n"), store, NOW)
    assert (first.origin, first.reason, first.until) == ("list:deny.list", "abuse", None)
    assert second.reason == f"listed in {home.etc / 'deny.list'}"
    recorded(store, [first, second])
    (gone, *_rest) = changes(lists(home, deny=""), store, NOW)
    assert (gone.origin, gone.reason) == ("list:deny.list", "no longer listed in deny.list")


def test_filters_are_decisions_of_some_ports(home: Home, store: Store) -> None:
    made = follow(home, store, deny="tcp|in|d=22,80|s=203.0.113.9\nudp|out|d=53|d=198.51.100.7\n")
    assert made == [("block", "203.0.113.9", "in:22,80"), ("block", "198.51.100.7", "out:53/udp")]
    assert follow(home, store, deny="tcp|in|d=80,22|s=203.0.113.9\n") == [("unblock", "198.51.100.7", "out:53/udp")]


def test_a_filter_with_more_ports_than_a_scope_can_hold_breaks_nothing(home: Home, store: Store) -> None:
    assert follow(home, store, deny="tcp|in|d=1000_1900|s=203.0.113.9\n203.0.113.10\n") == [
        ("block", "203.0.113.10", "in:")
    ]


def test_a_line_that_goes_lifts_only_what_the_list_put_there(home: Home, store: Store) -> None:
    recorded(store, [decision("203.0.113.9", until=None, origin="operator:root")])
    assert follow(home, store, deny="203.0.113.9\n203.0.113.10\n") == [("block", "203.0.113.10", "in:")]
    assert follow(home, store, deny="") == [("unblock", "203.0.113.10", "in:")]
    assert standing_now(store) == {("block", "203.0.113.9", "in:")}


def test_a_line_about_one_port_that_goes_leaves_the_rest(home: Home, store: Store) -> None:
    recorded(store, [decision("203.0.113.9", until=NOW + 3600)])
    follow(home, store, deny="tcp|in|d=22|s=203.0.113.9\n")
    assert follow(home, store, deny="") == [("unblock", "203.0.113.9", "in:22")]
    assert standing_now(store) == {("block", "203.0.113.9", "in:")}


def test_a_line_about_who_is_blocked_for_a_while_holds_after_that(home: Home, store: Store) -> None:
    recorded(store, [decision("203.0.113.9", until=NOW + 60), decision("198.51.100.7", "allow", until=NOW + 60)])
    made = follow(home, store, deny="203.0.113.9\n", allow="198.51.100.7\n")
    assert made == [("allow", "198.51.100.7", "in:"), ("block", "203.0.113.9", "in:")]
    with store.transaction():
        assert standing.expire(store, NOW + 100) == []
    assert follow(home, store, deny="", allow="") == [
        ("disallow", "198.51.100.7", "in:"),
        ("unblock", "203.0.113.9", "in:"),
    ]


def test_whose_lines_do_not_count_and_why(home: Home, store: Store) -> None:
    recorded(
        store,
        [
            decision("203.0.113.77", "allow", until=NOW + 60, origin="operator:root"),
            decision("203.0.113.78", "ignore", until=None, origin="operator:root"),
            decision("203.0.113.79", "allow", until=NOW - 1, origin="operator:root"),
            decision("203.0.113.80", "allow", until=None, origin="operator:root", scope=Scope((Port(22),))),
        ],
    )
    text = "# office\n198.51.100.0/24\ntcp|in|d=22|s=192.0.2.1\n"
    exempt = Exemptions(lists(home, allow=text, ignore="2001:db8::/32\n"), store, NOW)
    reasons = {
        address: exempt.exempt(address)
        for address in ("198.51.100.7", "::ffff:198.51.100.7", "192.0.2.1", "2001:db8::1", "nonsense", "203.0.113.9")
    }
    assert reasons == {
        "198.51.100.7": "allow.list:2",
        "::ffff:198.51.100.7": "allow.list:2",
        "2001:db8::1": "ignore.list:1",
        **dict.fromkeys(("192.0.2.1", "nonsense", "203.0.113.9")),
    }
    operators = [exempt.exempt(f"203.0.113.{number}") for number in (77, 78, 79, 80)]
    assert operators == ["decision 1", "decision 2", None, None]


def test_a_network_is_allowed_only_as_a_whole(home: Home, store: Store) -> None:
    exempt = Exemptions(lists(home, allow="198.51.100.0/25\n203.0.113.0/24\n", ignore="192.0.2.1\n"), store, NOW)
    assert exempt.allowed(Subject.parse("203.0.113.0/25")) == "allow.list:2"
    assert exempt.allowed(Subject.parse("198.51.100.0/24")) is None
    assert exempt.allowed(Subject.parse("192.0.2.1")) is None
    assert exempt.ignored(Subject.parse("192.0.2.1")) == "ignore.list:1"
    assert exempt.ignored(Subject.parse("192.0.2.0/24")) is None


def test_what_a_file_held_is_not_gone_while_it_cannot_be_read(home: Home, store: Store) -> None:
    follow(home, store, deny="203.0.113.9\n203.0.113.10\n")
    found = lists(home, deny=f"203.0.113.9\nInclude {home.etc}/gone.list\n")
    assert changes(found, store, NOW) == []
    assert follow(home, store, deny="203.0.113.9\n") == [("unblock", "203.0.113.10", "in:")]


def test_places_and_crawlers_are_exempt_beside_lists(home: Home, store: Store, tmp_path: Path) -> None:
    (tmp_path / "country-nl.txt").write_text("203.0.113.0/24\n")
    places = Places(tmp_path, ["NL"])
    places.read()
    beyond = Beyond(places, Verified(), frozenset({"nginx"}))
    exemptions = Exemptions(lists(home), store, NOW, beyond)
    assert exemptions.exempt("203.0.113.9") == "exemptions.countries: NL"
    assert exemptions.ignored(Subject.parse("203.0.113.0/25")) == "exemptions.countries: NL"
    assert exemptions.allowed(Subject.parse("203.0.113.9")) is None
    assert exemptions.exempt("198.51.100.7") is None
    beyond.verified.note("198.51.100.7", "a crawler", NOW + 60)
    assert exemptions.spared("198.51.100.7", "nginx") == "a crawler"
    assert exemptions.spared("198.51.100.7", "sshd") is None
    assert exemptions.spared_for_web(Subject.parse("198.51.100.7")) == "a crawler"
    assert exemptions.exempt("198.51.100.7") is None


def test_what_is_ignored_for_the_web_counts_elsewhere(home: Home, store: Store) -> None:
    recorded(store, [decision("198.51.100.7", "ignore", scope=WEB, origin="exemption:search_engines")])
    exemptions = Exemptions(lists(home), store, NOW, Beyond(web=frozenset({"nginx"})))
    assert (exemptions.spared("198.51.100.7", "nginx") or "").startswith("decision ")
    assert exemptions.spared("198.51.100.8", "nginx") is None
    assert exemptions.spared("nonsense", "nginx") is None
    assert exemptions.exempt("198.51.100.7") is None
    assert exemptions.ignored(Subject.parse("198.51.100.7")) is None
    assert (
        Exemptions(lists(home), store, NOW + 7200, Beyond(web=frozenset({"nginx"}))).spared_for_web(
            Subject.parse("198.51.100.7")
        )
        is None
    )
