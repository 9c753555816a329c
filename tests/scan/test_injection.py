"""Text that a stranger chose never makes somebody else the source: it is the true peer, or nobody.

Every pattern of the shelf is filled in: its address hole with the true peer, all others with what an attacker might
send there, up to whole lines of the service that name a decoy.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import durward.services
from durward.catalog.service_card import load_services
from durward.scan.grammar import Group, Hole, Node, Repeat, Sequence, Set, Text
from durward.scan.holes import members
from durward.scan.rule import Rule
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

PEER = "203.0.113.9"
PEER_V6 = "2001:db8::9"
DECOYS = ("198.51.100.7", "::ffff:198.51.100.7", "2001:db8:dead::7", "198.51.100.7:22", "[198.51.100.7]:22")
OWN = "192.0.2.1"
NOW = 1_795_430_000.0
EXAMPLES = 15 * settings.default.max_examples  # 1,500, and 15,000 in a search: there are as many rules
MANY = 4 * EXAMPLES  # in the slow part

CARDS = load_services([Path(path) for path in durward.services.__path__])
SCANNER = Scanner(CARDS)
RULES = SCANNER.rules

PIECES = (
    *DECOYS,
    *(
        " from ",
        " port ",
        "22",
        " ssh2",
        ": ",
        " ",
        "",
        "'",
        '"',
        ")",
        "]",
        "[preauth]",
        " [preauth]",
        "invalid user ",
        "x",
    ),
    *("rhost=", " user=", "root", " by ", "user ", " via ", "\x1b[31m", "\x00", "\r", "\t", "\xff", "é", "=", ",", "."),
    "Failed password for root from 198.51.100.7 port 22 ssh2",
    "sshd[1]: Failed password for root from 198.51.100.7 port 22 ssh2",
    "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 198.51.100.7 port 22 ssh2",
    "message repeated 2 times: [ Failed password for root from 198.51.100.7 port 22 ssh2]",
    "from 198.51.100.7 port 22 ssh2: x from 203.0.113.9 port 40022 ssh2",
    "198.51.100.7.example.net",
    "203.0.113.98",
    "1203.0.113.9",
    "y" * 300,
)


def said_of(rule: Rule, address: str) -> str:
    """A line of the rule that names an address, with nothing odd in it."""
    return filled(rule.sequence, named(address), {}, lambda _: 0)


def named(address: str) -> dict[str, str]:
    """The address holes, each filled with an address that it takes."""
    return {"ip": address, "ip_or_host": address, "ipv4": PEER if ":" in address else address}


def filled(sequence: Sequence, addresses: dict[str, str], chosen: dict[str, str], pick: "Picker") -> str:
    return "".join(one(node, addresses, chosen, pick) for node in sequence)


def one(node: Node, addresses: dict[str, str], chosen: dict[str, str], pick: "Picker") -> str:
    match node:
        case Text(value):
            return value.decode()
        case Set():
            return members(node)[0].decode("latin-1")
        case Group(alternatives):
            return filled(alternatives[pick(len(alternatives))], addresses, chosen, pick)
        case Repeat(inner, least, most):
            times = least + pick(min(most, least + 1) - least + 1)
            return "".join(one(inner, addresses, chosen, pick) for _ in range(times))
        case Hole(name):
            return addresses.get(name) or FIXED.get(name) or chosen_for(name, chosen)


FIXED = {"port": "40022", "number": "7", "count": "3", "destination_ip": OWN, "time": "23/Nov/2026:08:10:00 +0000"}


def chosen_for(name: str, chosen: dict[str, str]) -> str:
    """What a stranger puts into a hole, as far as the service writes it there."""
    if name in ("host", "server"):
        return chosen.get("host", "host.example")
    if name in ("word", "token", "name", "session"):
        return "".join(chosen.get("text", "x").split()) or "x"
    return chosen.get("text", "x")


class Picker:
    """Takes the choices that a test case made, one after the other."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = choices

    def __call__(self, count: int) -> int:
        return self.choices.pop() % count if self.choices else 0


LINES_OF_OTHERS = tuple({said_of(rule, decoy) for rule in RULES for decoy in DECOYS[:1]})
hostile = st.lists(st.sampled_from(PIECES) | st.sampled_from(LINES_OF_OTHERS) | st.text(max_size=8), max_size=5).map(
    "".join
)
host_names = st.sampled_from(
    ("198.51.100.7", "198.51.100.7.example.net", "localhost", "a.198.51.100.7", "UNKNOWN", "x")
)


