"""Lines of access logs: each field is what its place says, whatever a visitor writes into his own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.scan.access import ApartError, access_fields

STAMP = "23/Nov/2026:08:10:00 +0000"
REQUEST = '"GET /a?b HTTP/1.1" 401 179'
AGENT = '"-" "curl/8.5"'


def fields(line: str) -> dict[str, str]:
    found = access_fields(line.encode())
    return {} if found is None else {name: value.decode("latin-1") for name, value in found.items()}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("203.0.113.9 - -", {"client": "203.0.113.9", "user": "", "vhost": ""}),
        ("2001:db8::9 - bob", {"client": "2001:db8::9", "user": "bob"}),
        ("203.0.113.9 - a user of two words", {"client": "203.0.113.9", "user": "a user of two words"}),
        ("203.0.113.9 -", {"client": "203.0.113.9", "user": ""}),
        ("host.example.net - -", {"client": "host.example.net", "vhost": ""}),
        (
            "www.example.com:443 203.0.113.9 - bob",
            {"client": "203.0.113.9", "vhost": "www.example.com:443", "user": "bob"},
        ),
        ("www.example.com 2001:db8::9 - -", {"client": "2001:db8::9", "vhost": "www.example.com"}),
        ("[2001:db8::1]:443 2001:db8::9 - -", {"client": "2001:db8::9", "vhost": "[2001:db8::1]:443"}),
        ("192.0.2.1:80 203.0.113.9 - -", {"client": "203.0.113.9"}),
        ("203.0.113.9 identity bob", {"client": "203.0.113.9", "user": "bob"}),
    ],
)
def test_who_it_was(before: str, expected: dict[str, str]) -> None:
    found = fields(f"{before} [{STAMP}] {REQUEST} {AGENT}")
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("first", ['x"', "'x", "a,b", "x=y", "x|", "<x>", "{x", "f(x)"])
def test_what_begins_like_nobody_s_name_is_no_record(first: str) -> None:
    """Such a line is of another kind of log, and the rest of it a text that somebody chose."""
    assert fields(f"{first} 203.0.113.9 - - [{STAMP}] {REQUEST} {AGENT}") == {}


def test_a_host_name_that_is_an_address_leaves_nobody_to_blame() -> None:
    with pytest.raises(ApartError):
        fields(f"198.51.100.7 203.0.113.9 - - [{STAMP}] {REQUEST} {AGENT}")


def test_what_was_asked() -> None:
    found = fields(
        f'203.0.113.9 - - [{STAMP}] "POST /a b.php?c=1 HTTP/1.1" 404 - "http://x.example/" "y" "198.51.100.7"'
    )
    expected = {"method": "POST", "target": "/a b.php?c=1", "protocol": "HTTP/1.1", "status": "404", "size": "-"}
    expected |= {"referer": "http://x.example/", "agent": "y", "stamp": STAMP, "forwarded": "198.51.100.7"}
    assert {name: found[name] for name in expected} == expected
    assert fields(f'203.0.113.9 - - [{STAMP}] "\\x16\\x03" 400 226')["request"] == "\\x16\\x03"
    assert fields(f'203.0.113.9 - - [{STAMP}] "" 408 0')["method"] == ""


def test_a_user_name_is_what_the_client_sent() -> None:
    for written in ('car ol \\"x', "car ol \\x22x"):
        assert fields(f"203.0.113.9 - {written} [{STAMP}] {REQUEST} {AGENT}")["user"] == 'car ol "x'


@pytest.mark.parametrize(
    "start",
    [
        "Nov 23 08:10:00 web1 nginx: ",
        "<190>Nov  3 08:10:00 web1 nginx[42]: ",
        "2026-11-23T08:10:00.5+00:00 web1 nginx[42]: ",
        "<190>1 2026-11-23T08:10:00Z web1 nginx 42 - - ",
    ],
)
def test_a_line_of_syslog_is_one_around_it(start: str) -> None:
    line = f"203.0.113.9 - bob [{STAMP}] {REQUEST} {AGENT}"
    assert fields(start + line) == fields(line) != {}
    assert fields(start + "www.example.com:80 " + line)["client"] == "203.0.113.9"


@pytest.mark.parametrize("line", ["", "203.0.113.9", f'203.0.113.9 - - [{STAMP}] "GET / 401 1', "x" * 70_000])
def test_what_is_no_line_of_an_access_log(line: str) -> None:
    assert fields(line) == {}


escaped = st.text(max_size=40).map(lambda text: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
chosen = st.one_of(escaped, st.sampled_from(["198.51.100.7", f'- - [{STAMP}] \\"GET / HTTP/1.1\\" 200 5', "\\", "] "]))


@given(user=chosen, target=chosen, referer=chosen, agent=chosen)
def test_no_field_of_a_visitor_changes_who_he_is_or_what_he_was_answered(
    user: str, target: str, referer: str, agent: str
) -> None:
    target, referer, agent = (
        text + "\\" if text.endswith("\\") and len(text) == 1 else text for text in (target, referer, agent)
    )
    line = f'203.0.113.9 - {user} [{STAMP}] "GET {target} HTTP/1.1" 401 179 "{referer}" "{agent}"'
    found = access_fields(line.encode("utf-8", "surrogatepass"))
    assert found is None or (found["client"], found["status"]) == (b"203.0.113.9", b"401") or " [" in user


def test_a_hostile_line_costs_linear_time() -> None:
    for piece in (f'[{STAMP}] "', "\\\\", '" 401 1 "', "a "):
        assert access_fields(b"203.0.113.9 - - " + piece.encode() * (65_536 // len(piece))) is None


def test_what_has_no_plain_size_is_another_service_s_log() -> None:
    """SOGo's lines resemble those of a web server, and it writes of the same attempt in other words as well."""
    assert fields(f'203.0.113.9 - - [{STAMP}] "POST /SOGo/connect HTTP/1.1" 403 34/38 0.311 - - 2M') == {}
