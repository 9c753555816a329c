"""What a translated pattern takes, the expression takes too, and finds the same address: sampled, with hostile text."""

import re
from collections.abc import Sequence as Sequence_
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.service_card import Pattern, Reads, ServiceCard
from durward.fail2ban.examples import example_of
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.regular import read_expression
from durward.fail2ban.translation import Carried, translate
from durward.scan.grammar import Group, Hole, Node, Repeat, Sequence, Set, Text, parse
from durward.scan.holes import members
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

STAMP = "2026-11-23 08:10:00"
BRACKETED = "23/Nov/2026:08:10:00 +0000"
DAEMON = "shop(?:-worker)?"
NOW = 1_795_000_000.0

# Each in the words of nobody's filter but ours: the shapes that filters of this world have.
EXPRESSIONS = [
    r"^<__prefix_line>login of <F-USER>[^,]+</F-USER>, refused for <HOST>$",
    r"^<__prefix_line>(?:error: )?wrong secret for <F-USER>\S+</F-USER> from <HOST>(?: port \d+)?\s*$",
    r"^<__prefix_line>denied <F-USER>.*</F-USER> at <ADDR> \[gate \d{1,4}\]",
    r"^<__prefix_line>too many tries \(<HOST>\)",
    r"^\s*\[warn\] door (?:one|two) closed for <HOST>,? after [0-9a-f]{2,8} tries$",
    r"^ refused: peer=<HOST>;",
    r"^<HOST> .* \"POST /enter(?:\.php)?\b",
    r"^<HOST> - \S+ \[\] \"GET /hidden[^\"]*\" 40[13] ",
    r"no entry for \S+ .*peer:<HOST>",
    r"<HOST> was turned away",
    r"turned away: <HOST>$",
    r"(?i)Forbidden Door .*caller=<HOST>\b",
    r"^\s*auth\.(?:warn|err)\s+\S*\s*bad key from <HOST>:\d+$",
    r"^<__prefix_line>(?:no such door for <HOST>|door shut on <HOST>: .+)$",
    r"^<__prefix_line>(?:of .*)?(?:door .*|gate .+) refuses <HOST>(?: again)?$",
    r"^<__prefix_line>key[^:]*: rejected \(<HOST>(?:, try \d+)?\)\s*",
]
ADDRESSES = st.sampled_from(["203.0.113.9", "198.51.100.77", "2001:db8::7"])
HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                " ",
                "bob",
                "192.0.2.66",
                " from 192.0.2.66",
                "peer:192.0.2.66 ",
                "caller=192.0.2.66",
                ", refused for 192.0.2.66",
            ),
            *(
                '"',
                "[",
                "]",
                "(",
                ")",
                ":",
                ",",
                ";",
                "=",
                "é",
                "2001:db8::bad",
                " was turned away",
                "(192.0.2.66)",
                "\\",
            ),
        ]
    ),
    max_size=4,
).map("".join)
LETTERS = "abcxyz0189 .:-_/=\"'[](),;AZ\\"


def lines_of(sequence: Sequence) -> st.SearchStrategy[str]:
    return st.tuples(*map(texts_of, sequence)).map("".join)


def texts_of(node: Node) -> st.SearchStrategy[str]:  # noqa: PLR0911 — one line for each kind
    match node:
        case Text(value):
            return st.just(value.decode())
        case Set():
            admitted = members(node)
            return st.sampled_from([letter for letter in LETTERS if letter.encode() in admitted] or ["\t"])
        case Hole("ip"):
            return ADDRESSES
        case Hole("time"):
            return st.just(BRACKETED)
        case Hole("user"):
            return st.sampled_from(["bob", "bob of 192.0.2.66", "x from 192.0.2.66 y", "root@example.com"])
        case Hole("name"):
            return st.sampled_from(["bob", "192.0.2.66", "root@example.com"])
        case Hole():
            return HOSTILE
        case Group(alternatives):
            return st.one_of(*map(lines_of, alternatives))
        case Repeat(inner, least, most):
            return st.lists(texts_of(inner), min_size=least, max_size=min(most, least + 3)).map("".join)


def events_of(carried: Sequence_[Carried], line: str) -> list[str | None]:
    patterns = tuple(Pattern("auth.failure", (one.line,), (1,), 1, "attempt", one.envelopes, ()) for one in carried)
    card = ServiceCard("shop", Path("shop"), "", "", "", (), Reads(programs=carried[0].programs), patterns, ())
    found = Scanner([card]).events(line.encode(), source="file:x", position=0, observed_at=NOW, calendar=Calendar(NOW))
    return [event.source_ip for event in found]


def original(expression: str) -> re.Pattern[str]:
    """The expression as fail2ban reads it, with its tags written out."""
    written = expression.replace("<__prefix_line>", rf"\s*(?:\S+ )?(?:{DAEMON})(?:\[\d+\])?:?\s+")
    written = re.sub(r"<(?:HOST|ADDR)>", r"(?:[0-9A-Fa-f:.]{2,45})", written.replace("(?i)", ""))
    return re.compile(re.sub(r"<F-\w+>", "(?:", re.sub(r"</F-\w+>", ")", written)))


