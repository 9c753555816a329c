"""From values to events: addresses in their canonical text, names as text, and nothing that is none of these."""

import pytest
from tests.scan.cards import card

from durward.scan.build import KNOWN_MAX, Addresses, Names
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology

NOW = 1_795_430_000.0


def one(pattern: str, message: str, envelope: str = "syslog", start: str = "h doord[7]: ") -> tuple[object, ...] | None:
    events = Scanner([card(pattern, envelope=envelope)]).events(
        (start + message).encode(), source="s", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    return events[0][7:13] if events else None


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("203.0.113.256", None),
        ("203.0.113.09", None),
        ("203.0.113", None),
        ("2001:db8:::1", None),
        ("fe80::1%eth0", None),
    ],
)
def test_addresses(written: str, address: str | None) -> None:
    given = one("knock from {ip} today", f"knock from {written} today")
    assert given == (None if address is None else (address, None, None, None, "7", 1))
    named = one("knock from {ip_or_host} today", f"knock from {written} today")
    assert (named and named[0]) == address


def test_names_of_hosts_are_never_addresses() -> None:
    assert one("knock from {ip_or_host} today", "knock from Gate.Example today") == (
        None,
        None,
        "gate.example",
        None,
        "7",
        1,
    )
    assert one("knock from {host} today", "knock from 203.0.113.9 today") == (None, None, None, None, "7", 1)
    assert one("knock from {ip_or_host} today", "knock from 1.2.3 today") is None


def test_sessions_are_what_the_line_calls_them() -> None:
    assert one("knock from {ip}:{port}", "knock from 203.0.113.9:22", start="h doord: ") == (
        *("203.0.113.9", 22, None, None),
        *("203.0.113.9:22", 1),
    )
    assert one("knock {session} from {ip}", "knock a1B from 203.0.113.9") == ("203.0.113.9", None, None, None, "a1B", 1)
    assert one("knock from {ip}", "knock from 203.0.113.9", start="h doord: ") == (
        "203.0.113.9",
        None,
        None,
        None,
        None,
        1,
    )


def test_counts_and_ports_within_bounds() -> None:
    assert one("{count} knocks from {ip}", "13 knocks from 203.0.113.9") == ("203.0.113.9", None, None, None, "7", 13)
    assert one("{count} knocks from {ip}", "99999 knocks from 203.0.113.9") == (
        "203.0.113.9",
        None,
        None,
        None,
        "7",
        100,
    )
    assert one("knock from {ip} port {port}", "knock from 203.0.113.9 port 99999") == (
        "203.0.113.9",
        None,
        None,
        None,
        "7",
        1,
    )


def test_names_that_may_be_left_out() -> None:
    assert one("knock from {ip}(?: by {user})?", "knock from 203.0.113.9") == ("203.0.113.9", None, None, None, "7", 1)
    assert one("knock by {user} from {ip}", "knock by  from 203.0.113.9") == ("203.0.113.9", None, None, "", "7", 1)
    assert one("knock by {user} from {ip}", "knock by é from 203.0.113.9") == ("203.0.113.9", None, None, "é", "7", 1)


def test_lines_without_syslog() -> None:
    plain = one("{ip} - {user} \\[{time}\\] knock", "203.0.113.9 - bob [23/Nov/2026:08:10:00 +0000] knock", "plain", "")
    assert plain == ("203.0.113.9", None, None, "bob", None, 1)
    assert one("a knock by {ip}", "2026/11/23 08:10:00 a knock by 203.0.113.9", "stamped", "") == (
        *("203.0.113.9", None, None, None),
        *(None, 1),
    )
    assert one("a knock by {ip}", "a knock by 203.0.113.9", "plain", "") == ("203.0.113.9", None, None, None, None, 1)


def test_what_is_remembered_is_bounded() -> None:
    for known in (Addresses(Topology()), Names()):
        for number in range(KNOWN_MAX + 5):
            known[b"%d" % number]
        assert len(known) <= KNOWN_MAX
