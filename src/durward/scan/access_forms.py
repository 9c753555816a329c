r"""Access logs that have an order of their own: Nginx Proxy Manager's, NPMplus's, HAProxy's, and IIS's (W3C).

Each line is read as a whole, so a field is what its place says. None of these servers lets a visitor write what ends
a field: nginx writes a quotation mark as `\x22`, HAProxy as `#22`, and IIS a blank as `+`. Lines of HAProxy hold `/0
"`, and those of IIS and NPMplus are read where the method ends in T (GET, POST, PUT): that is what the sieve finds
them by.
"""

import re
from collections.abc import Mapping

STAMP = rb"\[(?P<stamp>[^\]\[]{20,32})\] "
MANAGER = re.compile(
    STAMP
    + rb'(?:[A-Z-]{1,12} [0-9, :-]{1,64} )?(?P<status>[0-9]{3}) - (?P<method>\S++) \S++ (?P<vhost>\S*+) "'
    + rb'(?P<target>[^"]*+)" \[Client (?P<client>[^\s\]]++)\] \[Length (?P<size>[^\s\]]*+)\] \[Gzip [^\s\]]*+\] '
    + rb'(?:\[Sent-to [^\s\]]*+\] )?"(?P<agent>[^"]*+)" "(?P<referer>[^"]*+)"(?P<rest>.*+)',
    re.DOTALL,
)
PLUS = re.compile(
    STAMP
    + rb'(?P<vhost>\S++) (?P<client>[0-9A-Fa-f:.]++) [0-9]{1,6}\.[0-9]{3} "(?P<request>[A-Z]{0,15}T /[^"]*+)" '
    + rb"(?P<status>[0-9]{3}) (?P<size>[0-9]++)(?P<rest>.*+)",
    re.DOTALL,
)
HAPROXY = re.compile(
    rb"(?P<client>[0-9A-Fa-f:.]+):[0-9]{1,5} "
    + STAMP
    + rb"\S++ (?P<server>\S++) (?P<timers>[0-9+-]++(?:/[0-9+-]++){4}) (?P<status>-?[0-9]{1,3}) (?P<size>\+?[0-9]++) "
    + rb'\S++ \S++ (?P<end>\S{4}) [0-9/+]++ [0-9/]++(?: \{[^{}]*+\}){0,2} "(?P<request>[^"]*+)(?:"|$)[^"]*+',
    re.DOTALL,
)
W3C = re.compile(
    rb"(?P<stamp>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?:\S++ ){0,2}?[0-9A-Fa-f:.%]++ "
    rb"(?P<method>[A-Z]{0,15}T) (?P<path>/\S*+) (?P<query>\S++) [0-9]{1,5} (?P<user>\S++) (?P<client>[0-9A-Fa-f:.%]++) "
    rb"(?:(?P<protocol>HTTP/[0-9.]++) )?(?P<agent>\S++)(?: \S++){0,3}? (?P<status>[1-5][0-9]{2}) "
    rb"(?P<rest>[0-9]{1,3} [0-9]{1,10}(?: [0-9]{1,12}){0,3})"
)
FORMS = (MANAGER, PLUS, HAPROXY, W3C)
BEGIN = re.compile(
    STAMP
    + rb'(?:(?:[A-Z-]{1,12} [0-9, :-]{1,64} )?[0-9]{3} - \S++ \S++ \S*+ "|\S++ [0-9A-Fa-f:.]++ [0-9]{1,6}\.[0-9]{3} ")'
    + rb"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} (?:\S++ ){0,2}?[0-9A-Fa-f:.%]++ [A-Z]{0,15}T /\S*+ "
    + rb"\S++ [0-9]{1,5} \S++ [0-9A-Fa-f:.%]++ "
)
ABSOLUTE = re.compile(rb"https?://([^/?#]++)(.*+)", re.DOTALL)  # as HAProxy writes the requests of HTTP/2
NOTHING = b"-"


def begins_form(line: bytes) -> bool:
    """Whether a line begins as those of these logs do. HAProxy's do not tell by that."""
    return BEGIN.match(line) is not None


def form_fields(line: bytes) -> Mapping[str, bytes] | None:
    """The fields of a line under the names that those of other access logs have; None where it is none of these.

    `rest` of HAProxy is the backend and server, the timers, and how the session ended; of IIS the codes behind the
    status.
    """
    line = line.rstrip()
    match = next((found for form in FORMS if (found := form.fullmatch(line))), None)
    if match is None:
        return None
    read = {name: value or b"" for name, value in match.groupdict().items()}
    request, target = _request(read)
    method, _, more = request.partition(b" ")
    said = more.rpartition(b" ")
    absolute = ABSOLUTE.fullmatch(target or said[0])
    return {
        "client": read["client"],
        "vhost": absolute[1] if absolute else read.get("vhost", b""),
        "user": _said(read.get("user", b"")),
        "stamp": read["stamp"],
        "request": request,
        "method": read.get("method") or (method if said[0] else b""),
        "target": (absolute[2] or b"/") if absolute else target or said[0],
        "protocol": read.get("protocol") or (said[2] if said[0] else b""),
        "status": read["status"],
        "size": read.get("size", b""),
        "referer": _said(read.get("referer", b"")),
        "agent": _said(read.get("agent", b"")),
        "rest": b" ".join(read[name] for name in ("server", "timers", "end")) if "server" in read else read["rest"],
        "forwarded": b"",
    }


def _request(read: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """The request, and its target where that stands by itself."""
    if "request" in read:
        return read["request"], b""
    query = read.get("query", NOTHING)
    target = read.get("target") or read["path"] + (b"" if query == NOTHING else b"?" + query)
    return b" ".join((read["method"], target, read.get("protocol") or b"HTTP")), target


def _said(text: bytes) -> bytes:
    return b"" if text == NOTHING else text
