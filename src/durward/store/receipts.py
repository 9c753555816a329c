"""Receipts: what a blocked visitor reads out to the administrator, `K7QM-2XFD`. 40 random bits, hard to mishear."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: without I, L, O and U
LENGTH = 8
HEARD_AS = str.maketrans("ILO", "110")  # what people write for what they see


def draw_receipt() -> str:
    """A receipt that cannot be guessed. Whether it is free is for the store to say."""
    bits = secrets.randbits(5 * LENGTH)
    letters = "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 5 * LENGTH, 5))
    return f"{letters[:4]}-{letters[4:]}"


def parse_receipt(text: str) -> str | None:
    """The receipt that somebody typed, in its canonical form; None where the text is none."""
    letters = text.strip().upper().replace("-", "").translate(HEARD_AS)
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return f"{letters[:4]}-{letters[4:]}"
