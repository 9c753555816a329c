"""Which text each line of a record contains that a rule for its fields fits: the needles that the scanner looks for."""

import re
from collections.abc import Iterable

from durward.catalog.service_card import Envelope
from durward.scan.grammar import PatternError, Sequence
from durward.scan.literals import LITERAL_BYTES_MIN, choices_of, required_of, worth

# JSON may write any other character as an escape, and which ones is a matter of the program's taste.
SURE = re.compile(rb"[A-Za-z0-9 _.,:=@-]+")
BEFORE_A_VALUE = (b":", b" ", b'"')  # what JSON has before one, with and without blanks, as a number or as a text
# What access logs have around these fields: first in the usual formats, then in those that are JSON.
BETWEEN = {
    "status": ((b" ", b" "), (b'":', b""), (b'": ', b""), (b'":"', b'"'), (b'": "', b'"')),
    "method": ((b'"', b" "), (b"- ", b" http"), (b" ", b" /"), (b'":"', b'"'), (b'": "', b'"')),
}
# What most lines of an access log contain: nothing to look for as long as there is anything else.
USUAL = frozenset({b" 200 ", b" 301 ", b" 302 ", b" 304 ", b'"GET ', b'"HEAD ', b'"POST '})


def needles_of(envelope: Envelope, fields: Iterable[tuple[str, Sequence]]) -> frozenset[bytes]:
    """Texts of which each matching line contains one; the best that a field offers. Raises PatternError."""
    offers = [_of_json(sequence) if envelope == "json" else _of_access(name, sequence) for name, sequence in fields]
    offers = [offer for offer in offers if offer and min(map(len, offer)) >= LITERAL_BYTES_MIN]
    if not offers:
        raise PatternError(f"needs a field with a fixed text of {LITERAL_BYTES_MIN} characters, or a status")
    return max((offer for offer in offers if not USUAL.intersection(offer)), key=worth, default=max(offers, key=worth))


def _of_access(field: str, sequence: Sequence) -> frozenset[bytes]:
    choices = choices_of(sequence) if field in BETWEEN else None
    if choices is None:
        return frozenset(map(_without_end, required_of(sequence)))
    return frozenset(before + choice + behind for choice in choices for before, behind in BETWEEN[field])


def _without_end(text: bytes) -> bytes:
    """A text without the slash that it ends with: others begin with one, and would be tried wherever this one is."""
    return text[:-1] if text.endswith(b"/") and len(text) > LITERAL_BYTES_MIN else text


def _of_json(sequence: Sequence) -> frozenset[bytes]:
    choices = choices_of(sequence)
    if choices and min(map(len, choices)) < LITERAL_BYTES_MIN:
        sure = all(SURE.fullmatch(choice) for choice in choices)
        return frozenset(before + choice for before in BEFORE_A_VALUE for choice in choices) if sure else frozenset()
    parts = [max(SURE.findall(text), key=len, default=b"") for text in choices or required_of(sequence)]
    return frozenset(part.strip(b" :") for part in parts)
