"""The rules that copy knocks: put there once, changed with the keys, taken away without a port; they decide nothing."""

import re

from durward.ruleset.knock_copies import HOOK, knock_copies
from durward.ruleset.switch import CHAIN, Present

NOTHING = Present(frozenset(), frozenset())
KEYS = [bytes.fromhex("00010203040506ff"), b"\xff" * 8]


def there(text: str) -> Present:
    """What the kernel has after `text`."""
    names = re.findall(r"^\tchain (\w+)", text, re.MULTILINE)
    return Present(frozenset(names), frozenset(re.findall(r"^\tset (\w+)", text, re.MULTILINE)))


def test_what_is_there_just_so_is_left_alone() -> None:
    text = knock_copies(22022, KEYS, 64, NOTHING)
    assert knock_copies(22022, reversed(KEYS), 64, there(text)) == ""
    others = [knock_copies(22023, KEYS, 64, NOTHING), knock_copies(22022, KEYS[:1], 64, NOTHING)]
    others.append(knock_copies(22022, KEYS, 56, NOTHING))
    for other in others:
        assert knock_copies(22022, KEYS, 64, there(other)).startswith("flush chain")


def test_without_a_port_or_a_key_all_of_it_goes() -> None:
    present = there(knock_copies(22022, KEYS, 64, NOTHING))
    for gone in (knock_copies(0, KEYS, 64, present), knock_copies(22022, [], 64, present)):
        assert set(re.findall(r"delete (?:chain|set) inet durward (\w+)", gone)) == present.chains | present.sets
        assert "table inet durward {" not in gone
    assert knock_copies(0, [], 64, NOTHING) == ""


def test_no_packet_ends_there() -> None:
    text = knock_copies(22022, KEYS, 64, NOTHING)
    assert not re.search(r"\b(drop|reject|accept)\b", text.replace(HOOK, ""))
    assert text.count("udp dport 22022 ") == 1


def test_whoever_mends_the_table_or_switches_the_firewall_lets_them_be() -> None:
    names = there(knock_copies(22022, KEYS, 64, NOTHING)).chains
    assert all(name.startswith("firewall_") for name in names)
    assert CHAIN.findall(knock_copies(22022, KEYS, 64, NOTHING)) == []