def wrapped(one: Carried, message: str) -> tuple[str, str]:
    """The whole line, and what fail2ban searches: it cuts the time out."""
    if "syslog" in one.envelopes:
        program = one.programs[0] if one.programs else "daemon"
        return f"Nov 23 08:10:00 web1 {program}[42]: {message}", f" web1 {program}[42]: {message}"
    if "stamped" in one.envelopes:
        return f"{STAMP} {message}", f" {message}"
    return message, message.replace(BRACKETED, "")


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(data=st.data())
def test_what_a_card_takes_the_expression_takes(expression: str, data: st.DataObject) -> None:
    translation = translate(expression, daemon=DAEMON)
    one = data.draw(st.sampled_from(translation.carried))
    line, searched = wrapped(one, data.draw(lines_of(parse(one.line))))
    for found in events_of(translation.carried, line):
        match = original(expression).search(searched)
        assert match, (one, line)
        assert found is not None
        assert found in match[0]
        assert found != "192.0.2.66" or "192.0.2.66" in match[0]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_pattern_finds_the_address_in_its_own_example(expression: str) -> None:
    carried = translate(expression, daemon=DAEMON).carried
    assert carried
    for one in carried:
        for envelope in one.envelopes:
            line = example_of(one.line, envelope, one.programs[0] if one.programs else "daemon")
            assert events_of([one], line) == ["203.0.113.9"]


@pytest.mark.parametrize(
    ("expression", "pattern", "envelopes"),
    [
        (r"^<__prefix_line>no <F-USER>.*</F-USER> at <HOST>$", "no {user} at {ip}", ("syslog",)),
        (r'^<__prefix_line>no "<F-USER>[^"]*</F-USER>" at <HOST>$', 'no "{user}" at {ip}', ("syslog",)),
        (r"^<__prefix_line>no <F-USER>\S+</F-USER> at <HOST>$", "no {name} at {ip}", ("syslog",)),
        (r"^<__prefix_line>no <F-USER>\w+</F-USER> at <HOST>$", r"no (?:\w+) at {ip}", ("syslog",)),
        (r"^\s*closed to <HOST>,", "closed to {ip},{text}", ("stamped",)),
        (r"^<HOST> - \[\] closed$", r"{ip} - \[{time}\] closed", ("plain",)),
        (r"closed to .*\s+peer=<HOST> x", "{text}closed to {text}\\s{1,16}peer={ip} x{text}", ("stamped", "plain")),
        (r"^<__prefix_line> twice {x} <HOST>$", r"[ ]twice \{x\} {ip}", ("syslog",)),
    ],
)
def test_how_it_reads(expression: str, pattern: str, envelopes: tuple[str, ...]) -> None:
    [one] = translate(expression).carried
    assert (one.line, one.envelopes) == (pattern, envelopes)


def test_alternatives_around_an_address_become_lines() -> None:
    found = translate(r"^<__prefix_line>(?:closed to <HOST>|<HOST> stays out)$", daemon="door").carried
    assert [one.line for one in found] == ["closed to {ip}", "{ip} stays out"]
    assert {one.programs for one in found} == {("door",)}


def test_a_prefix_is_put_around() -> None:
    prefix = r"^<__prefix_line>(?:error: )?<F-CONTENT>.+</F-CONTENT>$"
    [one] = translate("^closed to <HOST>$", prefix=prefix).carried
    assert one.line == "(?:error: )?closed to {ip}"
    [one] = translate("closed to <HOST> now", prefix=prefix).carried
    assert one.line == "(?:error: )?{text}closed to {ip} now{text}"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (r"^<__prefix_line>(?!debug)closed to <HOST>", "looks ahead"),
        (r"^<__prefix_line>closed(?<=x) to <HOST>", "looks behind"),
        (r"^<__prefix_line>(\S+) closed to <HOST> \1", "refers back"),
        (r"^<__prefix_line>(?P<a>\S+) closed to <HOST> (?P=a)", "refers back"),
        (r"^<__prefix_line>(?>closed) to <HOST>", "atomic"),
        (r"^<__prefix_line>closed++ to <HOST>", "possessive"),
        (r"^<__prefix_line>closed (?:\S+ )*to <HOST>", "repeats something that is a repeat"),
        (r"^<__prefix_line>closed.*<HOST>", "two holes or repeats side by side"),
        (r"^<__prefix_line>closed (?:to <HOST>)?$", "does not always find an address"),
        (r"^<__prefix_line>closed$", "does not always find an address"),
        (r"^<HOST> \S+ \d+$", "needs a fixed text"),
        (r"closed <SKIPLINES> to <HOST>", "several lines"),
        (r"closed to <DNS>", "names are never resolved"),
        (r"<F-NOFAIL>closed</F-NOFAIL> to <HOST>", "only helps to join"),
        (r"closed (?:x$|y) to <HOST>", "in its middle"),
        (r"closed [é] to <HOST>", "in a set"),
        (r"closed (to <HOST>", "should close the group"),
        (r"closed) to <HOST>", "not open"),
        (r"closed [to <HOST>", "should close the set"),
        (r"*closed to <HOST>", "repeats nothing"),
        (r"closed to <HOST> \x00", "no card can hold"),
        (r"closed (?(x)a|b) to <HOST>", "depends on what matched"),
        ("(?:" * 60 + "x" + ")" * 60, "too many groups"),
        ("x" * 9000, "longer than"),
    ],
)
def test_what_is_refused_says_why(expression: str, why: str) -> None:
    with pytest.raises(Fail2banError, match=re.escape(why)):
        translate(expression)


def test_a_daemon_of_too_many_names_is_refused() -> None:
    with pytest.raises(Fail2banError, match="more names than can be listed"):
        translate(r"^<__prefix_line>closed to <HOST>", daemon=r"door\d+")
    assert translate(r"^<__prefix_line>closed to <HOST>", daemon=r"\S*").carried[0].programs == ()


def test_small_letters_are_noted() -> None:
    assert "capital and small letters" in translate(r"(?i)closed to <HOST> now").notes[0]


@given(st.text(alphabet="ab()[]{}|*+?.^$\\<>HOSTF-UER/ :=!P0129", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_expression(text)
        translate(text)
    except Fail2banError:
        return
