"""Access logs as JSON: the fields of the usual formats, whatever a server calls them."""

import json
from typing import Any

import pytest

from durward.scan.access import access_fields

CADDY = {
    "ts": 1795421400.5,
    "request": {
        "remote_ip": "203.0.113.9",
        "method": "GET",
        "host": "www.example.com",
        "uri": "/a?b",
        "proto": "HTTP/2.0",
        "headers": {"User-Agent": ["curl/8.5"], "Referer": ["https://www.example.com/"]},
    },
    "user_id": "bob",
    "size": 5,
    "status": 404,
}
TRAEFIK = {
    "ClientHost": "203.0.113.9",
    "ClientUsername": "bob",
    "DownstreamStatus": 404,
    "DownstreamContentSize": 5,
    "RequestMethod": "GET",
    "RequestPath": "/a?b",
    "RequestProtocol": "HTTP/2.0",
    "RequestHost": "www.example.com",
    "request_User-Agent": "curl/8.5",
    "request_Referer": "https://www.example.com/",
    "time": "2026-11-23T08:10:00Z",
}
NGINX = {
    "time": "2026-11-23T08:10:00+00:00",
    "remote_addr": "203.0.113.9",
    "remote_user": "bob",
    "request": "GET /a?b HTTP/2.0",
    "status": "404",
    "body_bytes_sent": "5",
    "http_referer": "https://www.example.com/",
    "http_user_agent": "curl/8.5",
    "host": "www.example.com",
}


def fields(record: dict[str, Any]) -> dict[str, str]:
    found = access_fields(json.dumps(record).encode())
    return {} if found is None else {name: value.decode() for name, value in found.items()}


@pytest.mark.parametrize("record", [CADDY, TRAEFIK, NGINX])
def test_the_names_that_servers_use(record: dict[str, Any]) -> None:
    found = fields(record)
    expected = {"client": "203.0.113.9", "user": "bob", "method": "GET", "target": "/a?b", "protocol": "HTTP/2.0"}
    expected |= {"status": "404", "size": "5", "agent": "curl/8.5", "referer": "https://www.example.com/"}
    expected |= {"request": "GET /a?b HTTP/2.0", "vhost": "www.example.com"}
    assert {name: found[name] for name in expected} == expected
    assert found["stamp"]


def test_the_client_that_the_server_believes_counts_before_the_one_that_is_connected() -> None:
    request = {**CADDY["request"], "remote_ip": "192.0.2.1", "client_ip": "203.0.113.9"}  # type: ignore[dict-item]
    assert fields({**CADDY, "request": request})["client"] == "203.0.113.9"


def test_nobody_is_not_a_user() -> None:
    assert fields({**TRAEFIK, "ClientUsername": "-"})["user"] == ""


@pytest.mark.parametrize("change", [{"status": "x"}, {"status": ""}, {"remote_addr": "-"}, {"remote_addr": ""}])
def test_what_says_neither_who_nor_what_is_no_access_log(change: dict[str, str]) -> None:
    assert fields({**NGINX, **change}) == {}


def test_a_key_that_stands_twice_leaves_nobody_to_blame() -> None:
    line = json.dumps(NGINX)[:-1] + ',"remote_addr":"198.51.100.7"}'
    assert access_fields(line.encode()) is None
