r"""Access logs of web servers: a line to its fields, by position and by nothing else.

The common and the combined format, with or without the virtual host in front, and with whatever stands behind. Between
quotes servers write a quotation mark as `\"` (Apache, lighttpd) or `\x22` (nginx), so no visitor can end a field.
"""

import re
from collections.abc import Mapping

from durward.model import InvalidAddressError, parse_address

# In two steps, so that nothing behind the first `] "` can make the search for it go on; Python before 3.11.5 has no
# sound way to say that in one (gh-106052).
BEFORE = re.compile(rb"(\S++) (\S++) (.*?) ?\[([^\]\[]{20,32}+)\] \"", re.DOTALL)
QUOTED = rb'([^"\\]*+(?:\\.[^"\\]*+)*)"'
BEHIND = re.compile(QUOTED + rb' ([0-9]{3}|-) ([0-9]++|-)(?: "' + QUOTED + rb' "' + QUOTED + rb")?(.*+)", re.DOTALL)
LAST_QUOTED = re.compile(rb'.*"([^"]*)"', re.DOTALL)
PORT = re.compile(rb"\[?([^\]]++)\]?:[0-9]{1,5}")
NOBODY = b"-"
FIELDS = frozenset(
    {"client", "vhost", "user", "stamp", "request", "method", "target", "protocol", "status", "size", "referer"}
    | {"agent", "rest", "forwarded"}
)


def access_fields(line: bytes) -> Mapping[str, bytes] | None:
    """The fields of a line; None where it is no line of an access log, or where two of it could be the client.

    `request` is the first line of the request as the client sent it, of which `method`, `target` and `protocol` are
    the parts if it has three. `forwarded` is the last quoted text behind the user agent: where servers are told to
    write X-Forwarded-For.
    """
    before = BEFORE.match(line)
    behind = BEHIND.fullmatch(line, before.end()) if before else None
    if before is None or behind is None:
        return None
    first, second, third, stamp = before.groups()
    request, status, size, referer, agent, rest = behind.groups(b"")
    parted = _people(first, second, third)
    if parted is None:
        return None
    vhost, client, user = parted
    method, _, more = request.partition(b" ")
    target, _, protocol = more.rpartition(b" ")
    return {
        "client": client,
        "vhost": vhost,
        "user": b"" if user == NOBODY else user,
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
        "forwarded": _forwarded(rest),
    }


def _people(first: bytes, second: bytes, third: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Virtual host, client and user out of what stands before the time.

    The client is the first word, and the second what its own identity service says: a dash. Where the second is an
    address or a name instead, the first is the virtual host. If both are addresses, whoever chose the host name that he
    asked for may have chosen the first: unless it has a port, which no client has, nobody can tell.
    """
    if second == NOBODY or not third:
        return b"", first, third
    if PORT.fullmatch(first) and not _is_address(first):
        return first, second, _user(third)
    if _is_address(second):
        return None if _is_address(first) and first != second else (first, second, _user(third))
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


def _forwarded(rest: bytes) -> bytes:
    match = LAST_QUOTED.fullmatch(rest.rstrip()) if b'"' in rest else None
    return match[1] if match else b""
