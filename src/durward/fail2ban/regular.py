"""Reads fail2ban's expressions, Python's regular expressions with tags, as nodes of our language and a few more.

What our language cannot say is refused with the reason in words; nothing is guessed.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from durward.fail2ban.failure import Fail2banError
from durward.scan.grammar import REPEAT_MAX, Hole, Set, Text

EXPRESSION_CHARACTERS_MAX = 8192  # a longer one is refused
DEPTH_MAX = 40  # groups in each other; deeper ones are refused
HOSTS = frozenset({"HOST", "ADDR"})
REFUSED_TAGS = {
    "IP4": "names one family of addresses alone",
    "IP6": "names one family of addresses alone",
    "DNS": "takes a name for an address, and names are never resolved",
    "SUBNET": "takes a whole network from a line",
    "CIDR": "takes the size of a network from a line",
    "SKIPLINES": "goes over several lines, and a card reads one line at a time",
    "F-ID": "stops something else than an address",
    "F-NOFAIL": "only helps to join several lines",
    "F-MLFFORGET": "joins several lines; a card says weight and {session} for that",
    "F-MLFGAINED": "joins several lines; a card says weight and {session} for that",
}
REFUSED_GROUPS = {
    "(?=": "looks ahead, which no pattern does",
    "(?!": "looks ahead, which no pattern does",
    "(?<=": "looks behind, which no pattern does",
    "(?<!": "looks behind, which no pattern does",
    "(?>": "has an atomic group, which no pattern has",
    "(?(": "depends on what matched before, which no pattern does",
    "(?P=": "refers back to what matched before, which no pattern does",
}
TAG = re.compile(r"<(/?)([A-Z][A-Z0-9_-]*|__prefix_line)>")
FLAGS = re.compile(r"\(\?([aiLmsux]+)\)")
SCOPED_FLAGS = re.compile(r"\(\?([ims]+):")
NAMED = re.compile(r"\(\?P<\w+>")
COMMENT = re.compile(r"\(\?#[^)]*\)")
BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}")
HEXADECIMAL = re.compile(r"\\x([0-9a-fA-F]{2})")
WORDS = {"d": r"\d", "s": r"\s", "w": r"\w", "S": r"\S", "D": r"[^0-9\x80-\xff]", "W": r"[^\w\x80-\xff]"}
CHARACTERS = {"t": "\t", "-": "-"}

MarkKind = Literal["start", "end", "edge", "prefix"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the line: its start, its end, the edge of a word, or what syslog writes before the message."""

    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Tagged:
    """What stands between `<F-NAME>` and `</F-NAME>`."""

    name: str
    alternatives: tuple["Parts", ...]


@dataclass(frozen=True, slots=True)
class Branches:
    """A group: alternatives, of which one must match."""

    alternatives: tuple["Parts", ...]


@dataclass(frozen=True, slots=True)
class Several:
    """A part, `least` to `most` times."""

    part: "Part"
    least: int
    most: int


Part = Text | Set | Hole | Mark | Branches | Several | Tagged
Parts = tuple[Part, ...]


@dataclass(slots=True)
class Expression:
    """An expression that was read. `notes` say where a card will take less than it."""

    alternatives: tuple[Parts, ...]
    notes: list[str] = field(default_factory=list)


def read_expression(text: str) -> Expression:
    """Read an expression. Raises Fail2banError with what our patterns do not have."""
    if len(text) > EXPRESSION_CHARACTERS_MAX:
        raise Fail2banError(f"is longer than {EXPRESSION_CHARACTERS_MAX} characters")
    reader = _Reader(text)
    alternatives = reader.alternatives(0)
    if reader.place < len(text):
        reader.fail("closes a group that is not open")
    return Expression(alternatives, reader.notes)


