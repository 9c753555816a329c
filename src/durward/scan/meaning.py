"""Meaning: what a rule says of a line that it fits, and what to look for to find such lines."""

from dataclasses import dataclass

from durward.catalog.service_card import Envelope


@dataclass(slots=True, eq=False, kw_only=True)
class Meaning:
    """One line of a pattern, or one `where`. `hits` is below zero for a hint.

    `columns` are the fields that a row of it fills, of which the `optional` may be empty. Each line that it fits
    contains one of `literals`, one of each of `required`, and `ending`, which is quick to see. Of two rules for a line
    the one with the longer text counts, that of `text_bytes`. `about` is what every such line is about, and `account`
    whose it is where it names nobody.
    """

    service: str
    line: str
    kind: str
    hits: int
    envelope: Envelope
    columns: tuple[str, ...]
    optional: frozenset[str]
    literals: frozenset[bytes]
    ending: bytes = b""
    required: tuple[frozenset[bytes], ...] = ()
    text_bytes: int = 0
    about: str | None = None
    certain: bool = False
    about_ends: bytes = b""
    account: str | None = None
