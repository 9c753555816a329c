"""The language of patterns: literals, classes, alternatives and bounded repeats of regular expressions, and holes.

We read it ourselves instead of handing it to `re`, because three things must be known of each pattern: that it cannot
take exponential time, which text each matching line contains, and which parts can hold text that an attacker chose.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

LINE_BYTES_MAX = 8192  # of a line are looked at; a longer one gives no event: no service writes it of its own accord
REPEAT_MAX = LINE_BYTES_MAX  # less could leave the true reading out, and let a false one pass for the only one
PATTERN_CHARACTERS_MAX = 2000
ESCAPED_SETS = "dswDSW"
SPECIAL = "()[]{}|*+?.^$\\"
PLAIN = re.compile(r"[^()\[\]{}|*+?.^$\\]+(?![*+?{])")  # which gives back a last character that is repeated


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why and, where it helps, what to write instead."""


@dataclass(frozen=True, slots=True)
class Text:
    """One character that must stand there, as the bytes of its UTF-8."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Set:
    """One character out of several, as `re` writes it: a dot, `[0-9a-f]`, or an escape for digits, blanks, words."""

    source: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for something that varies, such as `{ip}`."""

    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives, of which one must match."""

    alternatives: tuple["Sequence", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A node, `least` to `most` times."""

    node: "Node"
    least: int
    most: int


Node = Text | Set | Hole | Group | Repeat
Sequence = tuple[Node, ...]


def parse(pattern: str) -> Sequence:
    """Read a pattern. Raises PatternError for everything that is not part of the language."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise PatternError(f"is longer than {PATTERN_CHARACTERS_MAX} characters")
    reader = _Reader(pattern)
    alternatives = reader.alternatives()
    if reader.place < len(pattern):
        reader.fail("closes a group that is not open")
    return alternatives[0] if len(alternatives) == 1 else (Group(alternatives),)


@lru_cache(maxsize=1024)
def _text(character: str) -> Text:
    return Text(character.encode())


@dataclass(slots=True)
class _Reader:
    pattern: str
    place: int = 0

    def fail(self, why: str) -> NoReturn:
        raise PatternError(f"character {self.place + 1} {why}")

    def at(self, text: str) -> bool:
        return self.pattern.startswith(text, self.place)

    def take(self, text: str) -> bool:
        found = self.at(text)
        self.place += len(text) if found else 0
        return found

    def alternatives(self) -> tuple[Sequence, ...]:
        found = [self.sequence()]
        while self.take("|"):
            found.append(self.sequence())
        return tuple(found)

    def sequence(self) -> Sequence:
        nodes: list[Node] = []
        while self.place < len(self.pattern) and self.pattern[self.place] not in "|)":
            if plain := PLAIN.match(self.pattern, self.place):  # most of a pattern is plain text: quicker at once
                nodes += map(_text, plain[0])
                self.place = plain.end()
            else:
                nodes.append(self.repeated(self.atom()))
        return tuple(nodes)

    def atom(self) -> Node:
        if self.at("("):
            return self.group()
        if self.at("["):
            return self.set()
        if self.at("{"):
            return self.hole()
        if self.at("\\"):
            return self.escape()
        character = self.pattern[self.place]
        if character == ".":
            self.place += 1
            return Set(".")
        if character in SPECIAL:
            self.fail(f"is {character!r}, which means nothing there; write \\{character} for the character itself")
        self.place += 1
        return _text(character)

    def group(self) -> Group:
        if not self.take("(?:"):
            self.fail("opens a group that captures, looks around or refers back; write (?:…), and \\( for a bracket")
        found = Group(self.alternatives())
        if not self.take(")"):
            self.fail("should close the group")
        return found

    def set(self) -> Set:
        start, self.place = self.place, self.place + 1
        self.take("^")
        self.take("]")
        while not self.at("]"):
            if self.place >= len(self.pattern):
                self.fail("should close the set")
            self.place += 2 if self.at("\\") else 1
        self.place += 1
        source = self.pattern[start : self.place]
        if not source.isascii():
            self.fail("ends a set that holds more than ASCII, which a line's bytes cannot be compared with")
        return Set(source.replace("[", "\\[").replace("\\[", "[", 1))

    def hole(self) -> Hole:
        end = self.pattern.find("}", self.place)
        name = self.pattern[self.place + 1 : end]
        if end < 0 or not name.isidentifier():
            self.fail("opens a hole that has no name; write {ip} or \\{ for the character itself")
        self.place = end + 1
        return Hole(name)

    def escape(self) -> Text | Set:
        escaped = self.pattern[self.place + 1 : self.place + 2]
        self.place += 2
        if escaped in ESCAPED_SETS and escaped:
            return Set("\\" + escaped)
        if not escaped or escaped.isalnum():
            self.fail(f"follows \\{escaped}, which is not part of the language")
        return Text(escaped.encode())

    def repeated(self, node: Node) -> Node:
        least, most = 1, 1
        if self.take("?"):
            least, most = 0, 1
        elif self.take("*"):
            least, most = 0, REPEAT_MAX
        elif self.take("+"):
            least, most = 1, REPEAT_MAX
        elif self.at("{") and self.pattern[self.place + 1 : self.place + 2].isdigit():
            least, most = self.bounds()
        else:
            return node
        if any(self.at(sign) for sign in "?*+") or (self.at("{") and self.pattern[self.place + 1 :][:1].isdigit()):
            self.fail("repeats a repeat")
        return Repeat(node, least, most)

    def bounds(self) -> tuple[int, int]:
        end = self.pattern.find("}", self.place)
        low, comma, high = self.pattern[self.place + 1 : max(end, 0)].partition(",")
        if not low.isdigit() or (high and not high.isdigit()) or end < 0:
            self.fail("opens a repeat that is not {n}, {n,} or {n,m}")
        self.place = end + 1
        most = int(high) if high else REPEAT_MAX if comma else int(low)
        if not int(low) <= most <= REPEAT_MAX:
            self.fail(f"closes a repeat that is not from less to more, {REPEAT_MAX} at most")
        return int(low), most
