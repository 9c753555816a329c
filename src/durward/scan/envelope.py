"""Envelopes: what stands before the message of a line. Read in one place for all services.

`syslog` lines carry a time, a host, a program and usually its process id, in the traditional form (RFC 3164), in ISO
8601 (rsyslog, and our journal source) or in RFC 5424. `stamped` lines begin with a time; `plain` lines are all message.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Shape = Literal["traditional", "iso", ""]

KNOWN_MAX = 256  # names of programs that are remembered for each service; all are forgotten beyond that
REPEATED_MAX = 100  # "message repeated N times" counts for no more
PRIORITY = rb"(?:<\d{1,3}>)?"
TRADITIONAL = rb"[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
ISO = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
BRACKETED = rb"\[[^\]\n]{8,40}\]"
CLOCK = rb"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?"
OFFSET = rb"(?: [+-]\d{4})?"
DAYS = rb"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d-\d\d|\d\d[-/.](?:[A-Z][a-z]{2}|\d\d)[-/.]\d{4}|\d{6})"
DATED = DAYS + rb" {1,2}" + CLOCK + OFFSET
WEEKDAY = rb"[A-Z][a-z]{2} [A-Z][a-z]{2} {1,2}\d{1,2} " + CLOCK + rb" \d{4}"
MAILED = rb"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} " + CLOCK + OFFSET
COLONED = rb"\d{4}:\d\d:\d\d-\d\d:\d\d:\d\d"
EPOCH = rb"\d{9,10}(?:\.\d{1,9}|\d{3})?"
TAI = rb"@[0-9a-f]{24}"
STAMP = (
    rb"(?:" + rb"|".join((BRACKETED, TRADITIONAL, ISO + OFFSET, DATED, WEEKDAY, MAILED, COLONED, EPOCH, TAI)) + rb")"
)

ODDITIES = rb"(?:kernel: ?\[ *\d+\.\d+\]:? )?(?:\[ID \d+ \w+\.\w+\] )?"  # some loggers put these before the message
# With a blank in it, ISO 8601 is how many services begin a line of their own log, to the second: no word behind is sure
# to be a program's, as it may be an account's name. So it is syslog's only where a file is read for named services: the
# files of those others are not read for services that write to syslog.
ISO_OF_SYSLOG = rb"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d| \d\d:\d\d:\d\d(?=[.,Z+-]))(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
NAME = rb"[0-9A-Za-z_./()@+%#~*!-]"  # a program's; a quotation mark or a comma is of a message
NO_NUMBER = rb"(?![0-9]+\])"  # `[4242]` behind a zone is how PostgreSQL writes its process, before a user's own name
PROGRAM = rb"\[?((?!- )" + NO_NUMBER + NAME + rb"{1,64})\]?(?:\[(\d{1,10})\])?:? " + ODDITIES + rb"(.*)"
# OpenWrt puts them before the program; what it prints of its log in memory begins with the day of the week.
PLACED = (
    rb"(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])"
    rb"\.(?:emerg|alert|crit|err|error|warn|warning|notice|info|debug) "
)
HOST = rb"[0-9A-Za-z_.:%-]{0,254}[0-9A-Za-z_.%-] "


def _syslog_pattern(iso: bytes, before: bytes) -> re.Pattern[bytes]:
    stamp = b"(" + TRADITIONAL + b"|" + WEEKDAY + b"(?= " + PLACED + b")|" + iso + b")"
    return re.compile(PRIORITY + b"(?:" + stamp + b" " + before + b"(?:" + PLACED + b")?" + PROGRAM, re.DOTALL)


HOSTLESS, HOSTED = (
    {named: _syslog_pattern(iso, before) for named, iso in ((False, ISO_OF_SYSLOG), (True, ISO))}
    for before in (b"{1,4})?", b")?" + HOST)
)
STRUCTURED = re.compile(
    rb"(?:<\d{1,3}>)?1 (" + ISO + rb"|-) \S{1,255} (\S{1,64}) (?:(\d{1,10})|\S{1,128}) \S{1,32} "
    rb'(?:-|(?:\[[^\s\]"]{1,64}(?: [^\s="\]]{1,64}="(?:[^"\\]|\\.){0,1024}")*\])+)(?: \xef\xbb\xbf| )(.*)',
    re.DOTALL,
)
STAMPED = re.compile(PRIORITY + rb"(" + STAMP + rb"):? +(.*)", re.DOTALL)
SHAPED: Mapping[Shape, re.Pattern[bytes]] = {
    "traditional": re.compile(rb"[A-Z][a-z]{2} .{11} \S+ ([^\s\[\]:]{1,64})[\[:]"),
    "iso": re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]+ \S+ ([^\s\[\]:]{1,64})[\[:]"),
}
STRICT_STAMPS: Mapping[Shape, str] = {
    "traditional": r"([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2})",
    "iso": r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.Z+-]++)",
}
PROCESS = re.compile(
    rb"(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}T\S+) [0-9A-Za-z_.:%-]+ "
    rb"(?:" + PLACED + rb")?[^\s\[\]:]{1,64}\[[0-9]+\]: "
)
REPEATED = re.compile(rb"message repeated (\d{1,5}) times: \[ ?(.*)\]", re.DOTALL)


class Message(NamedTuple):
    """A line without its envelope. `program` and `pid` are empty where the envelope names none."""

    stamp: bytes
    program: bytes
    pid: bytes
    text: bytes
    repeated: int = 1


class Programs:
    """The names under which a service writes to syslog; `*` stands for any text. No name at all means every program."""

    def __init__(self, names: Sequence[str]) -> None:
        parts = [re.escape(name).replace(r"\*", r"[^\s\[\]:]*") for name in names] or [r"[^\s\[\]:]{1,64}"]
        self.source = f"(?:{'|'.join(sorted(parts, key=len, reverse=True))})"
        self._names = re.compile(self.source.encode())
        self._known: dict[bytes, bool] = {}
        self._marks = {max(name.encode().split(b"*"), key=len) for name in names}

    def may_be_in(self, block: bytes) -> bool:
        """Whether one of the names may stand in some lines; quick to see."""
        return not self._marks or any(mark in block for mark in self._marks)

    def __contains__(self, program: bytes) -> bool:
        known = self._known.get(program)
        if known is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[program] = self._names.fullmatch(program) is not None
        return known


def shape_of(line: bytes) -> Shape:
    """Which of the two usual forms of syslog a line seems to have; "" for any other."""
    first = line[:1]
    return "iso" if first.isdigit() else "traditional" if first.isupper() else ""


def program_of(line: bytes, shape: Shape) -> bytes:
    """The program that a line of the usual form seems to come from; nothing where it is not that simple."""
    match = SHAPED[shape].match(line) if shape else None
    return match[1] if match else b""


def is_process_s(line: bytes) -> bool:
    """Whether a line has the usual form of syslog with a process id: its message is not all of it."""
    return PROCESS.match(line) is not None


def strict_start(envelope: str, shape: Shape, programs: Programs) -> str | None:
    """The start of a strict form: a group for the stamp and, in syslog, one for the process id. None: it has none."""
    if envelope == "plain":
        return ""
    if envelope == "stamped":
        return f"{PRIORITY.decode()}({STAMP.decode()}):?+ ++"
    start = STRICT_STAMPS.get(shape)
    return start and rf"{start} \S++(?<!:) {programs.source}(?:\[([0-9]{{1,10}}+)\]|): "


def readings(line: bytes, envelope: str, *, named: bool = False) -> list[Message]:
    """The ways to read a line; several only where it does not say whether its first word is a host or a program.

    `named`: the line is read for named services, so it is known whose log it is from.
    """
    if envelope == "plain":
        return [Message(b"", b"", b"", line)]
    if envelope == "stamped":
        match = STAMPED.fullmatch(line)
        return [Message(match[1], b"", b"", match[2])] if match else []
    return [_unwrapped(message) for message in _syslog(line, named=named)]


def _syslog(line: bytes, *, named: bool) -> list[Message]:
    if match := STRUCTURED.fullmatch(line):
        return [Message(match[1], match[2], match[3] or b"", match[4].lstrip(b" "))]
    matches = (HOSTLESS[named].fullmatch(line), HOSTED[named].fullmatch(line))
    return [Message(match[1] or b"", match[2], match[3] or b"", match[4]) for match in matches if match]


def _unwrapped(message: Message) -> Message:
    if message.text.startswith(b"message repeated ") and (match := REPEATED.fullmatch(message.text)):
        return message._replace(text=match[2], repeated=min(int(match[1]), REPEATED_MAX))
    return message
