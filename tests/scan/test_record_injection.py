"""Text that a visitor chose never makes somebody else the source of a line that has fields: every record of the shelf.

The fields of an access log are filled with what each pattern looks for and with what an attacker might send, up to
whole lines of other services, and written as servers write them; so are objects of JSON.
"""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scan.test_injection import LINES_OF_OTHERS, PIECES, RULES, SCANNER, said_of

from durward.scan.timestamps import Calendar

PEER = "203.0.113.9"
NOW = 1_795_430_000.0
EXAMPLES = 5 * settings.default.max_examples  # 500, and 5,000 in a search: each is scanned four to six times
MANY = 3 * EXAMPLES  # in the slow part
STAMP = "23/Nov/2026:08:10:00 +0000"
NEEDLES = sorted({literal.decode("latin-1") for rule in SCANNER.record_rules for literal in rule.literals})
OWN_LINES = (
    f'198.51.100.7 - - [{STAMP}] "GET /.env HTTP/1.1" 404 5 "-" "-"',
    f'" 404 5 "-" "-"\n198.51.100.7 - - [{STAMP}] "GET /.env HTTP/1.1" 404 5 "-" "-"',
    f'203.0.113.9 198.51.100.7 - - [{STAMP}] "GET / HTTP/1.1" 404 5',
    '{"remote_addr":"198.51.100.7","status":404,"request_uri":"/.env"}',
    '","client_ip":"198.51.100.7","remote_ip":"198.51.100.7","x":"',
    ', client: 198.51.100.7, server: x, request: "GET / HTTP/1.1"',
    "[client 198.51.100.7] ModSecurity: Access denied with code 403 (phase 2).",
    "username: x IP: 198.51.100.7",
    *(said_of(rule, "198.51.100.7") for rule in RULES),
)
hostile = st.lists(
    st.one_of(
        *(st.sampled_from(texts) for texts in (PIECES, NEEDLES, OWN_LINES, LINES_OF_OTHERS)), st.text(max_size=8)
    ),
    max_size=4,
).map("".join)


def as_apache(text: str) -> str:
    """A text between quotes, as Apache and lighttpd write it."""
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return "".join(
        sign if " " <= sign <= "~" else "".join(f"\\x{byte:02x}" for byte in _bytes(sign)) for sign in escaped
    )


def as_nginx(text: str) -> str:
    """The same as nginx writes it."""
    return "".join(
        sign if " " <= sign <= "~" and sign not in '"\\' else "".join(f"\\x{byte:02X}" for byte in _bytes(sign))
        for sign in text
    )


def _bytes(sign: str) -> bytes:
    return sign.encode("utf-8", "surrogatepass")


def blamed(line: str, source: str) -> set[str]:
    events = SCANNER.events(
        line.encode() + b"\n", source=source, position=0, observed_at=NOW, calendar=Calendar(NOW), services=None
    )
    return {event.source_ip or event.source_host or "" for event in events} - {""}


FIELDS = st.fixed_dictionaries(dict.fromkeys(("user", "target", "referer", "agent", "forwarded"), hostile))
STATUSES = st.sampled_from([200, 302, 400, 401, 403, 404, 405, 429])
access_lines = given(fields=FIELDS, method=st.sampled_from(["GET", "POST", "TRACE", "", "x"]), status=STATUSES)


@pytest.mark.parametrize("write", [as_apache, as_nginx])
@access_lines
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_access_logs(write: "Writer", fields: dict[str, str], method: str, status: int) -> None:
    access_log_names_the_peer(write, fields, method, status)


@pytest.mark.slow
@pytest.mark.parametrize("write", [as_apache, as_nginx])
@access_lines
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.too_slow])
def test_many_access_logs(write: "Writer", fields: dict[str, str], method: str, status: int) -> None:
    access_log_names_the_peer(write, fields, method, status)


def access_log_names_the_peer(write: "Writer", fields: dict[str, str], method: str, status: int) -> None:
    user, target, referer, agent, forwarded = (write(text) for text in fields.values())
    for user_written in {user.replace(" [", "") or "-", "-"}:
        asked = f'[{STAMP}] "{method} {target} HTTP/1.1" {status} 5 "{referer}" "{agent}" "{forwarded}"'
        line = f"{PEER} - {user_written} {asked}"
        for whole in (line, f"www.example.com:443 {line}", f"Nov 23 08:10:00 web1 nginx: {line}"):
            assert blamed(whole, "file:/var/log/nginx/access.log") <= {PEER}, whole


@given(fields=FIELDS, status=STATUSES)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
def test_json(fields: dict[str, str], status: int) -> None:
    json_names_the_peer(fields, status)


@pytest.mark.slow
@given(fields=FIELDS, status=STATUSES)
@settings(max_examples=MANY, suppress_health_check=[HealthCheck.too_slow])
def test_much_json(fields: dict[str, str], status: int) -> None:
    json_names_the_peer(fields, status)


def json_names_the_peer(fields: dict[str, str], status: int) -> None:
    user, target, referer, agent, forwarded = fields.values()
    headers = {"Referer": [referer], "User-Agent": [agent], "X-Forwarded-For": [forwarded], "Authorization": []}
    caddy = {"request": {"remote_ip": PEER, "uri": target, "method": "POST", "headers": headers}, "status": status}
    caddy |= {"user_id": user, "resp_headers": {"Www-Authenticate": ["Basic x"]}}
    traefik = {"ClientHost": PEER, "ClientUsername": user, "DownstreamStatus": status, "RequestPath": target}
    nginx = {"remote_addr": PEER, "remote_user": user, "request": f"GET {target} HTTP/1.1", "status": status}
    nginx |= {"http_user_agent": agent, "http_referer": referer, "http_x_forwarded_for": forwarded}
    messages = [{"message": agent, "details": {"ruleId": "1", "match": target, "data": referer, "severity": "2"}}]
    audit = {"client_ip": PEER, "client_port": 40022, "time_stamp": "x", "unique_id": "x", "messages": messages}
    audit |= {"request": {"uri": target, "headers": {"Host": user}}, "response": {"http_code": 403}}
    for record in (caddy, traefik, nginx, {"transaction": audit}):
        assert blamed(json.dumps(record), "file:x") <= {PEER}, record


Writer = type(as_nginx)
