"""A line that can be blamed on two addresses is blamed on none, and somebody hears of it."""

from dataclasses import replace

from tests.scan.cards import card, records

from durward.catalog.service_card import ServiceCard
from durward.scan.doubts import SAMPLE_BYTES_MAX, SOURCES_MAX, Doubts
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

NOW = 1_795_430_000.0
HEAD = "Nov 23 08:10:00 web1 doord[42]: "


def scanner(*cards: ServiceCard, lines: tuple[str, ...]) -> Scanner:
    made = Scanner(cards)
    block = "".join(line + "\n" for line in lines).encode()
    events = made.events(block, source="file:a", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    assert not events
    return made


def test_a_text_line_of_two_readings() -> None:
    line = HEAD + "refused x from 198.51.100.7 by a from 203.0.113.9 by b"
    made = scanner(card("refused {user} from {ip} by {text}"), lines=(line, HEAD + "refused x", line))
    [(source, doubt)] = made.doubts
    assert (source, doubt.lines, doubt.sample) == ("file:a", 2, line.encode())


def test_two_patterns_that_disagree() -> None:
    made = scanner(
        card("refused {ip} for {text} at once", "refused {text} for {ip} at once"),
        lines=(HEAD + "refused 198.51.100.7 for 203.0.113.9 at once",),
    )
    assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_a_pattern_that_is_sure_beside_one_that_is_not() -> None:
    made = scanner(
        card("saw {text} {ip} go{text}", r"saw {text}\[{ip} go{text}"),
        lines=(HEAD + "saw a 203.0.113.9 go[198.51.100.7 go 203.0.113.9 go",),
    )
    assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_a_pattern_that_is_certain_beside_one_that_reads_a_line_in_two_ways() -> None:
    line = HEAD + "gone <a> from=203.0.113.9 a, from=203.0.113.9"
    loose, sure = "gone {text} from={ip}(?: {text})?", "gone <{word}> {text}, from={ip}"
    made = scanner(card(loose, sure), lines=(line,))
    assert [doubt.lines for _, doubt in made.doubts] == [1]
    patterns = [replace(card(one).patterns[0], certain=one is sure) for one in (loose, sure)]
    block = f"{line}\n".encode()
    certain = Scanner([replace(card(loose), patterns=tuple(patterns))])
    events = certain.events(block, source="f", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    assert [event.source_ip for event in events] == ["203.0.113.9"]
    assert not [*certain.doubts]


def test_a_field_of_two_readings() -> None:
    made = scanner(
        records({"msg": "{user} from {ip} failed{text}"}, envelope="json"),
        lines=('{"msg":"x from 198.51.100.7 failed from 203.0.113.9 failed"}',),
    )
    assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_a_host_s_name_and_an_address_in_a_text() -> None:
    made = card("refused {user} rhost={ip_or_host} user={text}")
    line = HEAD + "refused x rhost=198.51.100.7 user=y rhost=client.example.net user=z"
    assert [doubt.lines for _, doubt in scanner(made, lines=(line,)).doubts] == [1]


def test_what_is_clear_raises_no_doubt() -> None:
    made = Scanner([card("refused {user} from {ip} by {text}")])
    block = (HEAD + "refused x from 203.0.113.9 by b\n" + HEAD + "refused nobody\n").encode()
    made.events(block, source="file:a", position=0, observed_at=NOW, calendar=Calendar(NOW), services=None)
    assert not list(made.doubts)


def test_what_is_remembered_is_bounded() -> None:
    doubts = Doubts()
    for number in range(SOURCES_MAX + 10):
        doubts.add(f"file:{number}", [b"x" * 10_000])
    kept = dict(doubts)
    assert len(kept) == SOURCES_MAX
    assert f"file:{SOURCES_MAX + 9}" in kept
    assert all(len(doubt.sample) == SAMPLE_BYTES_MAX for doubt in kept.values())


def test_an_access_log_s_line_of_two_clients() -> None:
    line = '198.51.100.7 203.0.113.9 - - [23/Nov/2026:08:10:00 +0000] "GET / HTTP/1.1" 401 5 "-" "-"'
    made = scanner(records({"status": "401"}), lines=(line,))
    assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_two_rules_for_records_that_disagree() -> None:
    for wheres in (({"a": "from {ip}"}, {"b": "from {ip}"}), ({"b": "from {ip}"}, {"a": "from {ip}"})):
        made = scanner(records(*wheres, envelope="json"), lines=('{"a":"from 203.0.113.9","b":"from 198.51.100.7"}',))
        assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_a_rule_that_cannot_tell_and_one_that_can() -> None:
    clear, unclear = {"a": "from {ip}"}, {"b": "{user} from {ip} failed{text}"}
    line = '{"a":"from 203.0.113.9","b":"x from 203.0.113.9 failed from 198.51.100.7 failed"}'
    for wheres in ((clear, unclear), (unclear, clear)):
        made = scanner(records(*wheres, envelope="json"), lines=(line,))
        assert [doubt.lines for _, doubt in made.doubts] == [1]


def test_cards_that_disagree() -> None:
    one, other = card("{user} refused {ip} {text}", name="a"), card("{text} shut {ip} out", name="b")
    line = HEAD + "x refused 203.0.113.9 shut 198.51.100.7 out"
    assert [doubt.lines for _, doubt in scanner(one, other, lines=(line,)).doubts] == [1]


def test_a_text_and_a_record_that_disagree() -> None:
    text = card("{ip} - - {text}", envelope="plain")
    other = records({"rest": "{text}from {ip}"})
    line = '203.0.113.9 - - [23/Nov/2026:08:10:00 +0000] "GET / HTTP/1.1" 401 5 "-" "-" from 198.51.100.7'
    assert [doubt.lines for _, doubt in scanner(text, other, lines=(line,)).doubts] == [1]
