"""Makes text from outside harmless: nothing in it steers a terminal, a mail program, a browser or a chat."""

import unicodedata

LINE_CHARACTERS_MAX = 1024  # of one line; the rest is cut off, and that is shown
CUT = "…"
# Control, format (direction marks, zero widths, tags), surrogate, private, unassigned, line and paragraph separators.
STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MARKS_MAX = 4  # combining marks on one letter; more of them would run over the lines around it
# What chats take for a mention, a tag, a link's text or code. Nothing of ours is lost with them.
CHAT = str.maketrans({"@": "(at)", "<": "{", ">": "}", "&": "+", "`": "'", "*": "'", "[": "(", "]": ")", "|": "/"})
LINK, UNLINKED = "://", "(:)//"


def line(text: str, most: int = LINE_CHARACTERS_MAX) -> str:
    """One line of at most `most` characters: whatever steers is written as an escape, and a longer text is cut."""
    cut = text if len(text) <= most else text[:most]
    if not (cut.isascii() and cut.isprintable()):
        cut = _escaped(cut)
    return cut if len(text) <= most and len(cut) <= most else cut[: most - 1] + CUT


def chat(text: str, most: int = LINE_CHARACTERS_MAX) -> str:
    """The same for a chat: nobody is mentioned, no tag and no link begins."""
    return line(line(text, most).replace(LINK, UNLINKED).translate(CHAT), most)


def lines(texts: tuple[str, ...] | list[str], most: int = LINE_CHARACTERS_MAX) -> list[str]:
    """Each text as one line."""
    return [line(text, most) for text in texts]


def _escaped(text: str) -> str:
    written, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in STEERING or marks > MARKS_MAX:
            written.append(_escape(ord(character)))
        else:
            written.append(" " if category == "Zs" else character)
    return "".join(written)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
