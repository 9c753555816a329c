"""Access logs of an order of their own: each field is what its place says, whatever a visitor writes into his own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.scan.access import access_fields, is_access

PEER = "203.0.113.9"
DECOY = "198.51.100.7"
STAMP = "[23/Nov/2026:08:10:00 +0000]"
MANAGER = (
    f'{STAMP} - 404 404 - GET https {{host}} "{{target}}" [Client {PEER}] [Length 150] [Gzip -] [Sent-to a] '
    '"{agent}" "-"'
)
FRONT = f'{STAMP} 404 - GET http {{host}} "{{target}}" [Client {PEER}] [Length 150] [Gzip 2.1] "{{agent}}" "-"'
PLUS = f'{STAMP} {{host}} {PEER} 0.001 "GET {{target}} HTTP/2.0" 404 555 700 - {{agent}}'
HAPROXY = (
    (
        f"{PEER}:40022 [23/Nov/2026:08:10:00.512] www~ app/app1 0/0/1/12/13 404 5123 - - ---- 1/1/0/0/0 0/0 "
        '{{{{{host}|{agent}}}}} {{{{}}}} "GET {target} HTTP/1.1"'
    )
    .replace("{{{{", "{{")
    .replace("}}}}", "}}")
)
W3C = f"2026-11-23 08:10:00 192.0.2.1 GET {{target}} - 443 - {PEER} {{agent}} - 404 0 2 15"
W3C_ALL = (
    f"2026-11-23 08:10:00 W3SVC1 WEB1 192.0.2.1 GET {{target}} - 443 - {PEER} HTTP/1.1 {{agent}} - - {{host}} "
    "404 0 2 1 3 5"
)
FORMS = (MANAGER, FRONT, PLUS, HAPROXY, W3C, W3C_ALL)


def line(form: str, *, host: str = "www.example.com", target: str = "/a?b", agent: str = "curl/8.5") -> bytes:
    return form.format(host=host, target=target, agent=agent).encode()


@pytest.mark.parametrize("form", FORMS)
def test_who_asked_for_what_and_how_that_was_answered(form: str) -> None:
    found = access_fields(line(form)) or {}
    expected = {"client": PEER, "method": "GET", "target": "/a?b", "status": "404"}
    assert {name: found[name].decode() for name in expected} == expected


@pytest.mark.parametrize("form", [form for form in FORMS if form is not HAPROXY])
def test_no_pattern_for_text_reads_them(form: str) -> None:
    assert is_access(line(form))


@pytest.mark.parametrize("prefix", ["Nov 23 08:10:00 web1 haproxy[4242]: ", "<134>Nov 23 08:10:00 haproxy[8]: ", ""])
def test_haproxy_in_every_envelope(prefix: str) -> None:
    found = access_fields(prefix.encode() + line(HAPROXY, target="https://www.example.com/a?b")) or {}
    assert (found["client"], found["target"], found["vhost"]) == (PEER.encode(), b"/a?b", b"www.example.com")
    assert found["rest"] == b"app/app1 0/0/1/12/13 ----"


def test_a_line_between_quotation_marks() -> None:
    inner = f'{PEER} - - {STAMP} "GET /a HTTP/1.1" 404 683'
    for written in (f'"{inner}"', f'"{inner} "-" "curl/8.5""', f'"{inner} "-" "curl/8.5"'):
        assert (access_fields(written.encode()) or {})["client"] == PEER.encode()


def test_an_address_of_caddy_has_a_port() -> None:
    for written in (f"{PEER}:40022", "[2001:db8::7]:40022", "2001:db8::7"):
        found = access_fields(
            b'{"request":{"remote_addr":"%s","method":"GET","uri":"/a"},"status":404}' % written.encode()
        )
        assert (found or {})["client"] in (PEER.encode(), b"2001:db8::7")


PIECES = st.sampled_from(
    [
        DECOY,
        "x",
        "/",
        "[Client " + DECOY + "]",
        "] ",
        "404",
        " ",
        "-",
        '"',
        "{",
        "}",
        "|",
        "443",
        ":22",
        STAMP,
        "HTTP/1.1",
        "+",
        "0.001",
    ]
)
WRITTEN = st.lists(PIECES, max_size=12).map("".join)


def escaped(form: str, text: str) -> str:
    """What the server writes of a text."""
    if form in (W3C, W3C_ALL):
        return re.sub(r"\s", "+", text) or "-"
    return (
        re.sub(r'["{}|]', lambda sign: f"#{ord(sign[0]):02X}", text) if form == HAPROXY else text.replace('"', "\\x22")
    )


@given(st.sampled_from(FORMS), WRITTEN, WRITTEN, WRITTEN)
def test_nobody_else_is_the_client(form: str, host: str, target: str, agent: str) -> None:
    written = line(
        form,
        host=escaped(form, host),
        target="/" + escaped(form, target),
        agent=escaped(form, agent),
    )
    assert (access_fields(written) or {}).get("client", PEER.encode()) == PEER.encode()
