"""Who is responsible for an address, by the public zone that knows it: the question as DNS has it, and its answer."""

import re
from ipaddress import ip_address

ZONE = "abuse-contacts.abusix.zone"
TXT, INTERNET, RECURSION_DESIRED, IS_ANSWER, TRUNCATED = 16, 1, 0x0100, 0x8000, 0x0200
MESSAGE_BYTES_MAX = 4096
HEADER_BYTES, RECORD_BYTES = 12, 10
RECORDS_MAX = 16  # of an answer are looked at
CONTACTS_MAX = 2  # of one address
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
CONTACT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._%+=-]{{0,63}}@(?:{LABEL}\.){{1,9}}[A-Za-z]{{2,24}}", re.ASCII)
LABELS_MAX = 128  # of a name; one that has more is damaged


def question(number: int, address: str) -> bytes:
    """The question for the contact of an address, under a number of two bytes. Raises ValueError for what is none."""
    reversed_labels = ip_address(address).reverse_pointer.split(".")[:-2]
    labels = [*reversed_labels, *ZONE.split(".")]
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    header = _words(number, RECURSION_DESIRED, 1, 0, 0, 0)
    return header + name + _words(TXT, INTERNET)


def contacts(answer: bytes, asked: bytes) -> tuple[str, ...]:
    """The contacts in the answer to what was asked; none where it is no answer to that, or names nobody.

    What stands there is text of others: only what is a plain mail address is taken, and of those the first ones.
    """
    again = answer[:2] + answer[HEADER_BYTES : len(asked)]
    if len(answer) > MESSAGE_BYTES_MAX or again != asked[:2] + asked[HEADER_BYTES:]:
        return ()
    flags, records = _word(answer, 2), _word(answer, 6)
    if not flags & IS_ANSWER or flags & TRUNCATED or flags & 0xF:
        return ()
    try:
        texts = _texts(answer, len(asked), min(records, RECORDS_MAX))
    except IndexError:
        return ()
    words = [word for text in texts for word in re.split(r"[,;\s]+", text)]
    return tuple(dict.fromkeys(word for word in words if CONTACT.fullmatch(word)))[:CONTACTS_MAX]


def _texts(answer: bytes, place: int, records: int) -> list[str]:
    """The texts of its TXT records. Raises IndexError where it ends too early."""
    found = []
    for _ in range(records):
        place = _after_name(answer, place)
        kind, length = _word(answer, place), _word(answer, place + 8)
        place += RECORD_BYTES
        if kind == TXT:
            found.append(_text(answer[place : place + length]))
        place += length
    return found


def _after_name(answer: bytes, place: int) -> int:
    """Where the name that begins at `place` ends; a compressed one ends with its pointer."""
    for _ in range(LABELS_MAX):
        length = answer[place]
        if length >= 0xC0:
            return place + 2
        place += 1 + length
        if length == 0:
            return place
    raise IndexError("a name without an end")


def _text(data: bytes) -> str:
    """The strings of a TXT record, put together."""
    parts, place = [], 0
    while place < len(data):
        length = data[place]
        parts.append(data[place + 1 : place + 1 + length])
        place += 1 + length
    return b"".join(parts).decode("ascii", "replace")


def _word(data: bytes, place: int) -> int:
    return data[place] << 8 | data[place + 1]


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)
