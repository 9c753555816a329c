"""A line that a pattern takes: an imported card shows by it what it looks for, and is tried with it first."""

from durward.catalog.service_card import Envelope
from durward.scan.grammar import Group, Hole, Node, Repeat, Sequence, Set, Text, parse
from durward.scan.holes import members

ADDRESS = "203.0.113.9"
STAMP = "2026-11-23 08:10:00"
HOLES = {
    "ip": ADDRESS,
    "user": "bob",
    "name": "bob",
    "time": "23/Nov/2026:08:10:00 +0000",
    "text": "x",
}
LIKELY = b"x7 /abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345689"  # what to choose of a set, first to last


def example_of(line: str, envelope: Envelope, program: str) -> str:
    """A whole line that fits the pattern `line`. Raises PatternError where it is none of our language."""
    message = _text(parse(line)).decode("utf-8", "replace")
    if envelope == "syslog":
        return f"Nov 23 08:10:00 web1 {program}[4242]: {message}"
    return f"{STAMP} {message}" if envelope == "stamped" else message


def _text(sequence: Sequence) -> bytes:
    return b"".join(map(_one, sequence))


def _one(node: Node) -> bytes:
    match node:
        case Text(value):
            return value
        case Set():
            admitted = members(node)
            likely = (bytes([byte]) for byte in LIKELY if bytes([byte]) in admitted)
            return next(likely, admitted[-1] if admitted else b"")
        case Hole(name):
            return HOLES.get(name, "7").encode()
        case Group(alternatives):
            return _text(alternatives[0])
        case Repeat(inner, least, most):
            return _one(inner) * (max(1, least) if most > 1 else least)
