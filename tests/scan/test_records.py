"""Rules for records: a hit lies in the field that the rule names, and the client is who the topology says."""

import json
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scan.cards import card, records

from durward.catalog.document import ProblemsError
from durward.catalog.service_card import ServiceCard
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology

NOW = 1_795_430_000.0
ENVY = "198.51.100.7"
PROXIES = Topology([ip_network("192.0.2.0/24"), ip_network("2001:db8:cd::/48")])


def scan(made: ServiceCard | list[ServiceCard], lines: str, topology: Topology | None = None) -> list[Event]:
    scanner = Scanner(made if isinstance(made, list) else [made], topology)
    return scanner.events(
        lines.encode(), source="file:t", position=100, observed_at=NOW, calendar=Calendar(NOW), services=None
    )


def line(status: int = 401, target: str = "/", user: str = "-", client: str = "203.0.113.9", more: str = "") -> str:
    return f'{client} - {user} [23/Nov/2026:08:10:00 +0000] "GET {target} HTTP/1.1" {status} 5 "-" "x"{more}\n'


def test_a_status_gives_an_event_with_client_user_and_time() -> None:
    lines = line(200) + line(401, user="bob") + line(404) + line(401)
    found = scan(records({"status": "401"}), lines)
    assert [(event.source_ip, event.user_name) for event in found] == [("203.0.113.9", "bob"), ("203.0.113.9", None)]
    assert found[0].at == 1_795_421_400.0
    assert found[0].position == 100 + len(line(200))


@pytest.mark.parametrize(
    ("about", "target", "found"),
    [
        ("{path}", "/a/b.php?id=1&x=/c?d", "/a/b.php"),
        ("{target}", "/a/b.php?id=1", "/a/b.php?id=1"),
        ("{path}", "?id=1", None),
        ("{path}", "/" + "x" * 400, "/" + "x" * 254),
        ("{path}", "/\\xff\\x22/ü%20", "/\\xff\\x22/ü%20"),
        ("what it says", "/a", "what it says"),
    ],
)
def test_an_event_is_about_the_path_or_the_target_that_was_asked_for(about: str, target: str, found: str) -> None:
    for made in (records({"status": "404"}, about=about), records({"status": "404", "user": "{user}"}, about=about)):
        [event] = scan(made, line(404, target, user="bob"))
        assert (event.about, event.source_ip, event.user_name) == (found, "203.0.113.9", "bob")


def test_only_an_access_log_has_a_path_to_be_about() -> None:
    with pytest.raises(ProblemsError, match="only an access log"):
        scan(records({"msg": "login from {ip}"}, envelope="json", about="{path}"), "")


def test_the_hit_lies_in_the_field_that_the_rule_names() -> None:
    made = records({"target": "{text}/\\.env{text}", "status": "(?:403|404)"})
    assert len(scan(made, line(404, "/x/.env"))) == 1
    assert scan(made, line(200, "/x/.env")) == []
    assert scan(made, line(404).replace('"-"', '"/.env"')) == []
    assert scan(made, line(404, user="/.env")) == []


def test_of_two_rules_that_fit_the_first_counts() -> None:
    first, second = records({"target": "/wp-login\\.php", "status": "404"}), records({"status": "404"})
    found = scan([first, second], line(404, "/wp-login.php"))
    assert len(found) == 1


def test_json_is_read_by_path_and_its_text_may_hold_the_address() -> None:
    made = records({"msg": "login of {user} from {ip} failed", "level": "warn"}, envelope="json")
    spelt = json.dumps({"time": "2026-11-23T08:10:00Z", "level": "warn", "msg": "login of bob from 203.0.113.9 failed"})
    [found] = scan(made, spelt + "\n")
    assert (found.source_ip, found.user_name, found.at) == ("203.0.113.9", "bob", 1_795_421_400.0)
    framing = f"login of x from {ENVY} failed, or login of y from 203.0.113.9 failed"
    [found] = scan(made, json.dumps({"level": "warn", "msg": framing}) + "\n")
    assert found.source_ip == "203.0.113.9"
    twice = records({"msg": "{text} from {ip} {text}", "level": "warn"}, envelope="json")
    assert scan(twice, json.dumps({"level": "warn", "msg": framing}) + "\n") == []


def test_a_short_value_is_found_however_json_spells_it() -> None:
    made = records({"status": "401", "ip": "{ip}"}, envelope="json")
    for spelt in ('{"status":401,"ip":"203.0.113.9"}', '{"status": "401", "ip": "203.0.113.9"}'):
        assert len(scan(made, spelt + "\n")) == 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_nobody_is_framed_through_a_field_of_json(user: str, agent: str) -> None:
    made = records({"ip": "{ip}", "event": "login failed", "user": "{user}"}, envelope="json")
    fields = {"event": "login failed", "ip": "203.0.113.9", "user": user, "agent": f'","ip":"{ENVY}","x":"{agent}'}
    [found] = scan(made, json.dumps(fields) + "\n")
    assert found.source_ip == "203.0.113.9"


def test_a_proxy_asks_for_somebody_else() -> None:
    made = records({"status": "401"})
    asked = line(client="192.0.2.1", more=f' "{ENVY}, 203.0.113.9, 192.0.2.8"')
    [found] = scan(made, asked, PROXIES)
    assert found.source_ip == "203.0.113.9"
    for more in ("", ' "-"', ' "unknown"', ' "192.0.2.9"', ' "203.0.113.9, x"'):
        assert scan(made, line(client="192.0.2.1", more=more), PROXIES) == []


def test_nobody_else_is_believed_and_no_proxy_is_blamed() -> None:
    [found] = scan(records({"status": "401"}), line(more=f' "{ENVY}"'), PROXIES)
    assert found.source_ip == "203.0.113.9"
    assert (
        scan(card("door shut to {ip}"), "Nov 23 08:10:00 web1 doord[1]: door shut to 2001:db8:cd::1\n", PROXIES) == []
    )


def test_what_a_visitor_writes_into_a_record_is_no_text() -> None:
    text = card("{text}door shut to {ip} {text}", envelope="plain")
    both = line(401, target=f"/?door shut to {ENVY} ")
    assert [event.source_ip for event in scan([text, records({"status": "401"})], both)] == ["203.0.113.9"]
    assert scan([text], both) == []


@pytest.mark.parametrize(
    "where",
    [{"colour": "red paint"}, {"status": "{number}"}, {"target": "{text}("}, {"client": "{ip}", "agent": "from {ip}"}],
)
def test_a_where_that_cannot_be_used_is_named(where: dict[str, str]) -> None:
    with pytest.raises(ProblemsError):
        Scanner([records(where)])


def test_a_line_of_nothing_but_what_is_looked_for_is_read_like_any_other() -> None:
    made = records({"target": "{text}/wp-login\\.php{text}"}, {"status": "404"})
    [found] = scan(made, line(404, target="/wp-login.php" * 4000, more=" " + '"/wp-login.php"' * 100))
    assert found.source_ip == "203.0.113.9"
