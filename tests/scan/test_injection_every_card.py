"""Every pattern of every card, filled with what a stranger might send: the event names the true peer or nobody.

What `test_injection.py` draws at random is gone through here, so that no card is left out: whole blocks of lines, each
with another text, in every envelope and frame in which the service writes them.
"""

import random
from collections.abc import Iterator

import pytest
from tests.scan.test_injection import (
    CARDS,
    DECOYS,
    LINES_OF_OTHERS,
    NOW,
    PEER,
    PEER_V6,
    PIECES,
    SCANNER,
    Picker,
    filled,
    in_envelopes,
    named,
    said_of,
)

from durward.scan.rule import Rule
from durward.scan.timestamps import Calendar

TEXTS_PER_RULE = 8
HOSTS = ("198.51.100.7", "198.51.100.7.example.net", "localhost", "a.198.51.100.7", "UNKNOWN", "x")
FULL_WIDTH = "198.51.100.7".translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
ONE_DOT = "198.51.100.7".replace(".", "\u2024")
LOOKALIKES = (FULL_WIDTH, ONE_DOT, "198.51.100.7\u200b", "\u202e7.001.15.891", "[::ffff:198.51.100.7]")
ODD = ("\x1b[2K\x1b[1G", "\x1b]0;x\x07", '"', "'", "\\", "\\x22", "\\n", "[", "](", "<>", "{}", "%s%n", "\x7f", "\xa0")
BY_SERVICE = {card.id: [rule for rule in SCANNER.rules if rule.service == card.id] for card in CARDS}


def hostile_texts(rule: Rule, chance: random.Random) -> Iterator[str]:
    """Texts for the holes of a rule, the likeliest attacks first: the rule's own line, naming a decoy."""
    yield said_of(rule, DECOYS[0])
    yield f"x from {DECOYS[0]} " + said_of(rule, PEER)
    yield chance.choice(LOOKALIKES) * 2
    yield "y" * 10_000 + chance.choice(DECOYS)
    while True:
        several = (PIECES, DECOYS, LINES_OF_OTHERS, LOOKALIKES, ODD)
        yield "".join(chance.choice(chance.choice(several)) for _ in range(chance.randrange(1, 6)))


def lines_of(rule: Rule, chance: random.Random) -> Iterator[tuple[str, set[str]]]:
    """Lines of the rule, and under which addresses their true peer is known."""
    texts = hostile_texts(rule, chance)
    for _ in range(TEXTS_PER_RULE):
        peer = chance.choice((PEER, PEER_V6))
        names, chosen = named(peer), {"text": next(texts), "host": chance.choice(HOSTS)}
        picks = Picker([chance.randrange(8) for _ in range(12)])
        for line in in_envelopes(rule, filled(rule.sequence, names, chosen, picks)):
            yield line.replace("\n", "\\n"), {*names.values()}


@pytest.mark.parametrize("service", [service for service, rules in BY_SERVICE.items() if rules])
def test_nobody_is_framed(service: str) -> None:
    chance = random.Random(service)
    cases = [case for rule in BY_SERVICE[service] for case in lines_of(rule, chance)]
    peers: dict[int | str, tuple[str, set[str]]] = {}
    position, block = 0, bytearray()
    for line, names in cases:
        peers[position] = (line, names)
        block += line.encode("utf-8", "surrogatepass") + b"\n"
        position = len(block)
    own = frozenset([service])  # as a source is read that is this service's alone
    events = SCANNER.events(bytes(block), source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=own)
    framed = {
        peers[event.position][0]: event.source_ip
        for event in events
        if event.source_ip and event.source_ip not in peers[event.position][1]
    }
    assert not framed


@pytest.mark.parametrize("service", [service for service, rules in BY_SERVICE.items() if rules])
def test_no_other_card_frames_somebody_in_a_line_of_syslog(service: str) -> None:
    chance = random.Random(service)
    rules = [rule for rule in BY_SERVICE[service] if rule.envelope == "syslog"]
    for line, names in (case for rule in rules for case in lines_of(rule, chance)):
        if line.startswith("Nov 23 08:10:00 web1 "):
            block = line.encode("utf-8", "surrogatepass") + b"\n"
            found = SCANNER.events(
                block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
            )
            assert {event.source_ip for event in found} <= {*names, None}, line
