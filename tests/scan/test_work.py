"""However a line is stuffed, reading it takes a bounded number of steps: they are counted before the first is taken."""

import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.scan.cards import card, records
from tests.scan.test_injection import NOW, PEER, RULES, SCANNER, Picker, filled, in_envelopes, named

from durward.scan.grammar import LINE_BYTES_MAX, Group, Repeat, Sequence, Text, parse
from durward.scan.records import LINE_BYTES_MAX as RECORD_BYTES_MAX
from durward.scan.rule import Rule
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.work import STEPS_MAX, factors_of, steps

CPU_SECONDS_MAX = 300  # a safety net: what takes seconds would take hours if one pattern took more than linear time
PATTERN = "refused {text} for {text} by {text} at {ip}, says {user}"


def steps_of(pattern: str, line: str) -> int:
    return steps(factors_of(parse(pattern)), line.encode())


@pytest.mark.parametrize(
    ("pattern", "line", "ways"),
    [
        ("{text} at {ip}", "a at b at c at 203.0.113.9", 3),
        ("{text} for {text} by {ip}", "x for y for z by a by 203.0.113.9", 4),
        ("{word} {word} {word} {ip}", "a b c d e f g", 1),  # where a word ends is no question
        ("(?:{text} at|{text} by) {ip}", "x at y by z by w", 3),
        ("{text}[0-9]{ip}", "12345", 5),
        ("{text}(?: at home)? by {ip}", "x at home by y by z", 3),
    ],
)
def test_ways_are_counted_by_what_follows_a_hole(pattern: str, line: str, ways: int) -> None:
    assert steps_of(pattern, line) == ways * len(line)


def test_ordinary_lines_are_read_and_stuffed_ones_are_doubtful() -> None:
    scanner = Scanner([card(PATTERN)])
    head, tail = "Nov 23 08:10:00 web1 doord[42]: refused x", f" by y at {PEER}, says z\n"
    for stuffing, wanted in ((" for u", 1), (" for u" * 600 + " by u" * 600, 0)):
        block = (head + stuffing + tail).encode()
        assert len(block) < LINE_BYTES_MAX
        events = scanner.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
        assert len(events) == wanted
    assert [doubt.lines for _, doubt in scanner.doubts] == [1]


def test_no_example_comes_near_the_bound() -> None:
    """`test_cards.py` says that each gives its event; this says that none owes that to luck."""
    for rule in RULES:
        message = filled(rule.sequence, named(PEER), {"text": "an ordinary text, not a long one"}, Picker([]))
        assert steps(factors_of(rule.sequence), message.encode()) < STEPS_MAX, rule.line


@pytest.mark.slow
def test_stuffed_lines_of_every_rule() -> None:
    """In a process of its own, which the kernel ends if it takes more than it ever should."""
    limited = (resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    program = "from tests.scan.test_work import scan_stuffed_lines; print(scan_stuffed_lines())"
    run = subprocess.run(
        [sys.executable, "-c", program],
        preexec_fn=lambda: resource.setrlimit(*limited),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) > len(RULES)


def scan_stuffed_lines() -> int:
    """Scan the worst lines that we can think of, for each rule; how many there were."""
    count = 0
    for rule in RULES:
        for line in stuffed(rule):
            SCANNER.events(
                line,
                source="t",
                position=0,
                observed_at=NOW,
                calendar=Calendar(NOW),
                services=frozenset([rule.service]),
            )
            count += 1
    return count


def stuffed(rule: Rule) -> Iterator[bytes]:
    """Lines as long as we read them, whose holes are full of what stands between the holes."""
    texts = _texts(rule.sequence) or ["x"]
    once = "".join(texts)
    for junk in (once, " ".join(texts), texts[-1], f" {PEER} ".join([*texts, ""])):
        text = junk * (LINE_BYTES_MAX // len(junk))
        message = filled(rule.sequence, named(PEER), {"text": text, "host": "x"}, Picker([1] * 30))
        yield in_envelopes(rule, message)[0].encode()[: LINE_BYTES_MAX - 1] + b"\n"


def _texts(sequence: Sequence) -> list[str]:
    found, current = [], ""
    for node in (*sequence, None):
        if isinstance(node, Text):
            current += node.value.decode()
            continue
        found += [current] if current else []
        current = ""
        if isinstance(node, Group):
            found += [text for alternative in node.alternatives for text in _texts(alternative)]
        elif isinstance(node, Repeat):
            found += _texts((node.node,))
    return found


RECORD_CONDITIONS = [(rule, condition) for rule in SCANNER.record_rules for condition in rule.conditions]


def test_stuffed_fields_of_every_record_are_read_in_bounded_steps() -> None:
    """Counted in steps: what is looked at of a field that is as long as a line may be, and full of its own texts."""
    assert len(RECORD_CONDITIONS) > 100
    for rule, condition in RECORD_CONDITIONS:
        texts = _texts(condition.sequence) or ["x"]
        for junk in ("".join(texts), " ".join(texts), texts[0], texts[-1], f" {PEER} ".join([*texts, ""])):
            field = (junk * (RECORD_BYTES_MAX // len(junk))).encode()
            looked_at = condition.part(field)
            assert steps(factors_of(condition.sequence), looked_at) <= STEPS_MAX, rule.line
            assert field.startswith(looked_at)


def test_a_stuffed_field_is_doubtful_where_it_names_the_source() -> None:
    scanner = Scanner([records({"msg": "refused {text} for {text} by {text} at {ip}"}, envelope="json")])
    for stuffing, wanted in ((" for x", 1), (" for x by y" * 3000, 0)):
        block = f'{{"msg":"refused x{stuffing} by y at {PEER}"}}\n'.encode()
        events = scanner.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
        assert len(events) == wanted
    assert [doubt.lines for _, doubt in scanner.doubts] == [1]


def test_a_stuffed_field_that_names_nobody_is_read_as_far_as_it_goes() -> None:
    scanner = Scanner([records({"target": "{text}/\\.env{text}"})])
    target = "/.env" + "/.en" * 1000 + "/.env" * 2000
    block = f'{PEER} - - [23/Nov/2026:08:10:00 +0000] "GET {target} HTTP/1.1" 404 5 "-" "-"\n'.encode()
    [event] = scanner.events(block, source="t", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    assert event.source_ip == PEER
