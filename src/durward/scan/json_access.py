"""Access logs of web servers as JSON: the fields of the usual formats, under the names that servers use."""

import re
from collections.abc import Iterator, Mapping

from durward.scan.json_lines import json_fields

# Caddy, Traefik, and what nginx and Apache are usually told to write. The first that is there counts.
NAMES: Mapping[str, tuple[str, ...]] = {
    "client": (
        *("request.client_ip", "request.remote_ip", "ClientHost", "remote_addr", "remote_ip", "client_ip"),
        *("remoteip", "clientip", "client", "request.remote_addr"),
    ),
    "vhost": ("request.host", "RequestHost", "http_host", "server_name", "vhost", "host"),
    "user": ("user_id", "ClientUsername", "remote_user", "user"),
    "method": ("request.method", "RequestMethod", "request_method", "method"),
    "target": ("request.uri", "RequestPath", "request_uri", "uri"),
    "protocol": ("request.proto", "RequestProtocol", "server_protocol", "protocol"),
    "status": ("status", "DownstreamStatus", "status_code"),
    "size": ("size", "DownstreamContentSize", "body_bytes_sent", "bytes_sent"),
    "referer": ("request.headers.Referer.0", "request_Referer", "http_referer", "http_referrer", "referer"),
    "agent": ("request.headers.User-Agent.0", "request_User-Agent", "http_user_agent", "user_agent", "agent"),
    "forwarded": ("request.headers.X-Forwarded-For.0", "request_X-Forwarded-For", "http_x_forwarded_for"),
}
NOTHING = (b"", b"-")
PORT = re.compile(rb"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):[0-9]{1,5}")


def json_access_fields(line: bytes) -> Mapping[str, bytes] | None:
    """The fields of a line; None where it is no JSON object, or says neither who asked nor what was answered."""
    read = json_fields(line)
    if read is None:
        return None
    found = {field: next(_said(read, names), b"") for field, names in NAMES.items()}
    if port := PORT.fullmatch(found["client"]):
        found["client"] = port[1] or port[2]
    if not found["client"] or not found["status"].isdigit():
        return None
    request = read.get("request", b"")
    if request and not found["target"]:
        found["method"], _, more = request.partition(b" ")
        found["target"], _, found["protocol"] = more.rpartition(b" ")
    elif not request:
        request = b" ".join((found["method"], found["target"], found["protocol"])).strip()
    return {**found, "request": request, "stamp": read["stamp"], "rest": b""}


def _said(read: Mapping[str, bytes], names: tuple[str, ...]) -> Iterator[bytes]:
    return (read[name] for name in names if read.get(name, b"") not in NOTHING)
