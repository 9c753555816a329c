"""Host names as DNS has them: which texts are one, and which of them a pattern means."""

import re

CHARACTERS_MAX = 253  # of a name (RFC 1035, 2.3.4, as text)
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label begins with a letter: "203.0.113.9" or "0x7f.1" would be taken for an address and lead to itself.
NAME = re.compile(rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
SHOWN_CHARACTERS_MAX = 60  # of a wrong text are shown


class InvalidNameError(ValueError):
    """A text that is no host name; the message says what was expected."""


def parse_host_name(text: str) -> str:
    """The canonical form of a whole name: small letters, no dot at its end. Raises InvalidNameError."""
    name = text.lower().removesuffix(".")
    if len(text) > CHARACTERS_MAX + 1 or len(name) > CHARACTERS_MAX or not NAME.fullmatch(name):
        hint = "" if text.isascii() else "; one with other letters is written xn--…"
        raise InvalidNameError(f"{text[:SHOWN_CHARACTERS_MAX]!r} is no name like mail.example.com{hint}")
    return name


def parse_name_pattern(text: str) -> str:
    """A whole name, or `.example.com` for every name below it. Raises InvalidNameError."""
    if not text.startswith("."):
        return parse_host_name(text)
    return "." + parse_host_name(text[1:])


def is_meant(pattern: str, name: str) -> bool:
    """Whether a canonical pattern means a canonical name: itself, or every name below. `.a.b` never means `xa.b`."""
    return name.endswith(pattern) if pattern.startswith(".") else name == pattern
