"""Host names: what is one, and which of them a pattern means."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.host_names import CHARACTERS_MAX, InvalidNameError, is_meant, parse_host_name, parse_name_pattern

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mail.example.com", "mail.example.com"),
        ("Mail.EXAMPLE.com.", "mail.example.com"),
        ("_x.a-b.example", "_x.a-b.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        (LONGEST, LONGEST),
    ],
)
def test_names(text: str, name: str) -> None:
    assert parse_host_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ".",
            "localhost",
            "203.0.113.9",
            "0x7f.1",
            "1.2",
            "a.0x1",
            "a..b",
            "-a.example",
            "a-.example",
            "a b.example",
        ),
        "a.example..",
        "münchen.example",
        "a\n.example",
        "a.example\0",
        "*.example.com",
        f"a{LONGEST}",
        "x" * 64 + ".example",
    ],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(InvalidNameError):
        parse_host_name(text)


@given(st.text(alphabet="0123456789abcdefx.:-_", max_size=300))
def test_no_name_is_an_address_to_a_resolver(text: str) -> None:
    try:
        name = parse_host_name(text)
    except InvalidNameError:
        return
    assert len(name) <= CHARACTERS_MAX
    with pytest.raises(OSError, match="illegal IP address"):
        socket.inet_aton(name)


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        (".example.com", "mail.example.com", True),
        (".example.com", "a.b.example.com", True),
        (".example.com", "evil-example.com", False),
        (".example.com", "example.com", False),
        (".example.com", "mail.example.com.evil.example", False),
        ("mail.example.com", "mail.example.com", True),
        ("mail.example.com", "a.mail.example.com", False),
        ("mail.example.com", "xmail.example.com", False),
    ],
)
def test_patterns_are_anchored(pattern: str, name: str, meant: bool) -> None:
    assert is_meant(parse_name_pattern(pattern), parse_host_name(name)) is meant


@pytest.mark.parametrize("text", [".com", "..example.com", ".", "com"])
def test_a_pattern_is_no_wider_than_a_domain(text: str) -> None:
    with pytest.raises(InvalidNameError):
        parse_name_pattern(text)