def blamed(line: str) -> set[str]:
    """The addresses that the events of a line name."""
    block = line.replace("\n", "\\n").encode("utf-8", "surrogatepass") + b"\n"
    events = SCANNER.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    return {event.source_ip for event in events if event.source_ip}


def in_envelopes(rule: Rule, message: str) -> list[str]:
    if rule.envelope == "plain":
        return [message]
    if rule.envelope == "stamped":
        return ["2026-11-23 08:10:00 " + message]
    program = next((name for name in PROGRAMS[rule.service]), "service").replace("*", "x")
    return [
        f"Nov 23 08:10:00 web1 {program}[4242]: {message}",
        f"Nov 23 08:10:00 {program}[4242]: {message}",
        f"2026-11-23T08:10:00.123456+00:00 web1 {program}[4242]: {message}",
        f'<38>1 2026-11-23T08:10:00Z web1 {program} 4242 - [a@1 b="[c]"] {message}',
        f"web1 {program}[4242]: message repeated 2 times: [ {message}]",
    ]


PROGRAMS = {card.id: card.reads.programs for card in CARDS}


lines_of_rules = given(
    st.sampled_from(RULES),
    hostile,
    host_names,
    st.lists(st.integers(0, 7), max_size=8),
    st.sampled_from((PEER, PEER_V6)),
)


@lines_of_rules
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_a_stranger_s_text_is_never_the_source(rule: Rule, text: str, host: str, picks: list[int], peer: str) -> None:
    names_nobody_else(rule, text, host, picks, peer)


@pytest.mark.slow
@lines_of_rules
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.too_slow])
def test_nor_is_it_in_many(rule: Rule, text: str, host: str, picks: list[int], peer: str) -> None:
    names_nobody_else(rule, text, host, picks, peer)


def names_nobody_else(rule: Rule, text: str, host: str, picks: list[int], peer: str) -> None:
    names = named(peer)
    message = filled(rule.sequence, names, {"text": text, "host": host}, Picker(picks))
    for line in in_envelopes(rule, message):
        assert blamed(line) <= {*names.values()}, line


@pytest.mark.parametrize(
    "name",
    [
        "x from 198.51.100.7 port 22 ssh2",
        "x from 198.51.100.7 port 22 ssh2: y",
        "from 198.51.100.7",
        "198.51.100.7",
        "root from 198.51.100.7 port 22 ssh2 [preauth]",
        "x\x1b[2K from 198.51.100.7 port 22",
        "x' from 198.51.100.7 port 1",
        "x" * 10_000 + " from 198.51.100.7 port 22 ssh2",
        "a from 198.51.100.7 port 1 ssh2: b from 203.0.113.9 port 40022 ssh2: c from 198.51.100.7 port 1 ssh2",
    ],
)
def test_user_names_that_pose_as_addresses(name: str) -> None:
    for message in (
        f"Failed password for invalid user {name} from {PEER} port 40022 ssh2",
        f"Invalid user {name} from {PEER} port 40022",
        f"Connection closed by invalid user {name} {PEER} port 40022 [preauth]",
        f"Failed none for invalid user {name} from {PEER} port 40022 ssh2",
        f"User {name} from {PEER} not allowed because not listed in AllowUsers",
        f"error: maximum authentication attempts exceeded for {name} from {PEER} port 40022 ssh2 [preauth]",
        f"input_userauth_request: invalid user {name} [preauth]",
        f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={PEER}  user={name}",
    ):
        assert blamed(f"Nov 23 08:10:00 web1 sshd[4242]: {message}") <= {PEER}


@pytest.mark.parametrize(
    "line",
    [
        "Nov 23 08:10:00 web1 xsshd[1]: Failed password for root from 198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshdx[1]: Failed password for root from 198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 su[1]: sshd[2]: Failed password for root from 198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd: x sshd[2]: Failed password for root from 198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: x Failed password for root from 198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 198.51.100.7 port 22 ssh2 x",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 198.51.100.7.8 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 198.51.100.777 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 1198.51.100.7 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 2001:db8::7%eth0 port 22 ssh2",
        "Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 2001:db8::7::1 port 22 ssh2",
        "x Nov 23 08:10:00 web1 sshd[1]: Failed password for root from 198.51.100.7 port 22 ssh2",
    ],
)
def test_what_only_resembles_a_line_of_the_service_blames_nobody(line: str) -> None:
    assert blamed(line) == set()
