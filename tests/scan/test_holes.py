"""Holes: bounded, named after what they fill, and written out so that no text of a stranger passes for an address."""

import re

import pytest

from durward.scan.grammar import PatternError, parse
from durward.scan.holes import HOLES, fields_of, has_strict_form, lint, members, optional_fields, write


def fits(pattern: str, form: str, text: bytes) -> tuple[bytes, ...] | None:
    written = write(parse(pattern), form, frozenset({b"\n"}))  # type: ignore[arg-type]
    match = re.fullmatch(written.encode("latin-1"), text, re.DOTALL)
    return match.groups(b"") if match else None


def test_a_hole_fills_its_field() -> None:
    assert fields_of(parse("{user} from {ip} port {port} {word}")) == ("user_name", "source_ip", "source_port")
    assert optional_fields(parse("{user} from {ip}(?: port {port})?")) == {"source_port"}
    assert optional_fields(parse("(?:a {user}|b) {ip}")) == {"user_name"}


@pytest.mark.parametrize("form", ["strict", "lazy", "greedy"])
@pytest.mark.parametrize(
    "time",
    [
        "11/23/2026 08:10:00",
        "Nov 23 08:10:00",
        "Mon Nov 23 08:10:00 UTC 2026",
        "Mon, 23 Nov 2026 08:10:00 +0000",
        "2026-11-23T08:10:00.123Z",
        "2026-11-23 08:10:00,123 +0100",
        "23/Nov/2026:08:10:00 +0000",
        "2026:11:23-08:10:00",
        "11/23/26 8:10 PM",
        "1795421400.123",
        "20261123081000",
    ],
)
def test_a_time_ends_with_its_clock_whatever_somebody_filled_in_behind_it(form: str, time: str) -> None:
    assert fits("{time} in {ip}", form, f"{time} in 203.0.113.9".encode()) == (time.encode(), b"203.0.113.9")
    for filled in (",x:", ",x", " x", ";"):
        assert fits("{time} in {ip}", form, f"{time}{filled} in 203.0.113.9".encode()) is None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{ip} and {ip}", "twice"),
        ("{ip} and {ip_or_host}", "twice"),
        ("{user} and {name}", "twice"),
        ("{address} x", "{ip}"),
        ("{user}{ip}", "side by side"),
        ("x{text}.*", "side by side"),
        (".*.*", "side by side"),
        ("{text}(?:a)?{text}", "side by side"),
        (r"\s+{user}", "side by side"),
        ("(?:a{word} )+", "repeats something"),
        ("(?:a+b)*", "repeats something"),
        ("(?:(?:ab)*c)*", "repeats something"),
    ],
)
def test_what_could_take_for_ever_or_mean_two_things_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(PatternError) as error:
        lint(parse(pattern))
    assert said in str(error.value)


@pytest.mark.parametrize(
    "pattern", ["a{user} {ip}", "(?:a|b{user}) x{ip}", "a{text}(?: b)?", "[a-z]{3}{ip}", r"\({ip}\)"]
)
def test_what_has_one_meaning_passes(pattern: str) -> None:
    lint(parse(pattern))


@pytest.mark.parametrize(
    "hole", [name for name, kind in HOLES.items() if kind.characters is None or kind.characters[0] == "^"]
)
@pytest.mark.parametrize(
    "text", [b"192.0.2.1", b"x192.0.2.1y", b"::1", b"2001:db8::1", b"a:b", b"::ffff:192.0.2.1", b"1.2"]
)
def test_the_strict_form_of_a_text_holds_no_address(hole: str, text: bytes) -> None:
    assert fits(f"<{{{hole}}}>", "strict", b"<" + text + b">") is None
    assert fits(f"<{{{hole}}}>", "greedy", b"<" + text + b">") is not None


@pytest.mark.parametrize(
    "text", [b"bob", b"bob@example.net", b"john.smith", b"a-b_c", b"\xff\x00", b"x: y", b"SHA256:zz"]
)
def test_the_strict_form_takes_what_is_usual(text: bytes) -> None:
    assert fits("{text}<", "strict", text + b"<") == ()


def test_an_address_hole_gives_back_what_belongs_to_the_text_behind_it() -> None:
    for form in ("strict", "greedy", "lazy"):
        assert fits("{ip}: x", form, b"192.0.2.1: x") == (b"192.0.2.1",)
        assert fits("{ip}:{port}", form, b"192.0.2.1:22") == (b"192.0.2.1", b"22")
        assert fits("{ip}: x", form, b"2001:db8::1: x") == (b"2001:db8::1",)


def test_sets_that_could_hold_an_address_have_no_strict_form() -> None:
    assert has_strict_form(parse("[a-z]+ {ip}"))
    assert has_strict_form(parse(r"\d+ {ip}"))
    for pattern in (r"\S+ {ip}", ".* {ip}", "[^x]+ {ip}", "[0-9.]+ {ip}", r"\s{ip}", "{user} {ip} {destination_ip}"):
        assert not has_strict_form(parse(pattern)), pattern


def test_a_set_that_is_none_is_a_problem() -> None:
    with pytest.raises(PatternError):
        members(parse("[z-a]")[0])  # type: ignore[arg-type]


def test_an_ipv4_address_can_stand_before_a_colon() -> None:
    """Of IPv6 nobody can tell whether what follows the last colon is a port."""
    for form in ("strict", "greedy", "lazy"):
        assert fits("from {ipv4}:{port}", form, b"from 203.0.113.9:22") == (b"203.0.113.9", b"22")
        assert fits("from {ipv4}:{port}", form, b"from 2001:db8::9:22") is None
        assert fits("from {ipv4}", form, b"from 203.0.113.9:22") is None
