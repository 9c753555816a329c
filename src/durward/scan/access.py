r"""Access logs of web servers: a line to its fields, by position and by nothing else.

The common and the combined format, with or without the virtual host in front, and with whatever stands behind; for
those of another order see access_forms.py. Between quotes servers write a quotation mark as `\"` (Apache, lighttpd)
or `\x22` (nginx), so no visitor can end a field. A line that is a JSON object has the same fields under other names.
Either may be the message of a line of syslog.
"""

import re
from collections.abc import Mapping

from durward.model import InvalidAddressError, parse_address
from durward.scan.access_forms import begins_form, form_fields
from durward.scan.envelope import readings
from durward.scan.json_access import json_access_fields

# In two steps, so that nothing behind the first `] "` can make the search for it go on; Python before 3.11.5 has no
# sound way to say that in one (gh-106052). No client or virtual host has a sign in its name that the first word lacks.
BEFORE = re.compile(rb"([^\s\"',<>|=(){}]++) (\S++) (.*?) ?\[([^\]\[]{20,32}+)\] \"", re.DOTALL)
QUOTED = rb'([^"\\]*+(?:\\.[^"\\]*+)*)"'
BEHIND = re.compile(
    QUOTED + rb' ([0-9]{3}|-) ([0-9]++|-)(?![^ \r])(?: "' + QUOTED + rb' "' + QUOTED + rb")?(.*+)", re.DOTALL
)
SYSLOG = re.compile(rb"(?:<[0-9]{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9]|[0-9]{4}-[0-9]{2}-[0-9]{2}T)")
LAST_QUOTED = re.compile(rb'.*"([^"]*)"', re.DOTALL)
ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
PORT = re.compile(rb"\[?([^\]]++)\]?:[0-9]{1,5}")
NOBODY = b"-"
FIELDS = frozenset(
    {"client", "vhost", "user", "stamp", "request", "method", "target", "protocol", "status", "size", "referer"}
    | {"agent", "rest", "forwarded"}
)


class ApartError(Exception):
    """A record that can be read in two ways which find the source in different places."""


def access_fields(line: bytes) -> Mapping[str, bytes] | None:
    """The fields of a line; None where it is no line of an access log. Raises ApartError for one of two clients.

    `request` is the first line of the request as the client sent it, of which `method`, `target` and `protocol` are
    the parts if it has three. `forwarded` is the last quoted text behind the user agent: where servers are told to
    write X-Forwarded-For.
    """
    if SYSLOG.match(line):
        read = (_fields(message.text) for message in reversed(readings(line, "syslog")))
        return next((fields for fields in read if fields), None)
    return _fields(line)


def _fields(line: bytes) -> Mapping[str, bytes] | None:
    if line[:1] == b"{":
        return json_access_fields(line)
    if line[:1] == b'"':  # LiteSpeed may put its whole line between quotation marks
        line = line[1:] if line.count(b'"') % 2 else line.rstrip()[1:-1]
    before = BEFORE.match(line)
    behind = BEHIND.fullmatch(line, before.end()) if before else None
    if before is None or behind is None:
        return form_fields(line)
    first, second, third, stamp = before.groups()
    request, status, size, referer, agent, rest = behind.groups(b"")
    vhost, client, user = b"", first, third
    if second != NOBODY and third:
        vhost, client, user = _people(first, second, third)
    method, _, more = request.partition(b" ")
    target, _, protocol = more.rpartition(b" ")
    return {
        "client": client,
        "vhost": vhost,
        "user": b"" if user == NOBODY else user if b"\\" not in user else ESCAPED.sub(_unescaped, user),
        "stamp": stamp,
        "request": request,
        "method": method if target else b"",
        "target": target,
        "protocol": protocol if target else b"",
        "status": status,
        "size": size,
        "referer": referer,
        "agent": agent,
        "rest": rest,
        "forwarded": _forwarded(rest) if rest else rest,
    }


def is_access(line: bytes) -> bool:
    """Whether the start of a line is that of an access log's."""
    return line[:1] == b"{" or BEFORE.match(line) is not None or begins_form(line)


def _people(first: bytes, second: bytes, third: bytes) -> tuple[bytes, bytes, bytes]:
    """Virtual host, client and user out of what stands before the time.

    The client is the first word, and the second what its own identity service says: a dash. Where the second is an
    address or a name instead, the first is the virtual host. If both are addresses, whoever chose the host name that he
    asked for may have chosen the first: unless it has a port, which no client has, nobody can tell (ApartError).
    """
    if PORT.fullmatch(first) and not _is_address(first):
        return first, second, _user(third)
    if _is_address(second):
        if _is_address(first) and first != second:
            raise ApartError
        return first, second, _user(third)
    if _is_address(first) or not third.startswith(NOBODY):
        return b"", first, third
    return first, second, _user(third)


def _user(third: bytes) -> bytes:
    """The user behind the word of the identity service."""
    return third.partition(b" ")[2]


def _is_address(word: bytes) -> bool:
    try:
        parse_address(word.decode("ascii"))
    except (InvalidAddressError, UnicodeDecodeError):
        return False
    return True


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else match[2]


def _forwarded(rest: bytes) -> bytes:
    match = LAST_QUOTED.fullmatch(rest.rstrip()) if b'"' in rest else None
    return match[1] if match else b""