@dataclass(slots=True)
class _Reader:
    text: str
    place: int = 0
    notes: list[str] = field(default_factory=list)

    def fail(self, why: str) -> NoReturn:
        raise Fail2banError(f"{why} (at {self.text[self.place : self.place + 12]!r})")

    def at(self, text: str) -> bool:
        return self.text.startswith(text, self.place)

    def take(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        match = pattern.match(self.text, self.place)
        self.place = match.end() if match else self.place
        return match

    def alternatives(self, depth: int) -> tuple[Parts, ...]:
        if depth > DEPTH_MAX:
            self.fail("has too many groups in each other")
        found = [self.parts(depth)]
        while self.at("|"):
            self.place += 1
            found.append(self.parts(depth))
        return tuple(found)

    def parts(self, depth: int) -> Parts:
        found: list[Part] = []
        while self.place < len(self.text) and not self.at("|") and not self.at(")") and not self.at("</F-"):
            if self.take(COMMENT):
                continue
            if flags := self.take(FLAGS):
                self.flags(flags[1])
                continue
            found.append(self.repeated(self.part(depth)))
        return tuple(found)

    def flags(self, flags: str) -> None:
        if "x" in flags or "L" in flags:
            self.fail("has a flag that changes how it is written")
        if "i" in flags:
            self.notes.append("capital and small letters are told apart: only lines written as in the expression count")

    def part(self, depth: int) -> Part:  # noqa: PLR0911 — one line for each kind
        character = self.text[self.place]
        if character == "<" and (tag := TAG.match(self.text, self.place)):
            return self.tag(tag, depth)
        if character == "(":
            return self.group(depth)
        if character == "[":
            return self.set()
        if character == "\\":
            return self.escape()
        if character in "*+?":
            self.fail("repeats nothing")
        self.place += 1
        if character == ".":
            return Set(".")
        if character in "^$":
            return Mark("start" if character == "^" else "end")
        return Text(character.encode())

    def tag(self, tag: "re.Match[str]", depth: int) -> Part:
        name = tag[2]
        if name in REFUSED_TAGS:
            raise Fail2banError(f"<{name}> {REFUSED_TAGS[name]}")
        self.place = tag.end()
        if name == "__prefix_line":
            return Mark("prefix")
        if name in HOSTS:
            return Hole("ip")
        if not name.startswith("F-"):
            return self.literal(tag[0])
        inside = self.alternatives(depth + 1)
        if not self.at(f"</{name}>"):
            self.fail(f"should close <{name}>")
        self.place += len(name) + 3
        return Tagged(name, inside)

    def literal(self, text: str) -> Part:
        return Branches((tuple(Text(letter.encode()) for letter in text),))

    def group(self, depth: int) -> Part:
        for start, why in REFUSED_GROUPS.items():
            if self.at(start):
                self.fail(why)
        if scoped := self.take(SCOPED_FLAGS):
            self.flags(scoped[1])
        elif not self.take(NAMED):
            if self.at("(?") and not self.at("(?:"):
                self.fail("has a group that no pattern has")
            self.place += 3 if self.at("(?:") else 1
        inside = self.alternatives(depth + 1)
        if not self.at(")"):
            self.fail("should close the group")
        self.place += 1
        return Branches(inside)

    def set(self) -> Set:
        start = self.place
        self.place += 2 if self.at("[^") else 1
        inside = self.text[start : self.place]
        first = True
        while first or not self.at("]"):
            if self.place >= len(self.text):
                self.fail("should close the set")
            size = 2 if self.at("\\") else 1
            piece = self.text[self.place : self.place + size]
            if not piece.isascii() or piece in (r"\D", r"\W", r"\b"):
                self.fail(f"has {piece} in a set, where a card compares bytes")
            inside += "[" if piece == r"\[" else "\\]" if piece == "]" else piece
            self.place += size
            first = False
        self.place += 1
        return Set(f"{inside}]")

    def escape(self) -> Part:
        if found := self.take(HEXADECIMAL):
            return Text(chr(int(found[1], 16)).encode())
        escaped = self.text[self.place + 1 : self.place + 2]
        if escaped in WORDS and escaped:
            self.place += 2
            return Set(WORDS[escaped])
        if escaped in ("A", "Z") and escaped:
            self.place += 2
            return Mark("start" if escaped == "A" else "end")
        if escaped == "b":
            self.place += 2
            return Mark("edge")
        if not escaped or (escaped.isalnum() and escaped not in CHARACTERS):
            self.fail(
                "refers back to what matched before, or has a sign that no pattern has" if escaped else "ends early"
            )
        self.place += 2
        return Text(CHARACTERS.get(escaped, escaped).encode())

    def repeated(self, part: Part) -> Part:
        found = self.bounds()
        if found is None:
            return part
        least, most = found
        if self.at("+"):
            self.fail("has a possessive repeat, which no pattern has")
        if self.at("?"):
            self.place += 1
        if least > most or least > REPEAT_MAX:
            self.fail("repeats from more to less, or too often")
        return Several(part, least, min(most, REPEAT_MAX))

    def bounds(self) -> tuple[int, int] | None:
        for sign, bounds in (("?", (0, 1)), ("*", (0, REPEAT_MAX)), ("+", (1, REPEAT_MAX))):
            if self.at(sign):
                self.place += 1
                return bounds
        match = BOUNDS.match(self.text, self.place)
        if match is None or not (match[1] or match[3]):
            return None
        self.place = match.end()
        least = int(match[1] or 0)
        return least, int(match[3]) if match[3] else REPEAT_MAX if match[2] else least
